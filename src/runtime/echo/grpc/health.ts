// grpc.health.v1.Health, the service gRPC probes ask. The whole server is always serving; single services are unknown.
// https://github.com/grpc/grpc/blob/master/doc/health-checking.md

import { Code, type GrpcStatus } from './call.ts';
import type { FileSpec } from './descriptor.ts';
import { bytesField, readFields, readString, varintField } from './protobuf.ts';
import type { Service } from './server.ts';

const PACKAGE = 'grpc.health.v1';
const SERVING = 1;
const SERVICE_UNKNOWN = 3;

export function healthService(): Service {
  return {
    name: `${PACKAGE}.Health`,
    file: FILE,
    methods: {
      Check: { kind: 'unary', answer: (_call, request) => check(request) },
      // A watcher gets the status once; it never changes.
      Watch: { kind: 'streaming', endsWithClient: false, open: () => watch },
    },
  };
}

function check(request: Buffer): Buffer | GrpcStatus {
  return serviceName(request) === ''
    ? varintField(1, SERVING)
    : { code: Code.notFound, message: 'unknown service' };
}

function watch(request: Buffer): Buffer {
  return varintField(1, serviceName(request) === '' ? SERVING : SERVICE_UNKNOWN);
}

function serviceName(request: Buffer): string {
  return readString(readFields(request) ?? [], 1);
}

const FILE: FileSpec = {
  name: 'grpc/health/v1/health.proto',
  package: PACKAGE,
  options: [bytesField(11, 'google.golang.org/grpc/health/grpc_health_v1')],
  messages: [
    { name: 'HealthCheckRequest', fields: [{ name: 'service', number: 1, type: 'string' }] },
    {
      name: 'HealthCheckResponse',
      fields: [
        {
          name: 'status',
          number: 1,
          type: { enum: `${PACKAGE}.HealthCheckResponse.ServingStatus` },
        },
      ],
      enums: [
        { name: 'ServingStatus', values: ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] },
      ],
    },
  ],
  service: {
    name: 'Health',
    methods: [
      {
        name: 'Check',
        input: `${PACKAGE}.HealthCheckRequest`,
        output: `${PACKAGE}.HealthCheckResponse`,
      },
      {
        name: 'Watch',
        input: `${PACKAGE}.HealthCheckRequest`,
        output: `${PACKAGE}.HealthCheckResponse`,
        serverStreams: true,
      },
    ],
  },
};
