// Values of one field → JSON: scalars, and the messages that Kubernetes writes in JSON otherwise than
// as an object (apimachinery: pkg/apis/meta/v1, pkg/api/resource, pkg/util/intstr).

import type { Leaf } from './notation.ts';
import { FIXED64, LENGTH_DELIMITED, VARINT, WireError, readFields } from './wire.ts';
import type { Budget, WireValue } from './wire.ts';

/** How deep the JSON of metadata.managedFields may be nested; real schemas stay below 30. */
const FIELDS_DEPTH_MAX = 100;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What a leaf is when it was not sent and is no pointer. */
export function zeroOf(type: Leaf): string | number | boolean | null {
  switch (type) {
    case 'string':
      return '';
    case 'bool':
      return false;
    case 'int32':
    case 'int64':
    case 'IntOrString':
      return 0;
    case 'Quantity':
      return '0';
    case 'bytes':
    case 'Time':
    case 'MicroTime':
    case 'FieldsV1':
    case 'TextList':
      return null;
  }
}

/**
 * The JSON of a leaf. int64 beyond 2^53 is rounded, as it is in JSON that JavaScript reads. Throws
 * WireError.
 */
export function leafOf(type: Leaf, value: WireValue, budget: Budget): unknown {
  switch (type) {
    case 'string':
      return textOf(bytesOf(value));
    case 'bytes':
      return Buffer.from(bytesOf(value)).toString('base64');
    case 'bool':
      return varintOf(value) !== 0n;
    case 'int32':
      return int32Of(varintOf(value));
    case 'int64':
      return int64Of(varintOf(value));
    case 'Time':
      return timeOf(bytesOf(value), false, budget);
    case 'MicroTime':
      return timeOf(bytesOf(value), true, budget);
    case 'Quantity':
      return textField(bytesOf(value), 1, budget) || '0';
    case 'IntOrString':
      return intOrStringOf(bytesOf(value), budget);
    case 'FieldsV1':
      return fieldsV1Of(bytesOf(value), budget);
    case 'TextList':
      return textListOf(bytesOf(value), budget);
  }
}

/** True for what `omitempty` and `omitzero` leave out. */
export function isZero(type: Leaf, value: unknown): boolean {
  return value === zeroOf(type) || (type === 'bytes' && value === '');
}

export function int32Of(varint: bigint): number {
  return Number(BigInt.asIntN(32, varint));
}

export function int64Of(varint: bigint): number {
  return Number(BigInt.asIntN(64, varint));
}

export function bytesOf(value: WireValue): Uint8Array {
  if (value.type !== LENGTH_DELIMITED) throw wrongType(value, LENGTH_DELIMITED);
  return value.bytes;
}

function varintOf(value: WireValue): bigint {
  if (value.type !== VARINT) throw wrongType(value, VARINT);
  return value.varint;
}

function wrongType({ type }: WireValue, wanted: number): WireError {
  const name = (n: number): string =>
    n === VARINT
      ? 'a number'
      : n === LENGTH_DELIMITED
        ? 'bytes'
        : n === FIXED64
          ? '64 bits'
          : '32 bits';
  return new WireError(`${name(type)} instead of ${name(wanted)} (wire type ${type})`);
}

export function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new WireError('the text is not UTF-8');
  }
}

/** The last value of a field of text; empty when it was not sent. */
export function textField(message: Uint8Array, number: number, budget: Budget): string {
  const value = readFields(message, budget).get(number)?.at(-1);
  return value === undefined ? '' : textOf(bytesOf(value));
}

/** google.protobuf.Timestamp → RFC 3339 in UTC. No bytes at all are the time that is not set. */
function timeOf(bytes: Uint8Array, micros: boolean, budget: Budget): string | null {
  if (bytes.length === 0) return null;
  const fields = readFields(bytes, budget);
  const seconds = numberField(fields.get(1), int64Of);
  const nanos = numberField(fields.get(2), int32Of);
  const date = new Date(seconds * 1000);
  const year = date.getUTCFullYear();
  if (!(year >= 0 && year <= 9999) || nanos < 0 || nanos > 999_999_999) {
    throw new WireError(
      `${seconds} seconds and ${nanos} nanoseconds are no time of years 0 to 9999`,
    );
  }
  const text = date.toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS'.length);
  if (text === '0001-01-01T00:00:00' && (!micros || nanos === 0)) return null;
  if (!micros) return `${text}Z`;
  return `${text}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z`;
}

function numberField(
  values: readonly WireValue[] | undefined,
  read: (varint: bigint) => number,
): number {
  const value = values?.at(-1);
  return value === undefined ? 0 : read(varintOf(value));
}

function intOrStringOf(bytes: Uint8Array, budget: Budget): number | string {
  const fields = readFields(bytes, budget);
  const type = numberField(fields.get(1), int64Of);
  if (type === 0) return numberField(fields.get(2), int32Of);
  if (type === 1) return textField(bytes, 3, budget);
  throw new WireError(`type ${type} is neither a number (0) nor text (1)`);
}

function fieldsV1Of(bytes: Uint8Array, budget: Budget): unknown {
  const value = readFields(bytes, budget).get(1)?.at(-1);
  const text = value === undefined ? '' : textOf(bytesOf(value));
  if (text === '') return null;
  if (nestingOf(text) > FIELDS_DEPTH_MAX) {
    throw new WireError(`the JSON is nested more than ${FIELDS_DEPTH_MAX} deep`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new WireError('the text is not JSON');
  }
}

/** In one pass over the text, whatever is in it. */
function nestingOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < json.length; i++) {
    const c = json[i];
    if (quoted) {
      if (c === '\\') i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === '{' || c === '[') deepest = Math.max(deepest, ++depth);
    else if (c === '}' || c === ']') depth--;
  }
  return deepest;
}

function textListOf(bytes: Uint8Array, budget: Budget): readonly string[] {
  const values = readFields(bytes, budget).get(1) ?? [];
  return values.map((value) => textOf(bytesOf(value)));
}
