// Bytes → fields by number: the protobuf wire format, read strictly. Nothing here knows of messages.
// See https://protobuf.dev/programming-guides/encoding/.

/** Numbers of wire types. */
export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH_DELIMITED = 2;
const GROUP_START = 3;
const GROUP_END = 4;
export const FIXED32 = 5;

/** Groups are older than Kubernetes; an unknown field may still be one. */
const GROUP_DEPTH_MAX = 16;
const FIELD_NUMBER_MAX = 2 ** 29 - 1;

export type WireValue =
  | { readonly type: typeof VARINT; readonly varint: bigint }
  | {
      readonly type: typeof FIXED32 | typeof FIXED64 | typeof LENGTH_DELIMITED;
      readonly bytes: Uint8Array;
    };

/** What the bytes are not; caught at the border of this folder and returned as a value. */
export class WireError extends Error {
  /** Path of the field in JSON, `spec.containers[0].name`; empty for the object itself. */
  readonly path: string;
  constructor(message: string, path = '') {
    super(message);
    this.path = path;
  }
}

/** What may still be read and made; shared by all that is decoded of one body. */
export interface Budget {
  left: number;
}

/** The budget is used up. */
export class BudgetError extends WireError {}

/** Takes one off the budget. Throws BudgetError. */
export function spend(budget: Budget, path = ''): void {
  if (--budget.left < 0) throw new BudgetError('too many values', path);
}

interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

/** Reads all fields of a message. Groups are passed over. Throws WireError. */
export function readFields(
  bytes: Uint8Array,
  budget: Budget,
): ReadonlyMap<number, readonly WireValue[]> {
  const fields = new Map<number, WireValue[]>();
  const cursor: Cursor = { bytes, at: 0 };
  while (cursor.at < bytes.length) {
    spend(budget);
    const { number, type } = readTag(cursor);
    if (type === GROUP_START) {
      skipGroup(cursor, number, budget);
      continue;
    }
    const value = readValue(cursor, type);
    const values = fields.get(number);
    if (values === undefined) fields.set(number, [value]);
    else values.push(value);
  }
  return fields;
}

/** Reads varints that stand one after the other: a packed list. Throws WireError. */
export function readPacked(bytes: Uint8Array, budget: Budget): readonly bigint[] {
  const cursor: Cursor = { bytes, at: 0 };
  const values: bigint[] = [];
  while (cursor.at < bytes.length) {
    spend(budget);
    values.push(readVarint(cursor));
  }
  return values;
}

function readTag(cursor: Cursor): { number: number; type: number } {
  const tag = readVarint(cursor);
  const number = Number(tag >> 3n);
  if (number < 1 || number > FIELD_NUMBER_MAX) {
    throw new WireError(`field number ${number} is out of range`);
  }
  return { number, type: Number(tag & 7n) };
}

function readValue(cursor: Cursor, type: number): WireValue {
  switch (type) {
    case VARINT:
      return { type, varint: readVarint(cursor) };
    case FIXED64:
      return { type, bytes: readBytes(cursor, 8) };
    case LENGTH_DELIMITED:
      return { type, bytes: readBytes(cursor, readVarint(cursor)) };
    case FIXED32:
      return { type, bytes: readBytes(cursor, 4) };
    case GROUP_END:
      throw new WireError('a group ends that has not begun');
    default:
      throw new WireError(`wire type ${type} does not exist`);
  }
}

/** At most ten bytes of seven bits; bits beyond the 64th are refused, as Go does. */
function readVarint(cursor: Cursor): bigint {
  const { bytes } = cursor;
  let low = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) throw new WireError('the bytes end within a number');
    low |= (byte & 0x7f) << shift;
    if (byte < 0x80) return BigInt(low);
  }
  let value = BigInt(low);
  for (let shift = 28n; shift < 70n; shift += 7n) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) throw new WireError('the bytes end within a number');
    if (shift === 63n && byte > 1) break;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  throw new WireError('a number is longer than 64 bits');
}

function readBytes(cursor: Cursor, length: number | bigint): Uint8Array {
  const left = cursor.bytes.length - cursor.at;
  if (length > left) {
    throw new WireError(`${length} bytes are announced and ${left} are left`);
  }
  const start = cursor.at;
  cursor.at += Number(length);
  return cursor.bytes.subarray(start, cursor.at);
}

function skipGroup(cursor: Cursor, first: number, budget: Budget): void {
  const open = [first];
  while (open.length > 0) {
    spend(budget);
    const { number, type } = readTag(cursor);
    if (type === GROUP_START) {
      if (open.length >= GROUP_DEPTH_MAX) {
        throw new WireError(`groups are nested more than ${GROUP_DEPTH_MAX} deep`);
      }
      open.push(number);
    } else if (type === GROUP_END) {
      if (open.pop() !== number) throw new WireError('a group ends that has not begun');
    } else readValue(cursor, type);
  }
}
