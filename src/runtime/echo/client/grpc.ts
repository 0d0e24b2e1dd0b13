// The echo client over gRPC: calls proto.EchoTestService/Echo, all requests on one connection.

import type { IncomingHttpHeaders, IncomingHttpStatusHeader } from 'node:http2';
import { formatDuration } from '../duration.ts';
import { bytesField, readFields, readString } from '../grpc/protobuf.ts';
import { connectHttp2 } from './http.ts';
import { bodyLines, line, type Sender, type SenderContext } from './sender.ts';

const PREFIX_BYTES = 5;

type ResponseHeaders = IncomingHttpHeaders & IncomingHttpStatusHeader;

interface Reply {
  readonly headers: ResponseHeaders;
  readonly message: string;
}

export function grpcSender(context: SenderContext): Sender {
  const session = connectHttp2(context);
  const { request } = context;
  const call = (): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const stream = session.request({ ...callHeaders(context) }, { signal: context.signal });
      const chunks: Buffer[] = [];
      let headers: ResponseHeaders = {};
      let trailers: IncomingHttpHeaders = {};
      stream.on('response', (received) => (headers = received));
      stream.on('trailers', (received) => (trailers = received));
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', (error) => reject(unavailable(error.message)));
      stream.on('end', () => {
        const error = callError(headers, trailers);
        if (error !== undefined) reject(error);
        else resolve({ headers, message: readMessage(Buffer.concat(chunks)) });
      });
      stream.end(frame(bytesField(1, request.message)));
    });
  return {
    close: () => session.destroy(),
    async send(index, active) {
      const startedMs = performance.now();
      const reply = await call();
      return (
        line(index, 'Latency', formatDuration(performance.now() - startedMs)) +
        line(index, 'ActiveRequests', String(active)) +
        bodyLines(index, reply.message) +
        metadataLines(index, reply.headers)
      );
    },
  };
}

function callHeaders({ request, tls }: SenderContext): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {
    ':method': 'POST',
    ':scheme': tls === undefined ? 'http' : 'https',
    ':authority': request.hostHeader || request.authority,
    ':path': '/proto.EchoTestService/Echo',
    'content-type': 'application/grpc',
    'user-agent': 'grpc-go/fairway',
    te: 'trailers',
  };
  for (const [name, value] of request.headers) headers[name.toLowerCase()] = value;
  return headers;
}

function frame(message: Buffer): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

function readMessage(body: Buffer): string {
  const fields = readFields(
    body.subarray(
      PREFIX_BYTES,
      PREFIX_BYTES + (body.length < PREFIX_BYTES ? 0 : body.readUInt32BE(1)),
    ),
  );
  return readString(fields ?? [], 1);
}

/** gRPC's reading of a response without status: https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md */
const CODE_OF_HTTP: Readonly<Record<number, string>> = {
  400: 'Internal',
  401: 'Unauthenticated',
  403: 'PermissionDenied',
  404: 'Unimplemented',
  429: 'Unavailable',
  502: 'Unavailable',
  503: 'Unavailable',
  504: 'Unavailable',
};
const CODE_NAMES = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
];

function callError(headers: ResponseHeaders, trailers: IncomingHttpHeaders): Error | undefined {
  const status = String(trailers['grpc-status'] ?? headers['grpc-status'] ?? '');
  const httpStatus = headers[':status'] ?? 0;
  if (status === '0') return undefined;
  const code =
    status === ''
      ? (CODE_OF_HTTP[httpStatus] ?? 'Unknown')
      : (CODE_NAMES[Number(status)] ?? `Code(${status})`);
  const message = trailers['grpc-message'] ?? headers['grpc-message'];
  const text =
    message === undefined
      ? `unexpected HTTP status code received from server: ${httpStatus}`
      : String(message);
  return new Error(`rpc error: code = ${code} desc = ${text}`);
}

function unavailable(message: string): Error {
  return new Error(`rpc error: code = Unavailable desc = ${message}`);
}

/** The response's metadata: its headers without those of HTTP/2 and gRPC themselves. */
function metadataLines(index: number, headers: IncomingHttpHeaders): string {
  const shown = Object.entries(headers).filter(
    ([name]) => !name.startsWith(':') && !name.startsWith('grpc-'),
  );
  return shown
    .map(([name, value]) => line(index, 'ResponseHeader', `${name}:${String(value)}`))
    .join('');
}
