// echo-advanced over gRPC: proto.EchoTestService/Echo answers with the same kind of lines as HTTP. ForwardEcho, by
// which Istio's framework makes an app send requests, is not served; the `client` command does that here.

import { isUtf8 } from 'node:buffer';
import { Code, type Call, type GrpcStatus } from '../grpc/call.ts';
import type { FileSpec } from '../grpc/descriptor.ts';
import { bytesField, readFields, readString } from '../grpc/protobuf.ts';
import type { Service } from '../grpc/server.ts';
import { fieldLines, ipOf, nonEmpty, type Field } from './fields.ts';
import type { Identity } from './settings.ts';

export interface AdvancedGrpc {
  readonly identity: Identity;
  readonly port: number;
  readonly log: (line: string) => void;
}

export function echoTestService(server: AdvancedGrpc): Service {
  return {
    name: 'proto.EchoTestService',
    file: FILE,
    methods: { Echo: { kind: 'unary', answer: (call, request) => echo(call, request, server) } },
  };
}

function echo(
  call: Call,
  request: Buffer,
  { identity, port, log }: AdvancedGrpc,
): Buffer | GrpcStatus {
  const fields = readFields(request);
  if (fields === undefined)
    return { code: Code.internal, message: 'grpc: error unmarshalling request' };
  const message = readString(fields, 1);
  log(`GRPC Request message=${message}`);
  const lines: Field[] = [
    ...call.metadata.flatMap(({ key, value }) => metadataFields(key, value)),
    ['StatusCode', '200'],
    ['ServiceVersion', identity.version],
    ['ServicePort', String(port)],
    nonEmpty('Cluster', identity.cluster),
    ['IP', ipOf(call.peer.remote)],
    nonEmpty('IstioVersion', identity.istioVersion),
    ['Proto', 'GRPC'],
    ['Echo', message],
    ['Hostname', identity.hostname],
  ];
  return bytesField(1, fieldLines(lines));
}

function metadataFields(key: string, value: Buffer): Field[] {
  if (key.endsWith('-bin') || !isUtf8(value)) return [];
  const header: Field = ['RequestHeader', `${key}:${value.toString('utf8')}`];
  return key === ':authority' ? [['Host', value.toString('utf8')], header] : [header];
}

/** The part of Istio's echo.proto that is served. */
const FILE: FileSpec = {
  name: 'echo.proto',
  package: 'proto',
  options: [bytesField(11, '../proto')],
  messages: [
    { name: 'EchoRequest', fields: [{ name: 'message', number: 1, type: 'string' }] },
    { name: 'EchoResponse', fields: [{ name: 'message', number: 1, type: 'string' }] },
  ],
  service: {
    name: 'EchoTestService',
    methods: [{ name: 'Echo', input: 'proto.EchoRequest', output: 'proto.EchoResponse' }],
  },
};
