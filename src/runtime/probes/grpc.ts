// One call of the gRPC health protocol (grpc.health.v1.Health/Check) over node:http2. The two messages
// are so small that they are written and read by hand.

import http2 from 'node:http2';
import { dialError } from './connect.ts';
import type { ProbeResult } from './connect.ts';

export interface GrpcAskOptions {
  readonly host: string;
  readonly port: number;
  readonly service?: string;
  readonly mode?: 'Plaintext' | 'TLS';
  readonly signal: AbortSignal;
}

interface Reply {
  readonly status: number;
  readonly message: string;
  readonly body: Buffer;
}

const PATH = '/grpc.health.v1.Health/Check';

/** HealthCheckResponse.ServingStatus */
const SERVING_STATUS = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
const SERVING = 1;

/** A health answer has two bytes; more than this is none. */
const BODY_BYTES_MAX = 4096;

/** Asks; rejects when there is no connection or no answer. */
export async function askGrpc(options: GrpcAskOptions): Promise<ProbeResult> {
  const reply = await call(options, requestFrame(options.service ?? ''));
  if (reply.status !== 0) {
    const detail = reply.message === '' ? '' : `: ${reply.message}`;
    return {
      ok: false,
      message: `error: this server answered with gRPC status ${reply.status}${detail}`,
    };
  }
  const serving = servingStatus(reply.body);
  if (serving === SERVING) return { ok: true };
  const text = SERVING_STATUS[serving] ?? String(serving);
  return { ok: false, message: `service unhealthy (responded with ${JSON.stringify(text)})` };
}

function call(options: GrpcAskOptions, frame: Buffer): Promise<Reply> {
  const { host, port, signal } = options;
  const scheme = options.mode === 'TLS' ? 'https' : 'http';
  return new Promise((resolve, reject) => {
    const session = http2.connect(`${scheme}://${host}:${port}`, { rejectUnauthorized: false });
    const finish = (settle: () => void): void => {
      settle();
      session.destroy();
    };
    const fail = (error: Error): void => {
      finish(() => reject(dialError(error, host, port)));
    };
    session.on('error', fail);
    const stream = session.request(
      {
        ':method': 'POST',
        ':path': PATH,
        'content-type': 'application/grpc',
        te: 'trailers',
        'user-agent': 'kube-probe/fairway',
      },
      { signal },
    );
    const chunks: Buffer[] = [];
    let bytes = 0;
    let trailers: http2.IncomingHttpHeaders = {};
    stream.on('error', fail);
    // A call refused at once has its status in the headers and no trailers.
    stream.once('response', (headers) => (trailers = headers));
    stream.once('trailers', (headers) => (trailers = { ...trailers, ...headers }));
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > BODY_BYTES_MAX) fail(new Error('the answer is too long for a health check'));
      else chunks.push(chunk);
    });
    stream.once('end', () =>
      finish(() =>
        resolve({
          status: Number(trailers['grpc-status'] ?? 2),
          message: decodeURIComponentOr(String(trailers['grpc-message'] ?? '')),
          body: Buffer.concat(chunks),
        }),
      ),
    );
    stream.end(frame);
  });
}

/** A gRPC frame (no compression, length) around HealthCheckRequest { 1: string service }. */
function requestFrame(service: string): Buffer {
  const name = Buffer.from(service, 'utf8');
  const message =
    name.length === 0
      ? Buffer.alloc(0)
      : Buffer.concat([Buffer.from([0x0a]), varint(name.length), name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** HealthCheckResponse { 1: enum status }: the tag 0x08 and one byte, or nothing for the value 0. */
function servingStatus(body: Buffer): number {
  return body.length >= 7 && body[5] === 0x08 ? (body[6] ?? 0) : 0;
}

function decodeURIComponentOr(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
