// Manifests that tests share, as small as they can be.

/** A Gateway `default/web` on port 80 of every host. */
export const GATEWAY = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: web }
spec:
  gatewayClassName: fairway
  listeners: [{ name: http, port: 80, protocol: HTTP }]
`;

/** An echo server and its Service, by name. */
export function echo(name: string, replicas = 1): string {
  return `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      containers:
        - name: echo
          image: registry.k8s.io/gateway-api/echo-basic:v1.5.1
          env:
            - { name: SERVICE_NAME, value: ${name} }
            - { name: POD_NAME, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
          ports: [{ containerPort: 3000 }]
---
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec:
  selector: { app: ${name} }
  ports: [{ port: 80, targetPort: 3000 }]
`;
}

/** An HTTPRoute from a path to a Service of the same namespace. */
export function route(name: string, path: string, service: string): string {
  return `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: ${name} }
spec:
  parentRefs: [{ name: web }]
  rules:
    - matches: [{ path: { value: ${path} } }]
      backendRefs: [{ name: ${service}, port: 80 }]
`;
}

/** Documents of one file. */
export function documents(...texts: readonly string[]): string {
  return texts.join('---');
}
