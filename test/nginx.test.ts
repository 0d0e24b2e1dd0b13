// Ingresses made by chance, asked of plain nginx with a configuration as ingress-nginx writes it, and of
// the reference and the proxy's own lookup: all three must say the same of every request.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { Server } from 'node:http';
import { connect, createServer as createTcp } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { admit } from '../src/api/admit.ts';
import { Service } from '../src/api/core/service.ts';
import { Ingress } from '../src/api/networking/ingress.ts';
import { IngressClass } from '../src/api/networking/ingress-class.ts';
import { lower } from '../src/lower/view.ts';
import { traceRequest } from '../src/model/trace.ts';
import type { RequestFate, RequestProbe } from '../src/model/answer.ts';
import { readConfig } from '../src/resolve/ingress/nginx/config.ts';
import { buildServers } from '../src/resolve/ingress/nginx/servers.ts';
import { createResolver } from '../src/resolve/resolve.ts';
import { Store } from '../src/store/store.ts';
import type { Snapshot } from '../src/store/snapshot.ts';
import { compileProxy } from '../src/targets/proxy/compile.ts';
import { traceProxy } from '../src/targets/proxy/trace.ts';
import { FAILING, renderNginx } from './support/nginx-template.ts';

const NGINX = '/usr/sbin/nginx';
const skip = existsSync(NGINX) ? false : 'nginx is not installed';

/** What a request comes to, as far as it can be seen. */
interface Outcome {
  readonly status: number;
  readonly location?: string;
  readonly backend?: string;
  readonly target?: string;
  readonly host?: string;
}

interface Asked {
  readonly method: string;
  readonly host: string;
  readonly target: string;
}

class Nginx {
  readonly #directory = mkdtempSync(join(tmpdir(), 'fairway-nginx-'));
  readonly #echo: Server;
  #process: ChildProcess | undefined;
  port = 0;

  constructor() {
    this.#echo = createServer((incoming, response) => {
      const { 'x-answer': answer, 'x-served-by': backend, host } = incoming.headers;
      response.statusCode = answer === undefined ? 200 : Number(answer);
      response.end(JSON.stringify({ target: incoming.url, backend, host }));
    });
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#echo.listen(0, '127.0.0.1', resolve));
    this.port = await freePort();
  }

  get address(): string {
    return `127.0.0.1:${(this.#echo.address() as AddressInfo).port}`;
  }

  async start(snapshot: Snapshot): Promise<void> {
    await this.stop();
    const config = readConfig(undefined);
    const origin = { kind: 'Ingress', namespace: '', name: '', field: '' };
    const { servers } = buildServers(snapshot.list(Ingress), config, origin);
    const text = renderNginx(servers, {
      config,
      listen: `127.0.0.1:${this.port}`,
      hasTls: () => false,
      addressOf: (backend) => (backend === FAILING ? this.address : this.address),
      directory: this.#directory,
    });
    const file = join(this.#directory, 'nginx.conf');
    writeFileSync(file, text);
    const process = spawn(NGINX, ['-p', this.#directory, '-c', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let errors = '';
    process.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    this.#process = process;
    for (let i = 0; i < 200; i++) {
      if (process.exitCode !== null) throw new Error(`nginx does not run: ${errors}\n${text}`);
      if (await canConnect(this.port)) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`nginx does not listen: ${errors}`);
  }

  async stop(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    if (process === undefined || process.exitCode !== null) return;
    const ended = new Promise((resolve) => process.once('exit', resolve));
    process.kill('SIGTERM');
    await ended;
  }

  async close(): Promise<void> {
    await this.stop();
    this.#echo.close();
    this.#echo.closeAllConnections();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  ask({ method, host, target }: Asked): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port: this.port,
        method,
        path: target,
        headers: { host },
      };
      const asked = request({ ...options, agent: false }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => {
          const status = response.statusCode ?? 0;
          const { location } = response.headers;
          if (location !== undefined) resolve({ status, location });
          else if (status === 200) resolve({ status, ...(JSON.parse(text) as object) });
          else resolve({ status });
        });
      });
      asked.on('error', reject);
      asked.end();
    });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createTcp().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

interface WrittenPath {
  readonly path: string;
  readonly pathType: string;
  readonly service: string;
}

interface WrittenIngress {
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly host: string;
  readonly paths: readonly WrittenPath[];
  readonly hasDefault: boolean;
}

function snapshotOf(ingresses: readonly WrittenIngress[]): Snapshot {
  const store = new Store({
    now: () => new Date(0),
    newUid: (k, ns, name) => `${k.kind}/${ns}/${name}`,
  });
  const backend = (name: string) => ({ service: { name, port: { number: 80 } } });
  const objects = [
    ...['a', 'b', 'c'].map((name) => ({
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
    ...ingresses.map(({ name, annotations, host, paths, hasDefault }) => ({
      kind: Ingress,
      written: {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata: {
          name,
          namespace: 'default',
          annotations: Object.fromEntries(
            Object.entries(annotations).map(([key, value]) => [
              `nginx.ingress.kubernetes.io/${key}`,
              value,
            ]),
          ),
        },
        spec: {
          ingressClassName: 'nginx',
          ...(hasDefault ? { defaultBackend: backend('c') } : {}),
          rules: [
            {
              ...(host === '' ? {} : { host }),
              http: {
                paths: paths.map(({ path, pathType, service }) => ({
                  path,
                  pathType,
                  backend: backend(service),
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

/** Paths without a prefix twin with and without a slash: ingress-nginx would write the same location twice. */
const PATHS = ['/', '/a', '/a/b', '/ab', '/a.c', '/A', '/x/y', '/caf\u00e9'];
const EXPRESSIONS = ['/a(/|$)(.*)', '/[a-c]+/x', '/v\\d+', '/a/(b|c)', '/foo/bar', '/(.*)', '/a$'];
const TARGETS = ['/', '/$1', '/$2', '/new/$1', '/a', '/q?x=$1'];

const annotations = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  fc.constant({ 'use-regex': 'true' }),
  fc.constantFrom(...TARGETS).map((target) => ({ 'rewrite-target': target })),
  fc.constant({ 'app-root': '/start' }),
  fc.constant({ 'permanent-redirect': 'https://new.example$request_uri' }),
  fc.constant({ 'temporal-redirect': 'https://other.example/x', 'temporal-redirect-code': '307' }),
  fc.constant({ 'force-ssl-redirect': 'true' }),
  fc.constant({ 'force-ssl-redirect': 'true', 'preserve-trailing-slash': 'true' }),
  fc.constant({ 'upstream-vhost': 'inner.example' }),
  fc.constant({ 'denylist-source-range': '127.0.0.0/8' }),
  fc.constant({ 'whitelist-source-range': '10.0.0.0/8' }),
  fc.constant({ 'enable-cors': 'true' }),
);

const written = (index: number): fc.Arbitrary<WrittenIngress> =>
  annotations.chain((said) =>
    fc.record({
      name: fc.constant(`i${index}`),
      annotations: fc.constant(said),
      host: fc.constantFrom('one.example', 'two.example', '*.wild.example', ''),
      hasDefault: fc.boolean(),
      paths: fc.uniqueArray(
        fc.record({
          path: fc.constantFrom(
            ...('use-regex' in said || 'rewrite-target' in said
              ? [...PATHS, ...EXPRESSIONS]
              : PATHS),
          ),
          pathType: fc.constantFrom('Prefix', 'Exact', 'ImplementationSpecific'),
          service: fc.constantFrom('a', 'b'),
        }),
        { minLength: 1, maxLength: 4, selector: ({ path }) => path },
      ),
    }),
  );

const INGRESSES = fc
  .integer({ min: 1, max: 4 })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, i) => written(i))));

const REQUESTS: readonly Asked[] = [
  'one.example',
  'two.example',
  'x.wild.example',
  'x.y.wild.example',
  'ONE.example:80',
  'none.example',
].flatMap((host) =>
  [
    '/',
    '/a',
    '/a/',
    '/a/b',
    '/a/b/c',
    '/ab',
    '/abc',
    '/A',
    '/a.c',
    '/axc',
    '/a/x?q=1',
    '/x/y/',
    '/x//y',
    '/a/../x/y',
    '/%61/b',
    '/a%2Fb',
    '/a%20b',
    '/v12/z',
    '/foo/barbaz',
    '/caf%C3%A9/x',
    '/start',
    '/b/x',
    '/a;v=1',
    '/a/%3Fz',
  ].map((target) => ({
    method: 'GET',
    host,
    target,
  })),
);

function toOutcome(fate: RequestFate): Outcome {
  switch (fate.kind) {
    case 'refused':
      return { status: 0 };
    case 'respond': {
      const location = fate.headers?.find(([name]) => name === 'location')?.[1];
      return { status: fate.statusCode, ...(location === undefined ? {} : { location }) };
    }
    case 'redirect':
      return { status: fate.statusCode, location: fate.location };
    case 'forward': {
      const [share] = fate.shares;
      if (share === undefined || typeof share.to !== 'string') return { status: 503 };
      return {
        status: 200,
        target: share.request.target,
        backend: share.to.replace(/^Service /, ''),
        host: share.request.host,
      };
    }
  }
}

describe('ingress-nginx, by nginx itself', { skip }, () => {
  const nginx = new Nginx();
  before(() => nginx.open());
  after(() => nginx.close());

  it('says the same of every request as the reference and the proxy', async () => {
    let count = 0;
    await fc.assert(
      fc.asyncProperty(INGRESSES, async (ingresses) => {
        const snapshot = snapshotOf(ingresses);
        await nginx.start(snapshot);
        const { model } = createResolver({ gatewayCidr: '127.80.0.0/17', adoptedClasses: [] })(
          snapshot,
        );
        const program = compileProxy(lower(model, 'fairway'));
        for (const asked of REQUESTS) {
          const probe: RequestProbe = {
            scheme: 'http',
            port: 80,
            client: '127.0.0.1',
            headers: [],
            ...asked,
          };
          const expected = await nginx.ask(asked);
          count++;
          const about = `${asked.host} ${asked.target} ${JSON.stringify(ingresses)}`;
          assert.deepEqual(
            toOutcome(traceRequest(model, probe).fate),
            expected,
            `the model: ${about}`,
          );
          assert.deepEqual(toOutcome(traceProxy(program, probe)), expected, `the proxy: ${about}`);
        }
      }),
      { numRuns: Number(process.env['FAIRWAY_NGINX_RUNS'] ?? 40), endOnFailure: true },
    );
    assert.ok(count > 0);
  });
});
