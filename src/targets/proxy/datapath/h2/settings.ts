// SETTINGS both ways (RFC 9113 §6.5, RFC 8441 §3): what the peer asked for, judged and kept, and the bytes
// of what we ask for. A frame is applied as a whole: where it names a setting twice the last one counts.
//
// Not hot: once for each SETTINGS frame, of which there are few.

import { ErrorCode, FRAME_BYTES_MAX, INITIAL_WINDOW_BYTES, UINT31_MAX } from './frames.ts';
import { readUint32, writeUint32 } from './frames.ts';
import { TABLE_BYTES_MAX } from './hpack/static-table.ts';

export const Setting = {
  HEADER_TABLE_SIZE: 0x1,
  ENABLE_PUSH: 0x2,
  MAX_CONCURRENT_STREAMS: 0x3,
  INITIAL_WINDOW_SIZE: 0x4,
  MAX_FRAME_SIZE: 0x5,
  MAX_HEADER_LIST_SIZE: 0x6,
  ENABLE_CONNECT_PROTOCOL: 0x8,
} as const;

const ENTRY_BYTES = 6;
const FRAME_BYTES_LIMIT = 0xff_ffff;

/** Streams we dare to open before the peer's SETTINGS are here: the least it should allow (§6.5.2). */
const STREAMS_BEFORE_SETTINGS = 100;

export class PeerSettings {
  /** The peer's SETTINGS have come. */
  received = false;
  headerTableBytes = TABLE_BYTES_MAX;
  streamsMax = STREAMS_BEFORE_SETTINGS;
  initialWindowBytes = INITIAL_WINDOW_BYTES;
  /** The peer takes extended CONNECT (RFC 8441). */
  connectProtocol = false;
  private readonly isServer: boolean;

  /** `isServer`: the peer is the server of the connection, and must not ask us to let it be pushed to. */
  constructor(isServer: boolean) {
    this.isServer = isServer;
  }

  /** Applies the entries in bytes[start, end) and returns the connection error they earn, if any. */
  apply(bytes: Buffer, start: number, end: number): number {
    if (!this.received) {
      this.received = true;
      this.streamsMax = UINT31_MAX;
    }
    for (let at = start; at < end; at += ENTRY_BYTES) {
      const id = (bytes[at]! << 8) | bytes[at + 1]!;
      const fault = this.applyOne(id, readUint32(bytes, at + 2));
      if (fault !== ErrorCode.NO_ERROR) return fault;
    }
    return ErrorCode.NO_ERROR;
  }

  private applyOne(id: number, value: number): number {
    switch (id) {
      case Setting.HEADER_TABLE_SIZE:
        this.headerTableBytes = value;
        return ErrorCode.NO_ERROR;
      case Setting.ENABLE_PUSH:
        return protocolUnless(value === 0 || (value === 1 && !this.isServer));
      case Setting.MAX_CONCURRENT_STREAMS:
        this.streamsMax = value;
        return ErrorCode.NO_ERROR;
      case Setting.INITIAL_WINDOW_SIZE:
        if (value > UINT31_MAX) return ErrorCode.FLOW_CONTROL_ERROR;
        this.initialWindowBytes = value;
        return ErrorCode.NO_ERROR;
      case Setting.MAX_FRAME_SIZE:
        // Judged but not used: we never send more than the smallest maximum there can be.
        return protocolUnless(value >= FRAME_BYTES_MAX && value <= FRAME_BYTES_LIMIT);
      case Setting.ENABLE_CONNECT_PROTOCOL:
        return this.applyConnectProtocol(value);
      default:
        // MAX_HEADER_LIST_SIZE is advice, and the peer answers for itself what is too large for it;
        // unknown settings are ignored (§6.5.2).
        return ErrorCode.NO_ERROR;
    }
  }

  /** RFC 8441 §3: 0 or 1, and never back to 0. */
  private applyConnectProtocol(value: number): number {
    if (value > 1 || (value === 0 && this.connectProtocol)) return ErrorCode.PROTOCOL_ERROR;
    this.connectProtocol = value === 1;
    return ErrorCode.NO_ERROR;
  }
}

function protocolUnless(valid: boolean): number {
  return valid ? ErrorCode.NO_ERROR : ErrorCode.PROTOCOL_ERROR;
}

/** The payload of a SETTINGS frame: pairs of setting and value. */
export function settingsPayload(
  entries: readonly (readonly [id: number, value: number])[],
): Buffer {
  const payload = Buffer.alloc(entries.length * ENTRY_BYTES);
  entries.forEach(([id, value], index) => {
    const at = index * ENTRY_BYTES;
    payload[at + 1] = id;
    writeUint32(payload, at + 2, value);
  });
  return payload;
}
