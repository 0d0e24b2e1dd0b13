// What is asked by node:http2: calls to the echo server, what the client is told and what the echo saw;
// and requests for another host than their connection was made for.

import { connect } from 'node:http2';
import { readFields } from '../../src/runtime/echo/grpc/protobuf.ts';
import type { RequestProbe } from '../../src/model/answer.ts';

export interface EchoedCall {
  readonly path: string;
  readonly host: string;
  readonly namespace: string;
  readonly service: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
}

export interface CallAnswer {
  /** The code of grpc-status, from the trailers or, without any, from the head. */
  readonly grpcStatus: number;
  /** Of the response's head, flat. */
  readonly headers: readonly string[];
  readonly echoed: EchoedCall | undefined;
}

/** An empty message, uncompressed. */
const EMPTY_MESSAGE = Buffer.alloc(5);

/** The status of a request over HTTP/2 in TLS. */
export function askH2(
  { host, target, method, serverName }: RequestProbe,
  { address, port }: { readonly address: string; readonly port: number },
): Promise<number> {
  return new Promise((resolve, reject) => {
    const session = connect(`https://${address}:${port}`, {
      rejectUnauthorized: false,
      servername: serverName ?? host,
    });
    session.once('error', reject);
    const stream = session.request({ ':method': method, ':path': target, ':authority': host });
    stream.once('error', reject);
    stream.once('response', (head) => resolve(head[':status'] ?? 0));
    stream.once('close', () => session.close());
    stream.resume();
    stream.end();
  });
}

export function callEcho(
  { scheme, host, target, headers }: RequestProbe,
  { address, port }: { readonly address: string; readonly port: number },
): Promise<CallAnswer> {
  return new Promise((resolve, reject) => {
    const session = connect(`${scheme}://${address}:${port}`, {
      rejectUnauthorized: false,
      servername: host.replace(/:\d+$/, ''),
    });
    session.once('error', reject);
    const stream = session.request({
      ':method': 'POST',
      ':path': target,
      ':authority': host,
      te: 'trailers',
      ...Object.fromEntries(headers),
    });
    let head: Record<string, unknown> = {};
    let trailers: Record<string, unknown> = {};
    const chunks: Buffer[] = [];
    stream.on('response', (received) => (head = received));
    stream.on('trailers', (received) => (trailers = received));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.once('error', reject);
    stream.once('close', () => {
      session.close();
      const status = trailers['grpc-status'] ?? head['grpc-status'];
      if (typeof status !== 'string') {
        reject(new Error(`no grpc-status: ${JSON.stringify(head)}`));
        return;
      }
      const flat = Object.entries(head).flatMap(([name, value]) => [name, String(value)]);
      const echoed = status === '0' ? readEcho(Buffer.concat(chunks)) : undefined;
      resolve({ grpcStatus: Number(status), headers: flat, echoed });
    });
    stream.end(EMPTY_MESSAGE);
  });
}

function readEcho(body: Buffer): EchoedCall {
  const assertions = field(body.subarray(EMPTY_MESSAGE.length), 1);
  const context = field(assertions, 4);
  const headers: Record<string, string[]> = {};
  for (const { number, value } of readFields(assertions) ?? []) {
    if (number !== 2 || !Buffer.isBuffer(value)) continue;
    (headers[field(value, 1).toString()] ??= []).push(field(value, 2).toString());
  }
  return {
    path: field(assertions, 1).toString(),
    host: field(assertions, 3).toString(),
    namespace: field(context, 1).toString(),
    service: field(context, 3).toString(),
    headers,
  };
}

function field(message: Buffer, wanted: number): Buffer {
  const found = (readFields(message) ?? []).find(({ number }) => number === wanted);
  return found !== undefined && Buffer.isBuffer(found.value) ? found.value : Buffer.alloc(0);
}
