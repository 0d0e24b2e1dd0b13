// The proof of a migration, held against the wires: for Ingresses made by chance, what it calls the same is
// asked of two data planes by real sockets, and must be the same there.

import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { admit } from '../src/api/admit.ts';
import { Service } from '../src/api/core/service.ts';
import { EndpointSlice } from '../src/api/discovery/endpoint-slice.ts';
import { INGRESS_CONTROLLERS } from '../src/api/fairway.ts';
import type { Kind, KubeObject } from '../src/api/kind.ts';
import { Ingress } from '../src/api/networking/ingress.ts';
import { IngressClass } from '../src/api/networking/ingress-class.ts';
import { DEFAULT_PATH_POLICY } from '../src/lib/http-path.ts';
import { lower } from '../src/lower/view.ts';
import { migrate } from '../src/migrate/migrate.ts';
import { Judge } from '../src/migrate/prove/judge.ts';
import type { Side } from '../src/migrate/prove/judge.ts';
import { generateQuestions } from '../src/migrate/prove/requests.ts';
import { generatedSnapshot } from '../src/migrate/worlds.ts';
import type { RequestProbe } from '../src/model/answer.ts';
import type { Model } from '../src/model/model.ts';
import { traceRequest } from '../src/model/trace.ts';
import { createResolver } from '../src/resolve/resolve.ts';
import { Store } from '../src/store/store.ts';
import type { Snapshot } from '../src/store/snapshot.ts';
import { compileProxy } from '../src/targets/proxy/compile.ts';
import { DEFAULT_LIMITS } from '../src/targets/proxy/datapath/limits.ts';
import { Proxy } from '../src/targets/proxy/proxy.ts';

const RUNS = Number(process.env['FAIRWAY_MIGRATE_RUNS'] ?? 30);
/** Requests asked by sockets in each run. */
const ASKED_MAX = 120;
const CIDR = '127.80.213.0/24';
const NAMES = ['a', 'b', 'c'] as const;
const TOLD =
  /^(?:forwarded|x-real-ip|x-request-id|x-forwarded-.*|x-scheme|x-original-.*|proxy|connection|via)$/;

interface WrittenPath {
  readonly path: string;
  readonly pathType: string;
  readonly service: string;
}

interface WrittenIngress {
  readonly annotations: Readonly<Record<string, string>>;
  readonly host: string;
  readonly hasDefault: boolean;
  readonly paths: readonly WrittenPath[];
}

const PATHS = ['/', '/a', '/a/b', '/ab', '/a.c', '/A', '/x/y', '/a/', '/caf\u00e9'];
const EXPRESSIONS = [
  '/a(/|$)(.*)',
  '/b(/|$)(.*)',
  '/[a-c]+/x',
  '/v\\d+',
  '/a/(b|c)',
  '/(.*)',
  '/a$',
  '/a|/b',
  '/x/?(.*)',
  '/y/(.*)',
];
const TARGETS = ['/', '/$1', '/$2', '/new/$1', '/new/$2', '/a', '/q?x=$1'];

const ANNOTATIONS = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  fc.constant({ 'use-regex': 'true' }),
  fc.constantFrom(...TARGETS).map((target) => ({ 'rewrite-target': target })),
  fc.constant({ 'app-root': '/start' }),
  fc.constant({ 'permanent-redirect': 'https://new.example/there' }),
  fc.constant({ 'permanent-redirect': 'https://new.example$request_uri' }),
  fc.constant({ 'temporal-redirect': 'https://other.example/x', 'temporal-redirect-code': '307' }),
  fc.constant({ 'force-ssl-redirect': 'true' }),
  fc.constant({ 'upstream-vhost': 'inner.example' }),
  fc.constant({ 'denylist-source-range': '127.0.0.0/8' }),
  fc.constant({ 'whitelist-source-range': '10.0.0.0/8' }),
  fc.constant({ 'enable-cors': 'true' }),
  fc.constant({ 'from-to-www-redirect': 'true' }),
  fc.constant({ 'x-forwarded-prefix': '/p', 'rewrite-target': '/$2' }),
  fc.constant({ canary: 'true', 'canary-by-header': 'x-canary' }),
  fc.constant({ canary: 'true', 'canary-by-cookie': 'canary' }),
);

const INGRESS: fc.Arbitrary<WrittenIngress> = fc.record({
  annotations: ANNOTATIONS,
  host: fc.constantFrom('one.example', 'two.example', '*.wild.example', 'x.wild.example', ''),
  hasDefault: fc.boolean(),
  paths: fc.uniqueArray(
    fc.record({
      path: fc.constantFrom(...PATHS, ...EXPRESSIONS),
      pathType: fc.constantFrom('Prefix', 'Exact', 'ImplementationSpecific'),
      service: fc.constantFrom('a', 'b'),
    }),
    { minLength: 1, maxLength: 4, selector: ({ path }) => path },
  ),
});

const LITERAL = /^[^()[\]\\$|?*]+$/;

/** Expressions are for Ingresses of expressions. */
function sensible({ annotations, ...rest }: WrittenIngress): WrittenIngress {
  const isRegex = 'use-regex' in annotations || 'rewrite-target' in annotations;
  const paths = rest.paths.filter(({ path }) => isRegex || LITERAL.test(path));
  return {
    annotations,
    ...rest,
    paths: paths.length === 0 ? [{ path: '/', pathType: 'Prefix', service: 'a' }] : paths,
  };
}

function snapshotOf(
  ingresses: readonly WrittenIngress[],
  ports: Readonly<Record<string, number>>,
): Snapshot {
  const store = new Store({
    now: () => new Date(0),
    newUid: (k, ns, name) => `${k.kind}/${ns}/${name}`,
  });
  const put = (kind: Kind<never>, written: object): void => {
    const admitted = admit(kind as unknown as Kind<KubeObject>, written);
    assert.deepEqual(admitted.errors, []);
    store.write([{ op: 'put', kind: kind as unknown as Kind, object: admitted.object }]);
  };
  const backend = (name: string) => ({ service: { name, port: { number: 80 } } });
  for (const name of NAMES) {
    const metadata = { name, namespace: 'default' };
    put(Service as never, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { clusterIP: '10.0.0.1', ports: [{ port: 80, protocol: 'TCP' }] },
    });
    put(EndpointSlice as never, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ port: ports[name], protocol: 'TCP', name: '' }],
      endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
    });
  }
  put(IngressClass as never, {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'nginx' },
    spec: { controller: 'k8s.io/ingress-nginx' },
  });
  ingresses.map(sensible).forEach(({ annotations, host, hasDefault, paths }, i) => {
    put(Ingress as never, {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: {
        name: `i${i}`,
        namespace: 'default',
        annotations: Object.fromEntries(
          Object.entries(annotations).map(([k, v]) => [`nginx.ingress.kubernetes.io/${k}`, v]),
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
    });
  });
  return store.snapshot();
}

const resolve = (snapshot: Snapshot) =>
  createResolver({ gatewayCidr: CIDR, adoptedClasses: ['*'] })(snapshot);

function sideOf(model: Model): Side {
  return { model, answerer: (part) => (probe) => traceRequest(part, probe).fate };
}

function restrict(model: Model, isOurs: (gateway: string) => boolean): Model {
  return {
    ...model,
    entryPoints: model.entryPoints.filter(({ gateway, port }) => port === 80 && isOurs(gateway)),
  };
}

/** What can be seen of an answer, but for what is said to differ everywhere. */
function ask(address: string, { method, host, target, headers }: RequestProbe): Promise<object> {
  return new Promise((done, failed) => {
    const fields = { ...Object.fromEntries(headers), host };
    const asked = request(
      { host: address, port: 8080, method, path: target, headers: fields, agent: false },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => {
          // That the port was moved for the test is seen in some.
          const location = response.headers.location?.replace(':8080', '');
          const isEcho = response.headers['x-echo'] !== undefined;
          const seen = isEcho ? JSON.parse(String(response.headers['x-echo'])) : {};
          const cors = Object.entries(response.headers).filter(([name]) =>
            name.startsWith('access-control-'),
          );
          done({ status: response.statusCode, location, seen, cors });
        });
      },
    );
    asked.on('error', failed);
    asked.end();
  });
}

describe('a migration that is proven', () => {
  const servers: Server[] = [];
  const ports: Record<string, number> = {};
  let proxy: Proxy;

  before(async () => {
    for (const name of NAMES) {
      const server = createServer((incoming, response) => {
        const headers = Object.entries(incoming.headers).filter(([field]) => !TOLD.test(field));
        const { method, url } = incoming;
        response.setHeader(
          'x-echo',
          JSON.stringify({
            name,
            method,
            url,
            headers: headers.toSorted(([a], [b]) => (a < b ? -1 : 1)),
          }),
        );
        response.end();
      });
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
      ports[name] = (server.address() as AddressInfo).port;
      servers.push(server);
    }
    proxy = new Proxy({
      workers: 1,
      limits: DEFAULT_LIMITS,
      pathPolicy: DEFAULT_PATH_POLICY,
      explains: false,
      // Without a privilege.
      bindings: { firstOpenPort: 1024, localhostOffset: null },
      servedPort: (_, port) => port,
      nodePortAddresses: [],
    });
  });
  after(async () => {
    await proxy.stop(1000);
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
  });

  it('never says the same where two data planes differ', { timeout: 600_000 }, async (test) => {
    const counts = { same: 0, known: 0, lost: 0, unexplained: 0, asked: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.array(INGRESS, { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        async (ingresses, standardOnly) => {
          const snapshot = snapshotOf(ingresses, ports);
          const { model, findings } = resolve(snapshot);
          const migration = migrate(snapshot, model, findings, {
            gateway: 'default/web',
            gatewayClass: 'fairway',
            standardOnly,
          });
          if (standardOnly) {
            assert.deepEqual(
              migration.objects.filter(({ apiVersion }) => apiVersion.startsWith('fairway.dev')),
              [],
            );
          }
          const made = generatedSnapshot(snapshot, migration.objects);
          assert.deepEqual(made.refused, []);
          const old = restrict(model, (gateway) => INGRESS_CONTROLLERS.includes(gateway));
          const next = restrict(
            resolve(made.snapshot).model,
            (gateway) => gateway === 'default/web',
          );
          const judge = new Judge(sideOf(old), sideOf(next), migration.losses);
          const questions = [...generateQuestions([old, next])].filter(
            ({ probe }) =>
              probe.scheme === 'http' &&
              probe.client === undefined &&
              !probe.headers.some(([name]) => name === 'content-length'),
          );
          await proxy.apply(
            compileProxy(
              lower(
                {
                  ...old,
                  entryPoints: [...old.entryPoints, ...next.entryPoints],
                  backends: new Map([...old.backends, ...next.backends]),
                },
                'fairway',
              ),
            ),
          );
          const [oldAddress = ''] = old.entryPoints[0]?.addresses ?? [];
          const [nextAddress = ''] = next.entryPoints[0]?.addresses ?? [];
          const same: RequestProbe[] = [];
          for (const { probe } of questions) {
            const asked = { ...probe, client: '127.0.0.1' };
            const { verdict } = judge.judge(asked);
            counts[verdict]++;
            const { shares } = judge.outcome(judge.before, asked);
            if (verdict === 'unexplained') {
              assert.fail(
                `unexplained: ${JSON.stringify(probe)} ${JSON.stringify(judge.outcome(judge.before, asked))} ${JSON.stringify(judge.outcome(judge.after, asked))}`,
              );
            }
            // Of several backends chance decides.
            if (verdict === 'same' && shares.length <= 1) same.push(probe);
          }
          const step = Math.max(1, Math.ceil(same.length / ASKED_MAX));
          for (let i = 0; i < same.length; i += step) {
            const probe = same[i]!;
            counts.asked++;
            const [one, other] = await Promise.all([
              ask(oldAddress, probe),
              ask(nextAddress, probe),
            ]);
            assert.deepEqual(
              other,
              one,
              `${JSON.stringify(probe)} of ${JSON.stringify(ingresses)}`,
            );
          }
        },
      ),
      { numRuns: RUNS, endOnFailure: process.env['FAIRWAY_MIGRATE_SHRINK'] === undefined },
    );
    test.diagnostic(JSON.stringify(counts));
    assert.ok(counts.asked > 0 && counts.same > 0);
  });
});
