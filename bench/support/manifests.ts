// Kubernetes objects as YAML, for as many routes as a benchmark wants.

/** Joins objects to one file. */
export function toFile(objects: readonly string[]): string {
  return objects.join('---\n');
}

export interface GatewayOptions {
  readonly httpPort: number;
  /** With the certificate of Secret `certificate`; none when absent. */
  readonly httpsPort?: number;
}

/** The Gateway `web` and what it needs, in namespace `bench`. */
export function gateway({ httpPort, httpsPort }: GatewayOptions): string {
  const https =
    httpsPort === undefined
      ? ''
      : `    - name: https
      port: ${httpsPort}
      protocol: HTTPS
      tls:
        certificateRefs:
          - name: certificate
`;
  return `apiVersion: v1
kind: Namespace
metadata:
  name: bench
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: web
  namespace: bench
spec:
  gatewayClassName: fairway
  listeners:
    - name: http
      port: ${httpPort}
      protocol: HTTP
${https}`;
}

/** The Secret `certificate`. */
export function secret(certificate: string, privateKey: string): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return `apiVersion: v1
kind: Secret
metadata:
  name: certificate
  namespace: bench
type: kubernetes.io/tls
data:
  tls.crt: ${base64(certificate)}
  tls.key: ${base64(privateKey)}
`;
}

/** The Service `backend`, whose one endpoint is a process that already runs. */
export function service(address: string): string {
  return `apiVersion: v1
kind: Service
metadata:
  name: backend
  namespace: bench
  annotations:
    fairway.dev/address: ${address}
spec:
  ports:
    - port: 80
`;
}

/** A route for all of a host to the Service `grpc`, whose one endpoint speaks HTTP/2. */
export function grpc(address: string, host: string): string {
  return `apiVersion: v1
kind: Service
metadata:
  name: grpc
  namespace: bench
  annotations:
    fairway.dev/address: ${address}
spec:
  ports:
    - port: 80
      appProtocol: kubernetes.io/h2c
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: grpc
  namespace: bench
spec:
  parentRefs:
    - name: web
  hostnames:
    - ${host}
  rules:
    - backendRefs:
        - name: grpc
          port: 80
`;
}

/** Where WebSockets are opened. */
export const WEB_SOCKET_HOST = 'sockets.example.test';

/** A route for WebSockets to the Service `sockets`. */
export function webSockets(address: string): string {
  return `apiVersion: v1
kind: Service
metadata:
  name: sockets
  namespace: bench
  annotations:
    fairway.dev/address: ${address}
spec:
  ports:
    - port: 80
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: sockets
  namespace: bench
spec:
  parentRefs:
    - name: web
  hostnames:
    - ${WEB_SOCKET_HOST}
  rules:
    - backendRefs:
        - name: sockets
          port: 80
`;
}

/** The host of a route. */
export function hostOf(route: number): string {
  return `h${route}.example.test`;
}

/** A route for a host of its own and everything under `/app`; `version` is a field of its responses. */
export function route(index: number, version?: number): string {
  const filters =
    version === undefined
      ? ''
      : `      filters:
        - type: ResponseHeaderModifier
          responseHeaderModifier:
            set:
              - name: x-version
                value: "${version}"
`;
  return `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: route-${index}
  namespace: bench
spec:
  parentRefs:
    - name: web
  hostnames:
    - ${hostOf(index)}
  rules:
    - matches:
        - path:
            type: PathPrefix
            value: /app
${filters}      backendRefs:
        - name: backend
          port: 80
`;
}
