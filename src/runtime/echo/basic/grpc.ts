// echo-basic's gRPC mode: the service GrpcEcho of the conformance suite, on a plaintext HTTP/2 port and, if a
// certificate is configured, on a TLS port.

import { isUtf8 } from 'node:buffer';
import { Code, type Call, type GrpcStatus, type Method } from '../grpc/call.ts';
import type { FieldSpec, FileSpec } from '../grpc/descriptor.ts';
import { bytesField, messageField, readFields } from '../grpc/protobuf.ts';
import { grpcStreams, type Service } from '../grpc/server.ts';
import { openStreamPort } from '../http-port.ts';
import type { Listeners } from '../listeners.ts';
import { portFromEnv, type EchoPod } from '../pod.ts';
import { readKeyPair, serverOptions, type TlsFacts } from '../tls.ts';
import { podContext, type PodContext } from './context.ts';

const HTTP_PORT = 3000;
const HTTPS_PORT = 8443;
const PACKAGE = 'gateway_api_conformance.echo_basic.grpcecho';
const SERVICE = `${PACKAGE}.GrpcEcho`;

export async function startGrpcMode(pod: EchoPod, listeners: Listeners): Promise<void> {
  const { log } = pod;
  const onStream = grpcStreams([echoService(pod)]);
  const port = portFromEnv(pod, 'HTTP_PORT', HTTP_PORT);
  await openStreamPort(listeners, { port, onStream, log });
  log(`plaintext server listening at ${pod.address}:${port}`);

  // TLS_SERVER_PRIV_KEY with two underscores: the real program spells it so in this mode and otherwise in HTTP mode.
  const { TLS_SERVER_CERT: cert, TLS_SERVER_PRIV_KEY: key } = pod.env;
  if (!cert || !key) return;
  const tls = serverOptions(await readKeyPair(pod, cert, key));
  const tlsPort = portFromEnv(pod, 'HTTPS_PORT', HTTPS_PORT);
  await openStreamPort(listeners, { port: tlsPort, tls, onStream, log });
  log(`secure server listening at ${pod.address}:${tlsPort}`);
}

function echoService(pod: EchoPod): Service {
  const context = podContext(pod);
  const echo: Method = {
    kind: 'unary',
    answer: (call, request) => {
      if (readFields(request) === undefined) return UNREADABLE;
      pod.log(`Received over ${call.peer.tls === undefined ? 'plaintext' : 'TLS'}: `);
      return echoResponse(call, context);
    },
  };
  const unimplemented: Method = {
    kind: 'unary',
    answer: () => ({ code: Code.unimplemented, message: 'method EchoThree not implemented' }),
  };
  return {
    name: SERVICE,
    file: FILE,
    methods: { Echo: echo, EchoTwo: echo, EchoThree: unimplemented },
  };
}

const UNREADABLE: GrpcStatus = {
  code: Code.internal,
  message: 'grpc: error unmarshalling request: proto: cannot parse invalid wire-format data',
};

/** proto3 strings are UTF-8; a header that is not makes the real server fail in this way. */
const NOT_UTF8: GrpcStatus = {
  code: Code.internal,
  message: 'grpc: error while marshaling: string field contains invalid UTF-8',
};

function echoResponse(call: Call, context: PodContext): Buffer | GrpcStatus {
  if (!call.metadata.every((entry) => isUtf8(entry.value))) return NOT_UTF8;
  const authority = call.metadata.find((entry) => entry.key === ':authority')?.value ?? '';
  return messageField(1, [
    bytesField(1, call.path),
    ...call.metadata.map((entry) =>
      messageField(2, [bytesField(1, entry.key), bytesField(2, entry.value)]),
    ),
    bytesField(3, authority),
    messageField(4, [
      bytesField(1, context.namespace),
      bytesField(2, context.ingress),
      bytesField(3, context.service),
      bytesField(4, context.pod),
    ]),
    ...(call.peer.tls === undefined ? [] : [messageField(5, tlsAssertions(call.peer.tls))]),
  ]);
}

function tlsAssertions(facts: TlsFacts): Buffer[] {
  return [
    bytesField(1, facts.version),
    bytesField(2, facts.negotiatedProtocol),
    bytesField(3, facts.serverName),
    bytesField(4, facts.cipherSuite),
    ...facts.peerCertificates.map((certificate) => bytesField(5, certificate)),
  ];
}

const text = (name: string, number: number): FieldSpec => ({ name, number, type: 'string' });
const of = (name: string, number: number, message: string): FieldSpec => {
  return { name, number, type: { message: `${PACKAGE}.${message}` } };
};

const FILE: FileSpec = {
  name: 'grpcecho.proto',
  package: PACKAGE,
  options: [bytesField(11, 'sigs.k8s.io/gateway-api/conformance/echo-basic/grpcechoserver')],
  messages: [
    { name: 'Header', fields: [text('key', 1), text('value', 2)] },
    {
      name: 'Context',
      fields: [text('namespace', 1), text('ingress', 2), text('service_name', 3), text('pod', 4)],
    },
    {
      name: 'TLSAssertions',
      fields: [
        text('version', 1),
        text('negotiated_protocol', 2),
        text('server_name', 3),
        text('cipher_suite', 4),
        { ...text('peer_certificates', 5), repeated: true },
      ],
    },
    {
      name: 'Assertions',
      fields: [
        text('fully_qualified_method', 1),
        { ...of('headers', 2, 'Header'), repeated: true },
        text('authority', 3),
        of('context', 4, 'Context'),
        of('tls_assertions', 5, 'TLSAssertions'),
      ],
    },
    { name: 'EchoRequest', fields: [] },
    {
      name: 'EchoResponse',
      fields: [of('assertions', 1, 'Assertions'), of('request', 2, 'EchoRequest')],
    },
  ],
  service: {
    name: 'GrpcEcho',
    methods: ['Echo', 'EchoTwo', 'EchoThree'].map((name) => ({
      name,
      input: `${PACKAGE}.EchoRequest`,
      output: `${PACKAGE}.EchoResponse`,
      braces: true,
    })),
  },
};
