// One gRPC call on one HTTP/2 stream: request headers to metadata, length-prefixed messages in and out, status in the
// trailers. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md

import type { ServerHttp2Stream } from 'node:http2';
import type { Peer } from '../exchange.ts';

/** The status codes used here; the numbers are gRPC's. */
export const Code = {
  ok: 0,
  unknown: 2,
  invalidArgument: 3,
  notFound: 5,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
} as const;

export interface GrpcStatus {
  readonly code: number;
  readonly message: string;
}

/** A metadata entry. Values of `-bin` keys are decoded, all others are the bytes sent. */
export interface MetadataEntry {
  readonly key: string;
  readonly value: Buffer;
}

export interface Call {
  /** `/package.Service/Method` */
  readonly path: string;
  readonly metadata: readonly MetadataEntry[];
  readonly peer: Peer;
}

/** One method of a service. A method answers what it is given or says which status ends the call. */
export type Method =
  | {
      readonly kind: 'unary';
      readonly answer: (call: Call, request: Buffer) => Buffer | GrpcStatus;
    }
  | {
      readonly kind: 'streaming';
      /** Starts a call; the function it returns gets each request message. */
      readonly open: (call: Call) => (request: Buffer) => Buffer | GrpcStatus;
      /** False for methods whose answers go on after the client's last message. */
      readonly endsWithClient: boolean;
    };

/** As grpc-go: 4 MiB. */
const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
const PREFIX_BYTES = 5;
const CONTENT_TYPE = 'application/grpc';

/** Runs a call to its end. The stream has delivered its headers and nothing else yet. */
export function runCall(
  stream: ServerHttp2Stream,
  call: Call,
  method: Method,
  encoding: string,
): void {
  if (encoding !== '' && encoding !== 'identity') {
    const message = `grpc: Decompressor is not installed for grpc-encoding "${encoding}"`;
    return endCall(stream, { code: Code.unimplemented, message });
  }
  const onRequest =
    method.kind === 'unary' ? (request: Buffer) => method.answer(call, request) : method.open(call);
  const reader = new MessageReader();
  let isDone = false;
  const finish = (status: GrpcStatus): void => {
    isDone = true;
    endCall(stream, status);
  };
  stream.on('data', (chunk: Buffer) => {
    if (isDone) return;
    for (const request of reader.push(chunk)) {
      const answer = Buffer.isBuffer(request) ? onRequest(request) : request;
      if (!Buffer.isBuffer(answer)) return finish(answer);
      sendMessage(stream, answer);
      if (method.kind === 'unary') return finish({ code: Code.ok, message: '' });
    }
  });
  stream.on('end', () => {
    if (isDone) return;
    if (reader.isInMessage) finish({ code: Code.internal, message: 'unexpected EOF' });
    else if (method.kind === 'unary') finish({ code: Code.unknown, message: 'EOF' });
    else if (method.endsWithClient) finish({ code: Code.ok, message: '' });
  });
}

/** Ends a call: trailers after an answer, or everything in one header block (“Trailers-Only”). */
export function endCall(stream: ServerHttp2Stream, status: GrpcStatus, httpStatus = 200): void {
  if (stream.destroyed || stream.closed) return;
  const trailers = {
    'grpc-status': String(status.code),
    'grpc-message': percentEncode(status.message),
  };
  if (stream.headersSent) {
    stream.once('wantTrailers', () => stream.sendTrailers(trailers));
    stream.end();
  } else {
    stream.respond(
      { ':status': httpStatus, 'content-type': CONTENT_TYPE, ...trailers },
      { endStream: true },
    );
  }
  stream.resume();
}

function sendMessage(stream: ServerHttp2Stream, message: Buffer): void {
  if (stream.destroyed) return;
  if (!stream.headersSent) {
    stream.respond({ ':status': 200, 'content-type': CONTENT_TYPE }, { waitForTrailers: true });
  }
  const framed = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  message.copy(framed, PREFIX_BYTES);
  stream.write(framed);
}

/** Cuts the body of a stream into messages. A message that cannot be read comes out as the status to end with. */
class MessageReader {
  #pending: Buffer = Buffer.alloc(0);

  get isInMessage(): boolean {
    return this.#pending.length > 0;
  }

  *push(chunk: Buffer): Generator<Buffer | GrpcStatus, void> {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (this.#pending.length >= PREFIX_BYTES) {
      const size = this.#pending.readUInt32BE(1);
      if (this.#pending[0] !== 0) {
        yield {
          code: Code.internal,
          message: 'grpc: compressed flag set with identity or empty encoding',
        };
        return;
      }
      if (size > MESSAGE_BYTES_MAX) {
        const message = `grpc: received message larger than max (${size} vs. ${MESSAGE_BYTES_MAX})`;
        yield { code: Code.resourceExhausted, message };
        return;
      }
      if (this.#pending.length < PREFIX_BYTES + size) return;
      const message = this.#pending.subarray(PREFIX_BYTES, PREFIX_BYTES + size);
      this.#pending = this.#pending.subarray(PREFIX_BYTES + size);
      yield message;
    }
  }
}

/** Status messages travel percent-encoded: every byte outside printable ASCII, and the percent sign. */
function percentEncode(message: string): string {
  let out = '';
  for (const byte of Buffer.from(message)) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    out += isPlain
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}
