// A path below /api or /apis and what the client accepts → the discovery document, as text to be sent.

import { createHash } from 'node:crypto';

import { stringify } from 'yaml';

import type { Kind } from '../../api/kind.ts';
import { catalogOf, groupOf } from './catalog.ts';
import type { Catalog } from './catalog.ts';
import { aggregated, apiGroup, apiGroupList, apiResourceList, apiVersions } from './documents.ts';
import type { Document } from './documents.ts';
import { DISCOVERY_CONVERSIONS, negotiate } from './negotiate.ts';
import type { Representation } from './negotiate.ts';

export interface DiscoveryRequest {
  /** Path of the URL, without the query; a slash at its end changes nothing. */
  readonly path: string;
  readonly accept?: string | undefined;
  /** The header If-None-Match. */
  readonly ifNoneMatch?: string | undefined;
  /** Host and port the client came to. */
  readonly serverAddress?: string | undefined;
}

export interface DiscoveryAnswer {
  readonly status: 200 | 304 | 406;
  readonly headers: Readonly<Record<string, string>>;
  /** Empty with 304. */
  readonly body: string;
}

/**
 * Answers /api, /apis, /api/v1, /apis/GROUP and /apis/GROUP/VERSION. undefined for every other path,
 * and for a group or version that is not served: a case for 404.
 */
export function answerDiscovery(
  kinds: readonly Kind[],
  request: DiscoveryRequest,
): DiscoveryAnswer | undefined {
  const catalog = catalogOf(kinds);
  const parts = request.path.replace(/^\/|\/$/g, '').split('/');
  const isRoot = parts.length === 1;
  const plain = documentAt(catalog, parts, request.serverAddress);
  if (plain === undefined) return undefined;
  const form = negotiate(request.accept, isRoot ? DISCOVERY_CONVERSIONS : []);
  if ('notAcceptable' in form) {
    const headers = { 'content-type': 'application/json' };
    return { status: 406, headers, body: JSON.stringify(form.notAcceptable) };
  }
  const { conversion } = form;
  const document =
    conversion === undefined
      ? plain
      : aggregated(catalog, parts[0] === 'api', `${conversion.group}/${conversion.version}`);
  return answer(document, form, request.ifNoneMatch);
}

function documentAt(
  catalog: Catalog,
  parts: readonly string[],
  serverAddress: string | undefined,
): Document | undefined {
  const [root, ...rest] = parts;
  if (root === 'api') {
    if (rest.length === 0) return apiVersions(catalog, serverAddress);
    return rest.length === 1 ? resourcesAt(catalog, '', rest[0]) : undefined;
  }
  if (root !== 'apis') return undefined;
  const [name = '', version] = rest;
  if (rest.length === 0) return apiGroupList(catalog);
  if (name === '' || rest.length > 2) return undefined;
  if (rest.length === 2) return resourcesAt(catalog, name, version);
  const group = groupOf(catalog, name);
  return group === undefined ? undefined : apiGroup(group);
}

function resourcesAt(catalog: Catalog, name: string, wanted?: string): Document | undefined {
  const group = groupOf(catalog, name);
  const version = group?.versions.find((v) => v.version === wanted);
  return group === undefined || version === undefined ? undefined : apiResourceList(group, version);
}

function answer(document: Document, form: Representation, ifNoneMatch = ''): DiscoveryAnswer {
  const body = form.format === 'json' ? JSON.stringify(document) : stringify(document);
  const etag = `"${createHash('sha256').update(body).digest('hex')}"`;
  const headers = { 'content-type': form.contentType, etag, vary: 'Accept' };
  const known = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return known.includes(etag) ? { status: 304, headers, body: '' } : { status: 200, headers, body };
}
