// A path below /openapi/v3 and what the client accepts → the document, with how long it may be kept.

import type { Kind } from '../../api/kind.ts';
import { parseAccept } from '../discovery/accept.ts';
import { openApiOf } from './document.ts';
import type { OpenApiDocument } from './document.ts';

export interface OpenApiRequest {
  /** Path of the URL, without the query. */
  readonly path: string;
  /** The parameter `hash` of the query. */
  readonly hash?: string | undefined;
  /** The header If-None-Match. */
  readonly ifNoneMatch?: string | undefined;
  readonly accept?: string | undefined;
}

export interface OpenApiAnswer {
  readonly status: 200 | 301 | 304 | 406;
  readonly headers: Readonly<Record<string, string>>;
  /** Empty unless 200. */
  readonly body: string;
}

const ROOT = '/openapi/v3';
const ONE_YEAR_SECONDS = 365 * 24 * 60 * 60;

/**
 * Answers /openapi/v3 and what its index names. A document that is asked for with its own hash never
 * changes; with another hash the client is sent to the present one. undefined for every other path,
 * /openapi/v2 among them: a case for 404, which clients put up with.
 */
export function answerOpenApi(
  kinds: readonly Kind[],
  request: OpenApiRequest,
): OpenApiAnswer | undefined {
  const path = request.path.replace(/\/$/, '');
  const openApi = path === ROOT || path.startsWith(`${ROOT}/`) ? openApiOf(kinds) : undefined;
  if (openApi === undefined) return undefined;
  const isIndex = path === ROOT;
  const name = path.slice(ROOT.length + 1);
  const document = isIndex ? openApi.index() : openApi.document(name);
  if (document === undefined) return undefined;
  if (!acceptsJson(request.accept)) return { status: 406, headers: {}, body: '' };
  if (!isIndex && request.hash !== undefined && request.hash !== document.hash) {
    const location = `${ROOT}/${name}?hash=${document.hash}`;
    return { status: 301, headers: { location }, body: '' };
  }
  return answer(document, request, !isIndex && request.hash !== undefined);
}

/** Protobuf of OpenAPI is not made; who asks for it alone has to ask again. */
function acceptsJson(accept: string | undefined): boolean {
  const json = ['application/json', 'application/*', '*/*'];
  return parseAccept(accept).some(({ type, quality }) => quality > 0 && json.includes(type));
}

function answer(
  { text, hash }: OpenApiDocument,
  { ifNoneMatch = '' }: OpenApiRequest,
  forGood: boolean,
): OpenApiAnswer {
  const headers = {
    'content-type': 'application/json',
    etag: `"${hash}"`,
    vary: 'Accept',
    'cache-control': forGood
      ? `public, immutable, max-age=${ONE_YEAR_SECONDS}`
      : 'no-cache, private',
  };
  return ifNoneMatch.includes(headers.etag)
    ? { status: 304, headers, body: '' }
    : { status: 200, headers, body: text };
}
