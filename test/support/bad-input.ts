// A thousand good routes of all kinds, and one object of every bad kind (testdata/bad): what tests of bad
// input serve.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Objects that are wrong, each with the reason it must be told, in an annotation. */
export const BAD_OBJECTS = readFileSync(
  join(import.meta.dirname, '..', '..', 'testdata', 'bad', 'objects.yaml'),
  'utf8',
);

export const REASON_ANNOTATION = 'test.fairway.dev/reason';

/** How many there are of each kind; 1,000 together. */
export const GOOD = { http: 700, grpc: 150, tls: 100, tcp: 25, udp: 25 } as const;

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

/** TCP and UDP listeners and their routes begin at these ports. */
export const TCP_PORT = 20_000;
export const UDP_PORT = 30_000;
export const TLS_PORT = 8443;

const listener = (fields: string): string => `    - { ${fields} }`;

const GATEWAYS = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: web }
spec:
  gatewayClassName: fairway
  allowedListeners: { namespaces: { from: Same } }
  listeners:
    - { name: http, port: 80, protocol: HTTP, allowedRoutes: { namespaces: { from: All } } }
    - { name: own, port: 8081, protocol: HTTP }
    - { name: host, port: 8082, protocol: HTTP, hostname: one.example }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: streams }
spec:
  gatewayClassName: fairway
  listeners:
    - { name: tls, port: ${TLS_PORT}, protocol: TLS, tls: { mode: Passthrough } }
    - { name: tls-host, port: 8444, protocol: TLS, hostname: one.example, tls: { mode: Passthrough } }
    - { name: spare-tcp, port: 19999, protocol: TCP }
    - { name: spare-udp, port: 29999, protocol: UDP }
${range(GOOD.tcp)
  .map((i) => listener(`name: tcp-${i}, port: ${TCP_PORT + i}, protocol: TCP`))
  .join('\n')}
${range(GOOD.udp)
  .map((i) => listener(`name: udp-${i}, port: ${UDP_PORT + i}, protocol: UDP`))
  .join('\n')}
`;

const service = (name: string, protocol: 'TCP' | 'UDP', port: number): string => `
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec:
  selector: { app: one }
  ports: [{ port: ${port}, targetPort: 3000, protocol: ${protocol} }]
`;

function route(kind: string, name: string, section: string, spec: string): string {
  const gateway = kind === 'HTTPRoute' || kind === 'GRPCRoute' ? 'web' : 'streams';
  return `
apiVersion: gateway.networking.k8s.io/v1
kind: ${kind}
metadata: { name: ${name} }
spec:
  parentRefs: [{ name: ${gateway}, sectionName: ${section} }]
${spec}
`;
}

const FORWARD = '  rules: [{ backendRefs: [{ name: one, port: 80 }] }]';

/** The good objects without what runs behind them, as documents. */
export function goodObjects(): readonly string[] {
  return [
    ...GATEWAYS.split('\n---\n'),
    service('one', 'TCP', 80),
    service('two', 'TCP', 80),
    service('one-udp', 'UDP', 53),
    service('two-udp', 'UDP', 53),
    ...range(GOOD.http).map((i) =>
      route(
        'HTTPRoute',
        `http-${i}`,
        'http',
        `  hostnames: [h${i % 50}.example]
  rules:
    - matches: [{ path: { value: /p${i} } }]
      filters: [{ type: RequestHeaderModifier, requestHeaderModifier: { set: [{ name: x-route, value: "${i}" }] } }]
      backendRefs: [{ name: one, port: 80 }]`,
      ),
    ),
    ...range(GOOD.grpc).map((i) =>
      route(
        'GRPCRoute',
        `grpc-${i}`,
        'http',
        `  hostnames: [g${i % 20}.example]
  rules:
    - matches: [{ method: { service: s.S${i} } }]
      backendRefs: [{ name: one, port: 80 }]`,
      ),
    ),
    ...range(GOOD.tls).map((i) =>
      route('TLSRoute', `tls-${i}`, 'tls', `  hostnames: [t${i}.example]\n${FORWARD}`),
    ),
    ...range(GOOD.tcp).map((i) => route('TCPRoute', `tcp-${i}`, `tcp-${i}`, FORWARD)),
    ...range(GOOD.udp).map((i) =>
      route(
        'UDPRoute',
        `udp-${i}`,
        `udp-${i}`,
        '  rules: [{ backendRefs: [{ name: one-udp, port: 53 }] }]',
      ),
    ),
  ];
}
