// Takes HTTP/2 streams for a set of gRPC services: checks the request as grpc-go does, finds the method and runs it.

import type { ServerHttp2Stream } from 'node:http2';
import type { Peer } from '../exchange.ts';
import type { Http2StreamHandler } from '../http-port.ts';
import { Code, endCall, runCall, type MetadataEntry, type Method } from './call.ts';
import type { FileSpec } from './descriptor.ts';
import { reflectionServices } from './reflection.ts';

export interface Service {
  /** Full name: `package.Service`. */
  readonly name: string;
  readonly methods: Readonly<Record<string, Method>>;
  /** The .proto the service comes from, for reflection. */
  readonly file: FileSpec;
}

/** A handler for the streams of one port. Server reflection (v1 and v1alpha) is added to the services given. */
export function grpcStreams(services: readonly Service[]): Http2StreamHandler {
  const all = [...services, ...reflectionServices(services)];
  const methods = new Map<string, Method>();
  for (const service of all) {
    for (const [name, method] of Object.entries(service.methods))
      methods.set(`/${service.name}/${name}`, method);
  }
  const names = new Set(all.map((service) => service.name));
  return (stream, rawHeaders, peer) => {
    const request = readRequest(rawHeaders);
    const refusal = refuse(request);
    if (refusal !== undefined) return endCall(stream, refusal.status, refusal.httpStatus);
    const method = methods.get(request.path);
    if (method === undefined) return endCall(stream, unknownMethod(request.path, names));
    serve(stream, request, method, peer);
  };
}

interface GrpcRequest {
  readonly path: string;
  readonly httpMethod: string;
  readonly contentType: string;
  readonly encoding: string;
  readonly metadata: readonly MetadataEntry[];
}

function serve(stream: ServerHttp2Stream, request: GrpcRequest, method: Method, peer: Peer): void {
  runCall(
    stream,
    { path: request.path, metadata: request.metadata, peer },
    method,
    request.encoding,
  );
}

/** Headers of the protocol itself, which a handler's metadata does not show. */
const RESERVED = new Set([
  'grpc-encoding',
  'grpc-message',
  'grpc-message-type',
  'grpc-status',
  'grpc-timeout',
  'te',
]);

function readRequest(rawHeaders: readonly string[]): GrpcRequest {
  const own = { path: '', httpMethod: '', contentType: '', encoding: '' };
  const metadata: MetadataEntry[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const key = rawHeaders[at] ?? '';
    const value = rawHeaders[at + 1] ?? '';
    if (key === ':path') own.path = value;
    else if (key === ':method') own.httpMethod = value;
    else if (key === 'content-type') own.contentType = value;
    else if (key === 'grpc-encoding') own.encoding = value;
    const isOwn = RESERVED.has(key) || (key.startsWith(':') && key !== ':authority');
    if (!isOwn) metadata.push({ key, value: metadataValue(key, value) });
  }
  return { ...own, metadata: withAuthority(metadata) };
}

/** RFC 9113 lets a client send Host instead of :authority; a gRPC server takes it for that, and drops it beside one. */
function withAuthority(metadata: readonly MetadataEntry[]): readonly MetadataEntry[] {
  const hasAuthority = metadata.some((entry) => entry.key === ':authority');
  return metadata.flatMap((entry) => {
    if (entry.key !== 'host') return [entry];
    return hasAuthority ? [] : [{ key: ':authority', value: entry.value }];
  });
}

function metadataValue(key: string, value: string): Buffer {
  return Buffer.from(value, key.endsWith('-bin') ? 'base64' : 'latin1');
}

function refuse(request: GrpcRequest) {
  if (!/^application\/grpc($|[+;])/i.test(request.contentType)) {
    const message = `invalid gRPC request content-type "${request.contentType}"`;
    return { status: { code: Code.invalidArgument, message }, httpStatus: 415 };
  }
  if (request.httpMethod !== 'POST') {
    const message = `Received a HEADERS frame with :method "${request.httpMethod}" which should be POST`;
    return { status: { code: Code.internal, message }, httpStatus: 405 };
  }
  return undefined;
}

function unknownMethod(path: string, services: ReadonlySet<string>) {
  const slash = path.lastIndexOf('/');
  if (!path.startsWith('/') || slash === 0) {
    return { code: Code.unimplemented, message: `malformed method name: ${JSON.stringify(path)}` };
  }
  const service = path.slice(1, slash);
  const message = services.has(service)
    ? `unknown method ${path.slice(slash + 1)} for service ${service}`
    : `unknown service ${service}`;
  return { code: Code.unimplemented, message };
}
