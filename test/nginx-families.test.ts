// Families of annotations, a table of Ingresses and requests each, asked of plain nginx and of Fairway's
// data path, both by real sockets: status, headers, and what the backend saw must be the same.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { admit } from '../src/api/admit.ts';
import { ConfigMap } from '../src/api/core/config-map.ts';
import { Secret } from '../src/api/core/secret.ts';
import { Service } from '../src/api/core/service.ts';
import { IngressClass } from '../src/api/networking/ingress-class.ts';
import { Ingress } from '../src/api/networking/ingress.ts';
import { readConfig } from '../src/resolve/ingress/nginx/config.ts';
import { buildServers } from '../src/resolve/ingress/nginx/servers.ts';
import { createResolver } from '../src/resolve/resolve.ts';
import { Store } from '../src/store/store.ts';
import type { Snapshot } from '../src/store/snapshot.ts';
import type { Backend, Model } from '../src/model/model.ts';
import { backendOf, listenAny, newProxy, serve } from '../src/targets/proxy/testing/rig.ts';
import { FAILING, renderNginx } from './support/nginx-template.ts';
import { FAMILIES } from './support/nginx-families.ts';
import type { Asked, Family } from './support/nginx-families.ts';

const NGINX = '/usr/sbin/nginx';
const skip = existsSync(NGINX) ? false : 'nginx is not installed';
const CASES_MIN = 100;

/** failing: answers for the default backend. */
const SERVICES = ['a', 'b', ...Array.from({ length: 7 }, (_, i) => `m${i}`), 'failing'];

/** Fields of responses that are compared. */
const COMPARED = /^(?:location|set-cookie|www-authenticate|access-control-.*|refresh|x-answered)$/;

/** Answers with what it saw; fields of the request say what else is in the response. */
function echo(name: string): Server {
  return createServer((incoming, response) => {
    let bytes = 0;
    incoming.on('data', (chunk: Buffer) => (bytes += chunk.length));
    incoming.on('end', () => {
      const { headers, url, method } = incoming;
      const { 'x-answer': answer, 'x-give-cookie': cookie, 'x-give-location': location } = headers;
      response.statusCode = answer === undefined ? 200 : Number(answer);
      if (cookie !== undefined) response.setHeader('set-cookie', String(cookie).split('~'));
      if (location !== undefined) response.setHeader('location', location);
      const { host, authorization, 'x-forwarded-prefix': prefix, 'x-real-ip': client } = headers;
      response.end(
        JSON.stringify({ name, method, url, host, authorization, prefix, client, bytes }),
      );
    });
  });
}

interface Outcome {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly seen?: unknown;
}

function ask(port: number, { method = 'GET', host, target, headers = {}, body }: Asked) {
  return new Promise<Outcome>((resolve, reject) => {
    const chunked = body?.chunked === true;
    const length = body === undefined || chunked ? {} : { 'content-length': String(body.bytes) };
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        method,
        path: target,
        headers: {
          host,
          ...headers,
          ...length,
          ...(chunked ? { 'transfer-encoding': 'chunked' } : {}),
        },
        agent: false,
      },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => {
          const compared = Object.entries(response.headers).filter(([name]) => COMPARED.test(name));
          const isEchoed = text.startsWith('{"name"');
          resolve({
            status: response.statusCode ?? 0,
            headers: Object.fromEntries(compared.toSorted(([a], [b]) => (a < b ? -1 : 1))),
            ...(isEchoed ? { seen: JSON.parse(text) as unknown } : {}),
          });
        });
      },
    );
    // Whoever is refused before all of the body was read may be reset.
    asked.on('error', reject);
    if (body !== undefined) asked.write(Buffer.alloc(body.bytes, 'x'));
    asked.end();
  });
}

function snapshotOf(family: Family): Snapshot {
  const store = new Store({
    now: () => new Date(0),
    newUid: (k, ns, name) => `${k.kind}/${ns}/${name}`,
  });
  const objects: { kind: unknown; written: unknown }[] = [
    ...SERVICES.map((name) => ({
      kind: Service,
      written: {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name, namespace: 'default' },
        spec: { clusterIP: '10.0.0.1', ports: [{ port: 80, protocol: 'TCP' }] },
      },
    })),
    {
      kind: IngressClass,
      written: {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'IngressClass',
        metadata: { name: 'nginx' },
        spec: { controller: 'k8s.io/ingress-nginx' },
      },
    },
    {
      kind: ConfigMap,
      written: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'ingress-nginx-controller', namespace: 'ingress-nginx' },
        data: family.options ?? {},
      },
    },
    {
      kind: Secret,
      written: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'users', namespace: 'default' },
        data: { auth: Buffer.from(USERS).toString('base64') },
      },
    },
    ...family.ingresses.map(({ host, annotations, paths, service = 'a' }, i) => ({
      kind: Ingress,
      written: {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata: {
          name: `i${i}`,
          namespace: 'default',
          annotations: Object.fromEntries(
            Object.entries(annotations).map(([name, value]) => [
              `nginx.ingress.kubernetes.io/${name}`,
              value,
            ]),
          ),
        },
        spec: {
          ingressClassName: 'nginx',
          rules: [
            {
              host,
              http: {
                paths: (paths ?? ['/']).map((path) => ({
                  path,
                  pathType: 'ImplementationSpecific',
                  backend: {
                    service: {
                      name: service,
                      port: { number: 80 },
                    },
                  },
                })),
              },
            },
          ],
        },
      },
    })),
  ];
  store.write(
    objects.map(({ kind, written }) => ({
      op: 'put',
      kind,
      object: admit(kind as never, written as never).object,
    })) as never,
  );
  return store.snapshot();
}

const USERS = `joe:{SHA}${createHash('sha1').update('secret').digest('base64')}\nann:{PLAIN}pass\n`;

/** The model at a port of the test's own, with backends of its own. */
function placed(model: Model, port: number, ports: ReadonlyMap<string, number>): Model {
  const backends = new Map<string, Backend>();
  for (const [key, backend] of model.backends) {
    const name = /^Service default\/(\w+):/.exec(key)?.[1] ?? '';
    const { endpoints } = backendOf(key, 'http', [ports.get(name) ?? 1]);
    backends.set(key, { ...backend, endpoints });
  }
  const entryPoints = model.entryPoints
    .filter(({ protocol }) => protocol === 'http')
    .map((entryPoint) => ({ ...entryPoint, addresses: ['127.0.0.1'], port }));
  return { ...model, backends, entryPoints };
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenAny(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

describe('ingress-nginx, by families of annotations', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'fairway-families-'));
  // The workers of nginx are somebody else.
  chmodSync(directory, 0o755);
  const servers = new Map(SERVICES.map((name) => [name, echo(name)]));
  const ports = new Map<string, number>();
  for (const [name, server] of servers) ports.set(name, await listenAny(server));
  after(() => {
    for (const server of servers.values()) {
      server.close();
      server.closeAllConnections();
    }
    rmSync(directory, { recursive: true, force: true });
  });
  writeFileSync(join(directory, 'users'), USERS);

  async function startNginx(snapshot: Snapshot): Promise<{ port: number; process: ChildProcess }> {
    const port = await freePort();
    const config = readConfig(snapshot.get(ConfigMap, 'ingress-nginx', 'ingress-nginx-controller'));
    const origin = { kind: 'Ingress', namespace: '', name: '', field: '' };
    const { servers: written } = buildServers(snapshot.list(Ingress), config, origin);
    const text = renderNginx(written, {
      config,
      listen: `127.0.0.1:${port}`,
      hasTls: () => false,
      addressOf: (backend) =>
        `127.0.0.1:${ports.get(backend === FAILING ? 'failing' : (backend.ref.service?.name ?? ''))}`,
      directory,
      passwordFile: () => join(directory, 'users'),
    });
    const file = join(directory, 'nginx.conf');
    writeFileSync(file, text);
    const process = spawn(NGINX, ['-p', directory, '-c', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let errors = '';
    process.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    for (let i = 0; i < 300; i++) {
      if (process.exitCode !== null) throw new Error(`nginx does not run: ${errors}\n${text}`);
      if (await canConnect(port)) return { port, process };
      await delay(10);
    }
    throw new Error(`nginx does not listen: ${errors}`);
  }

  for (const family of FAMILIES) {
    const isOwn = family.expects !== undefined;
    it(family.name, { skip: isOwn ? false : skip }, async (t) => {
      const snapshot = snapshotOf(family);
      const { model } = createResolver({ gatewayCidr: '127.80.0.0/17', adoptedClasses: [] })(
        snapshot,
      );
      const port = await freePort();
      const proxy = newProxy();
      const nginx = isOwn ? undefined : await startNginx(snapshot);
      try {
        await serve(proxy, placed(model, port, ports));
        const wrong: unknown[] = [];
        let count = 0;
        for (const asked of family.requests) {
          const said = nginx === undefined ? family.expects?.(asked) : await ask(nginx.port, asked);
          const answered = await ask(port, asked);
          count++;
          const found =
            nginx === undefined
              ? { status: answered.status, name: (answered.seen as { name?: string })?.name }
              : withoutFailing(answered);
          const expected = nginx === undefined ? said : withoutFailing(said as Outcome);
          try {
            assert.deepEqual(found, expected);
          } catch {
            wrong.push({ asked, found, expected });
          }
        }
        t.diagnostic(`${family.name}: ${count} requests compared`);
        assert.deepEqual(
          wrong.slice(0, 3).map((w) => JSON.stringify(w)),
          [],
          `${wrong.length} of ${count} differ`,
        );
        assert.ok(count >= CASES_MIN, `${count} cases`);
      } finally {
        nginx?.process.kill('SIGTERM');
        await proxy.stop(0);
      }
    });
  }
});

/** The place that answers for the default backend is nginx's alone. */
function withoutFailing(outcome: Outcome): Outcome {
  const { seen, ...rest } = outcome;
  return (seen as { name?: string } | undefined)?.name === 'failing' || seen === undefined
    ? rest
    : outcome;
}
