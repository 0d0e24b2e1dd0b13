// fairway up --take-over: one process in the place of another, under load.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { Server } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { BIN, ownEnvironment } from '../support/fairway.ts';

const HANDOVERS = 2;
const WORKERS = 2;
const SLOW_MS = 500;

describe('fairway up --take-over', () => {
  const home = mkdtempSync(join(tmpdir(), 'fairway-over-'));
  const path = join(home, 'objects.yaml');
  const running: ChildProcess[] = [];
  let backend: Server;

  before(async () => {
    backend = createServer((incoming, response) => {
      setTimeout(() => response.end(incoming.url), incoming.url === '/slow' ? SLOW_MS : 0);
    });
    await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
    writeFileSync(path, objects((backend.address() as AddressInfo).port));
  });

  after(() => {
    for (const child of running) child.kill('SIGKILL');
    backend.closeAllConnections();
    backend.close();
    rmSync(home, { recursive: true, force: true });
  });

  /** Starts it and gives its first URL once it is ready. */
  async function start(...flags: string[]): Promise<{ child: ChildProcess; url: string }> {
    const args = ['up', path, '--no-pods', '-o', 'json', '--workers', String(WORKERS), ...flags];
    const child = spawn(BIN, args, { env: ownEnvironment(home) });
    running.push(child);
    let said = '';
    child.stderr.on('data', (bytes: Buffer) => (said += String(bytes)));
    const line = await Promise.race([
      once(child.stdout, 'data').then(([bytes]) => String(bytes)),
      once(child, 'exit').then(() => Promise.reject(new Error(said))),
    ]);
    const [gateway] = Object.values(
      JSON.parse(line) as Record<string, { listeners: Record<string, { url: string }> }>,
    );
    return { child, url: Object.values(gateway!.listeners)[0]!.url };
  }

  function ask(url: string): Promise<string> {
    return new Promise((resolve, reject) => {
      get(url, { agent: false }, (response) => {
        let text = '';
        response.on('data', (bytes: Buffer) => (text += String(bytes)));
        response.on('end', () => resolve(text));
        response.on('error', reject);
      }).on('error', reject);
    });
  }

  it('starts like any other where none runs, and then again in its own place', async () => {
    let { child, url } = await start('--no-api', '--take-over');
    let isEnding = false;
    let asked = 0;
    const failures: string[] = [];
    const load = (async (): Promise<void> => {
      while (!isEnding) {
        const place = asked++ % 10 === 0 ? '/slow' : '/quick';
        const answer = await ask(url + place).catch(String);
        if (answer !== place) failures.push(answer);
      }
    })();
    for (let i = 0; i < HANDOVERS; i++) {
      const before_ = child;
      const exited = once(before_, 'exit');
      const next = await start('--no-api', '--take-over');
      assert.equal(next.url, url);
      child = next.child;
      const [code] = await exited;
      assert.equal(code, 0);
    }
    isEnding = true;
    await load;
    // Where the kernel does not hand over what waits in the queue of a listener, each may cut one.
    assert.ok(failures.length <= HANDOVERS * WORKERS, failures.join('\n'));
    for (const failure of failures) assert.match(failure, /ECONNRESET/);
    assert.ok(asked > HANDOVERS);
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  });

  it('does not take the place of one that serves the API, which goes on', async () => {
    const { child, url } = await start('--fresh', '--api-port', '0');
    await assert.rejects(start('--no-api', '--take-over'), /FW_NOT_LEFT/);
    assert.equal(await ask(`${url}/quick`), '/quick');
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  });

  it('says what cannot be handed over, and what is no process', async () => {
    await assert.rejects(start('--take-over'), /--no-pods and --no-api/);
    await assert.rejects(start('--no-api', '--take-over=x'), /is not a process/);
    await assert.rejects(start('--no-api', '--take-over=1'), /no Fairway of yours/);
  });
});

function objects(port: number): string {
  return `
apiVersion: gateway.networking.k8s.io/v1
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
  rules: [{ backendRefs: [{ name: back, port: 80 }] }]
---
apiVersion: v1
kind: Service
metadata: { name: back, namespace: default, annotations: { fairway.dev/address: 'localhost:${port}' } }
spec: { ports: [{ port: 80 }] }
`;
}
