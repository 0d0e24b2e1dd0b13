// The body of a request → a plain value: JSON, YAML or Kubernetes' protobuf.

import type { IncomingMessage } from 'node:http';
import { failure } from '../failure.ts';
import { decodeProtobuf } from '../protobuf/decode.ts';
import { duplicateFields } from './duplicates.ts';
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

/** What a body holds, and what is odd about how it is written. */
export interface Parsed {
  readonly value: unknown;
  /** What strict clients refuse, as `duplicate field "spec.a"`. */
  readonly oddities: readonly string[];
}

/** The object a body holds; undefined for an empty one. Throws a Failure. */
export async function readObject(request: IncomingMessage): Promise<unknown> {
  const { value } = await readChecked(request, false);
  return value;
}

/** As `readObject`; looks for oddities where they matter. */
export async function readChecked(request: IncomingMessage, isStrict = true): Promise<Parsed> {
  const bytes = await readBody(request);
  if (bytes.length === 0) return { value: undefined, oddities: [] };
  switch (mediaType(request)) {
    case '':
    case JSON_TYPE: {
      const value = parseJson(bytes);
      return { value, oddities: isStrict ? jsonOddities(bytes) : [] };
    }
    case YAML_TYPE:
      return parseYaml(bytes);
    case PROTOBUF_TYPE: {
      const decoded = decodeProtobuf(bytes);
      if (decoded.ok) return { value: decoded.object, oddities: [] };
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
    throw failure.badRequest(`the body of the request is not JSON: ${messageOf(error)}`);
  }
  checkDepth(value, API_LIMITS.depthMax);
  return value;
}

/** Of JSON that can be parsed; `where` goes before each. */
export function jsonOddities(bytes: Buffer, where = ''): readonly string[] {
  return duplicateFields(bytes.toString('utf8')).map(
    ({ path }) => `${where}duplicate field ${JSON.stringify(path)}`,
  );
}

/** As for JSON; aliases are bounded by the parser. A key that is there twice is an oddity. */
export async function parseYaml(bytes: Buffer): Promise<Parsed> {
  const text = bytes.toString('utf8');
  // JSON is YAML, is what kubectl sends, and is read many times faster as what it is.
  if (text.startsWith('{')) {
    const json = asJson(text);
    if (json !== undefined) return json;
  }
  const { parseDocument, LineCounter } = await import('yaml');
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const isDuplicate = ({ code }: { readonly code: string }): boolean => code === 'DUPLICATE_KEY';
  const broken = document.errors.find((error) => !isDuplicate(error));
  if (broken !== undefined) throw notYaml(broken);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw notYaml(error);
  }
  checkDepth(value, API_LIMITS.depthMax);
  const oddities = document.errors.filter(isDuplicate).map(({ pos: [start, end] }) => {
    const key = text.slice(start, end).replaceAll(/^["']|["']$/g, '');
    return setTwice(lineCounter.linePos(start).line, key);
  });
  return { value, oddities };
}

function asJson(text: string): Parsed | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // A flow mapping of YAML, or nothing at all: its reader says which.
    return undefined;
  }
  checkDepth(value, API_LIMITS.depthMax);
  const oddities = duplicateFields(text).map(({ line, key }) => setTwice(line, key));
  return { value, oddities };
}

function setTwice(line: number, key: string): string {
  return `yaml: unmarshal errors: line ${line}: key ${JSON.stringify(key)} already set in map`;
}

function notYaml(error: unknown): Error {
  return failure.badRequest(`the body of the request is not YAML: ${messageOf(error)}`);
}

/** Without the name of its class, which says nothing to who sent it. */
function messageOf(error: unknown): string {
  const isSeveral = (error as { readonly code?: unknown } | null)?.code === 'MULTIPLE_DOCS';
  if (isSeveral) return 'it holds more than one document';
  return error instanceof Error ? error.message : String(error);
}

function checkDepth(value: unknown, left: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (left === 0) {
    throw failure.badRequest(`the body of the request is more than ${API_LIMITS.depthMax} deep`);
  }
  for (const item of Object.values(value)) checkDepth(item, left - 1);
}
