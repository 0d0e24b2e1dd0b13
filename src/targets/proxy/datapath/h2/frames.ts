// HTTP/2 frames on the wire (RFC 9113 §4 and §6): numbers, the nine-byte header, and the rules about a
// frame's length and stream that can be judged from its header alone. Pure; used by everything in h2/.
// Hot: no allocation here. Functions take plain arguments (no options objects) for that reason.
//
// Budget: nine writes for a frame header. Guarded by bench/proxy.ts.

/** Bytes of a frame header. */
export const FRAME_HEADER_BYTES = 9;

/** The largest payload every endpoint must take; we never ask for more and never send more. */
export const FRAME_BYTES_MAX = 16_384;

/** The largest stream id and the largest flow-control window: 2^31 - 1. */
export const UINT31_MAX = 0x7fff_ffff;

/** The window both sides start with, before SETTINGS and WINDOW_UPDATE (RFC 9113 §6.9.2). */
export const INITIAL_WINDOW_BYTES = 65_535;

/** What a client sends first (RFC 9113 §3.4), as Latin-1. */
export const CLIENT_PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

export const FrameType = {
  DATA: 0x0,
  HEADERS: 0x1,
  PRIORITY: 0x2,
  RST_STREAM: 0x3,
  SETTINGS: 0x4,
  PUSH_PROMISE: 0x5,
  PING: 0x6,
  GOAWAY: 0x7,
  WINDOW_UPDATE: 0x8,
  CONTINUATION: 0x9,
} as const;

export const Flag = {
  NONE: 0x0,
  END_STREAM: 0x1,
  ACK: 0x1,
  END_HEADERS: 0x4,
  PADDED: 0x8,
  PRIORITY: 0x20,
} as const;

/** Error codes of RST_STREAM and GOAWAY (RFC 9113 §7): those we send or tell apart. */
export const ErrorCode = {
  NO_ERROR: 0x0,
  PROTOCOL_ERROR: 0x1,
  INTERNAL_ERROR: 0x2,
  FLOW_CONTROL_ERROR: 0x3,
  SETTINGS_TIMEOUT: 0x4,
  STREAM_CLOSED: 0x5,
  FRAME_SIZE_ERROR: 0x6,
  REFUSED_STREAM: 0x7,
  CANCEL: 0x8,
  COMPRESSION_ERROR: 0x9,
  ENHANCE_YOUR_CALM: 0xb,
} as const;

/** Reads a 32-bit unsigned number. */
export function readUint32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  );
}

/** Reads a 31-bit number; the reserved bit above it is ignored, as RFC 9113 §4.1 asks. */
export function readUint31(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at]! & 0x7f) << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
  );
}

/** Writes a 32-bit unsigned number. */
export function writeUint32(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
}

/** Writes the nine bytes of a frame header at `at`; the caller has made sure of the room. */
export function writeFrameHeader(
  out: Uint8Array,
  at: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): void {
  out[at] = length >>> 16;
  out[at + 1] = length >>> 8;
  out[at + 2] = length;
  out[at + 3] = type;
  out[at + 4] = flags;
  writeUint32(out, at + 5, streamId);
}

/**
 * The connection error a frame's header alone earns, NO_ERROR for none: the stream it must or must not
 * be on, and the length its type has (RFC 9113 §6). PRIORITY of a wrong length is by the book a stream
 * error, but its stream may be idle and an idle stream cannot be reset; any stream error may be
 * treated as a connection error (§5.4.1), so it is one.
 */
export function frameHeaderFault(
  type: number,
  flags: number,
  streamId: number,
  length: number,
): number {
  if (length > FRAME_BYTES_MAX) return ErrorCode.FRAME_SIZE_ERROR;
  switch (type) {
    case FrameType.DATA:
    case FrameType.HEADERS:
    case FrameType.CONTINUATION:
      return streamId === 0 ? ErrorCode.PROTOCOL_ERROR : ErrorCode.NO_ERROR;
    case FrameType.PRIORITY:
      return streamId === 0 ? ErrorCode.PROTOCOL_ERROR : exactly(length, 5);
    case FrameType.RST_STREAM:
      return streamId === 0 ? ErrorCode.PROTOCOL_ERROR : exactly(length, 4);
    case FrameType.SETTINGS:
      if (streamId !== 0) return ErrorCode.PROTOCOL_ERROR;
      return (flags & Flag.ACK) !== 0 ? exactly(length, 0) : exactly(length % 6, 0);
    case FrameType.PUSH_PROMISE:
      return ErrorCode.PROTOCOL_ERROR;
    case FrameType.PING:
      return streamId !== 0 ? ErrorCode.PROTOCOL_ERROR : exactly(length, 8);
    case FrameType.GOAWAY:
      if (streamId !== 0) return ErrorCode.PROTOCOL_ERROR;
      return length < 8 ? ErrorCode.FRAME_SIZE_ERROR : ErrorCode.NO_ERROR;
    case FrameType.WINDOW_UPDATE:
      return exactly(length, 4);
    default:
      // Unknown frames are read over (RFC 9113 §4.1): that is how HTTP/2 is extended.
      return ErrorCode.NO_ERROR;
  }
}

function exactly(length: number, expected: number): number {
  return length === expected ? ErrorCode.NO_ERROR : ErrorCode.FRAME_SIZE_ERROR;
}
