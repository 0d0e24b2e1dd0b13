// The body of a request → a plain value: JSON, YAML or Kubernetes' protobuf.

import type { IncomingMessage } from 'node:http';
import { failure } from '../failure.ts';
import { decodeProtobuf } from '../protobuf/decode.ts';
import { API_LIMITS } from './limits.ts';

const JSON_TYPE = 'application/json';
const YAML_TYPE = 'application/yaml';
const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';

/** Bytes of the body. Throws a Failure when there are too many. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > API_LIMITS.bodyBytesMax) throw failure.tooLarge(API_LIMITS.bodyBytesMax);
  const chunks: Buffer[] = [];
  let size = 0;
  // The rest of what is refused is thrown away by whoever answers: the connection stays.
  const parts = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  for await (const chunk of parts) {
    size += chunk.length;
    if (size > API_LIMITS.bodyBytesMax) throw failure.tooLarge(API_LIMITS.bodyBytesMax);
    chunks.push(chunk);
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}

/** `application/json` of `application/json; charset=utf-8`. */
export function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** The object a body holds; undefined for an empty one. Throws a Failure. */
export async function readObject(request: IncomingMessage): Promise<unknown> {
  const bytes = await readBody(request);
  if (bytes.length === 0) return undefined;
  switch (mediaType(request)) {
    case '':
    case JSON_TYPE:
      return parseJson(bytes);
    case YAML_TYPE:
      return parseYaml(bytes);
    case PROTOBUF_TYPE: {
      const decoded = decodeProtobuf(bytes);
      if (decoded.ok) return decoded.object;
      const { reason, message } = decoded.failure;
      throw reason === 'tooLarge'
        ? failure.tooLarge(API_LIMITS.bodyBytesMax)
        : failure.badRequest(message);
    }
    default:
      throw failure.unsupportedMediaType([JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE]);
  }
}

/** Throws a Failure for what is not JSON, or is deeper than anything of ours. */
export function parseJson(bytes: Buffer): unknown {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw failure.badRequest(`the body of the request is not JSON: ${String(error)}`);
  }
  checkDepth(value, API_LIMITS.depthMax);
  return value;
}

/** As for JSON; aliases are bounded by the parser. */
export async function parseYaml(bytes: Buffer): Promise<unknown> {
  const { parse } = await import('yaml');
  let value: unknown;
  try {
    value = parse(bytes.toString('utf8'), { maxAliasCount: 100 });
  } catch (error) {
    throw failure.badRequest(`the body of the request is not YAML: ${String(error)}`);
  }
  checkDepth(value, API_LIMITS.depthMax);
  return value;
}

function checkDepth(value: unknown, left: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (left === 0) {
    throw failure.badRequest(`the body of the request is more than ${API_LIMITS.depthMax} deep`);
  }
  for (const item of Object.values(value)) checkDepth(item, left - 1);
}
