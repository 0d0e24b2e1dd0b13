// `fairway up` before one backend that runs already, without pods and the API: a Gateway with one port.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { BIN, ownEnvironment } from './fairway.ts';

export interface PlainUp {
  readonly child: ChildProcess;
  readonly url: string;
}

export interface PlainUpOptions {
  /** Flags of `fairway up`, after the path. */
  readonly flags: readonly string[];
  /** Files and sockets it may have open. */
  readonly descriptors?: number;
}

/** Starts it on the objects in `home` and gives its URL once it is ready; rejects with what it says. */
export async function startPlain(
  home: string,
  { flags, descriptors }: PlainUpOptions,
): Promise<PlainUp> {
  const args = ['up', join(home, 'objects.yaml'), '--no-pods', '-o', 'json', ...flags];
  const limit = descriptors === undefined ? '' : `ulimit -n ${descriptors}; `;
  const child = spawn('sh', ['-c', `${limit}exec "$0" "$@"`, BIN, ...args], {
    env: ownEnvironment(home),
  });
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => (said += String(bytes)));
  const line = await Promise.race([
    once(child.stdout, 'data').then(([bytes]) => String(bytes)),
    once(child, 'exit').then(() => Promise.reject(new Error(said))),
  ]);
  const gateways = JSON.parse(line) as Record<
    string,
    { listeners: Record<string, { url: string }> }
  >;
  const [listener] = Object.values(gateways).flatMap(({ listeners }) => Object.values(listeners));
  return { child, url: listener?.url ?? '' };
}

/** The body of the answer to a GET on a connection of its own. */
export function askPlain(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      let text = '';
      response.on('data', (bytes: Buffer) => (text += String(bytes)));
      response.on('end', () => resolve(text));
      response.on('error', reject);
    }).on('error', reject);
  });
}

/** Everything goes to a port of this machine. */
export function writePlainObjects(home: string, port: number): void {
  writeFileSync(
    join(home, 'objects.yaml'),
    `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: fairway }
spec: { controllerName: fairway.dev/gateway }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: web, namespace: default }
spec:
  gatewayClassName: fairway
  listeners: [{ name: http, port: 18080, protocol: HTTP }]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: all, namespace: default }
spec:
  parentRefs: [{ name: web }]
  rules: [{ backendRefs: [{ name: back, port: 80 }], timeouts: { request: 2s } }]
---
apiVersion: v1
kind: Service
metadata: { name: back, namespace: default, annotations: { fairway.dev/address: 'localhost:${port}' } }
spec: { ports: [{ port: 80 }] }
`,
  );
}
