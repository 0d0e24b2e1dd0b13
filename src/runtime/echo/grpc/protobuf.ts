// Protocol buffers' wire format, as much as the echo services need: writing fields, and splitting a message into its
// fields. https://protobuf.dev/programming-guides/encoding/

const WIRE_VARINT = 0;
const WIRE_BYTES = 2;

/** A varint field (int32, int64, enum, bool). Zero is proto3's default and therefore written as nothing. */
export function varintField(number: number, value: number): Buffer {
  return value === 0 ? EMPTY : Buffer.concat([varint(number * 8 + WIRE_VARINT), varint(value)]);
}

/** A string or bytes field; empty is written as nothing. Strings are UTF-8. */
export function bytesField(number: number, value: string | Buffer): Buffer {
  return value.length === 0
    ? EMPTY
    : lengthDelimited(number, typeof value === 'string' ? Buffer.from(value) : value);
}

/** A message field, present even if the message has no fields set. */
export function messageField(number: number, parts: readonly Buffer[]): Buffer {
  return lengthDelimited(number, Buffer.concat(parts));
}

const EMPTY = Buffer.alloc(0);

function lengthDelimited(number: number, value: Buffer): Buffer {
  return Buffer.concat([varint(number * 8 + WIRE_BYTES), varint(value.length), value]);
}

/** Non-negative integers below 2^53. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

export interface WireField {
  readonly number: number;
  /** Numbers for varint fields, bytes for the rest. */
  readonly value: number | Buffer;
}

/** The fields of a message in the order sent; undefined if the bytes are no message. Large varints lose precision. */
export function readFields(message: Buffer): readonly WireField[] | undefined {
  const fields: WireField[] = [];
  let at = 0;
  while (at < message.length) {
    const tag = readVarint(message, at);
    if (tag === undefined || tag.value < 8) return undefined;
    const body = readValue(message, tag.end, tag.value % 8);
    if (body === undefined) return undefined;
    fields.push({ number: Math.floor(tag.value / 8), value: body.value });
    at = body.end;
  }
  return fields;
}

function readValue(
  message: Buffer,
  at: number,
  wire: number,
): { value: number | Buffer; end: number } | undefined {
  if (wire === WIRE_VARINT) return readVarint(message, at);
  const size = wire === WIRE_BYTES ? readVarint(message, at) : fixedSize(wire, at);
  if (size === undefined) return undefined;
  const end = size.end + size.value;
  return end > message.length ? undefined : { value: message.subarray(size.end, end), end };
}

/** 64-bit (wire type 1) and 32-bit (5) fields have no length in front; group markers (3, 4) are not supported. */
function fixedSize(wire: number, at: number): { value: number; end: number } | undefined {
  if (wire === 1) return { value: 8, end: at };
  return wire === 5 ? { value: 4, end: at } : undefined;
}

function readVarint(message: Buffer, at: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let length = 0; length < 10; length += 1) {
    const byte = message[at + length];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * length);
    if (byte < 0x80) return { value, end: at + length + 1 };
  }
  return undefined;
}

/** A string field's text: the last value sent wins; absent is the empty string. */
export function readString(fields: readonly WireField[], number: number): string {
  const value = fields.findLast((field) => field.number === number)?.value;
  return Buffer.isBuffer(value) ? value.toString('utf8') : '';
}
