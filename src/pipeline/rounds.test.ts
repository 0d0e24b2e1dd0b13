// What a round remembers is never to be seen: after any changes, resolving, lowering, compiling and
// writing statuses give what they would give had they begun with the objects as they are now. And what
// one change costs, counted in things made anew, does not grow with the number of routes.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { admit } from '../api/admit.ts';
import { Namespace } from '../api/core/namespace.ts';
import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { BackendTLSPolicy } from '../api/gateway/backendtlspolicy.ts';
import { Gateway } from '../api/gateway/gateway.ts';
import { GatewayClass } from '../api/gateway/gatewayclass.ts';
import { GRPCRoute } from '../api/gateway/grpcroute.ts';
import { HTTPRoute } from '../api/gateway/httproute.ts';
import { ListenerSet } from '../api/gateway/listenerset.ts';
import { ReferenceGrant } from '../api/gateway/referencegrant.ts';
import { TLSRoute } from '../api/gateway/tlsroute.ts';
import { apiVersionOf } from '../api/kind.ts';
import type { Kind } from '../api/kind.ts';
import { createLowerer, lower } from '../lower/view.ts';
import { allStatuses } from '../resolve/resolution.ts';
import { createResolver } from '../resolve/resolve.ts';
import { Store } from '../store/store.ts';
import type { ObjectWrite } from '../store/write.ts';
import { compileProxy, createProxyCompiler } from '../targets/proxy/compile.ts';
import { diffPrograms, EMPTY_PROGRAM } from '../targets/proxy/patch.ts';
import type { Delta, Patch } from '../targets/proxy/patch.ts';
import type { PathGroup, ProxyProgram, TableProgram } from '../targets/proxy/program.ts';
import { createStatusWriter, statusWrites } from './status.ts';

const OPTIONS = { gatewayCidr: '127.80.0.0/17', adoptedClasses: [] };
const NOW = new Date('2026-01-02T03:04:05Z');
const GROUP = 'gateway.networking.k8s.io';

function write(kind: Kind, namespace: string, name: string, parts: object | null): ObjectWrite {
  if (parts === null) return { op: 'delete', kind, namespace, name };
  const { labels, ...rest } = parts as { readonly labels?: object };
  const { object } = admit(kind, {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: { name, ...(namespace === '' ? {} : { namespace }), labels },
    ...rest,
  });
  return { op: 'put', kind, object };
}

const namespace = fc.constantFrom('one', 'two');
const gatewayName = fc.constantFrom('g', 'g', 'h');
const serviceName = fc.constantFrom('s', 't');
const hostname = fc.constantFrom('a.example', 'a.example', '*.example', 'c.other');
const hostnames = fc.uniqueArray(hostname, { maxLength: 2 });
const from = fc.oneof(
  fc.constant({ from: 'All' }),
  fc.constant({ from: 'Same' }),
  fc.constant({ from: 'Selector', selector: { matchLabels: { team: 'x' } } }),
);

/** `null` deletes the object. */
const maybe = <T extends object>(parts: fc.Arbitrary<T>, freq = 4): fc.Arbitrary<T | null> =>
  fc.option(parts, { nil: null, freq });

const listener = fc.record({
  name: fc.constantFrom('l', 'm'),
  port: fc.constantFrom(80, 81),
  protocol: fc.constantFrom('HTTP', 'TLS'),
  hostname: fc.constantFrom(undefined, '*.example', 'a.example'),
  allowedRoutes: fc.record({ namespaces: from }),
});
const listeners = fc
  .uniqueArray(listener, { minLength: 1, maxLength: 2, selector: (l) => l.name })
  .map((all) =>
    all.map(({ protocol, ...l }) => ({
      ...l,
      protocol,
      ...(protocol === 'TLS' ? { tls: { mode: 'Passthrough' } } : {}),
    })),
  );

const parentRefs = fc.uniqueArray(
  fc.oneof(
    fc.record({
      name: gatewayName,
      namespace,
      sectionName: fc.constantFrom(undefined, undefined, 'l', 'm'),
    }),
    fc.record({ name: fc.constant('set'), namespace, kind: fc.constant('ListenerSet') }),
  ),
  { maxLength: 2, selector: (ref) => JSON.stringify(ref) },
);
const backendRef = fc.record({
  name: serviceName,
  namespace: fc.constantFrom(undefined, 'one', 'two'),
  port: fc.constantFrom(80, 90),
});
const backendRefs = fc.array(backendRef, { minLength: 1, maxLength: 2 });
const path = fc.constantFrom('/', '/a', '/a/b');

const change: fc.Arbitrary<ObjectWrite> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        namespace,
        fc.constantFrom('r1', 'r2', 'r3'),
        maybe(
          fc.record({
            spec: fc.record({
              parentRefs,
              hostnames,
              rules: fc.array(
                fc.record({
                  matches: fc.array(
                    path.map((value) => ({ path: { type: 'PathPrefix', value } })),
                    { minLength: 1, maxLength: 2 },
                  ),
                  backendRefs,
                }),
                { minLength: 1, maxLength: 2 },
              ),
            }),
          }),
        ),
      )
      .map(([ns, name, parts]) => write(HTTPRoute, ns, name, parts)),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        namespace,
        maybe(
          fc.record({
            spec: fc.record({
              parentRefs,
              hostnames,
              rules: fc.array(fc.record({ backendRefs }), { minLength: 1, maxLength: 1 }),
            }),
          }),
        ),
      )
      .map(([ns, parts]) => write(GRPCRoute, ns, 'calls', parts)),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        namespace,
        maybe(
          fc.record({
            spec: fc.record({
              parentRefs,
              hostnames: fc.uniqueArray(hostname, { minLength: 1, maxLength: 2 }),
              rules: fc.array(fc.record({ backendRefs }), { minLength: 1, maxLength: 1 }),
            }),
          }),
        ),
      )
      .map(([ns, parts]) => write(TLSRoute, ns, 'tls', parts)),
  },
  fc
    .tuple(namespace, gatewayName, maybe(fc.record({ listeners, sets: from }), 9))
    .map(([ns, name, parts]) =>
      write(
        Gateway,
        ns,
        name,
        parts && {
          spec: {
            gatewayClassName: 'c',
            listeners: parts.listeners,
            allowedListeners: { namespaces: parts.sets },
          },
        },
      ),
    ),
  fc
    .tuple(namespace, maybe(fc.record({ listeners, name: gatewayName, namespace })))
    .map(([ns, parts]) =>
      write(
        ListenerSet,
        ns,
        'set',
        parts && {
          spec: {
            parentRef: { name: parts.name, namespace: parts.namespace },
            listeners: parts.listeners,
          },
        },
      ),
    ),
  fc
    .tuple(
      namespace,
      serviceName,
      maybe(fc.record({ port: fc.constantFrom(80, 90), type: fc.constantFrom('http', 'h2c') })),
    )
    .map(([ns, name, parts]) =>
      write(
        Service,
        ns,
        name,
        parts && {
          spec: {
            clusterIP: '10.0.0.1',
            clusterIPs: ['10.0.0.1'],
            ports: [{ name: 'p', port: parts.port, appProtocol: `kubernetes.io/${parts.type}` }],
          },
        },
      ),
    ),
  fc
    .tuple(
      namespace,
      fc.constantFrom('e1', 'e2'),
      maybe(fc.record({ service: serviceName, last: fc.integer({ min: 1, max: 3 }) })),
    )
    .map(([ns, name, parts]) =>
      write(
        EndpointSlice,
        ns,
        name,
        parts && {
          labels: { 'kubernetes.io/service-name': parts.service },
          addressType: 'IPv4',
          endpoints: [{ addresses: [`10.1.0.${parts.last}`] }],
          ports: [{ name: 'p', port: 8080 }],
        },
      ),
    ),
  fc
    .tuple(namespace, fc.constantFrom('x', 'y'))
    .map(([name, team]) => write(Namespace, '', name, { labels: { team } })),
  fc
    .tuple(
      namespace,
      maybe(
        fc.record({
          kind: fc.constantFrom('HTTPRoute', 'GRPCRoute', 'TLSRoute'),
          namespace,
          name: fc.constantFrom(undefined, 's'),
        }),
      ),
    )
    .map(([ns, parts]) =>
      write(
        ReferenceGrant,
        ns,
        'grant',
        parts && {
          spec: {
            from: [{ group: GROUP, kind: parts.kind, namespace: parts.namespace }],
            to: [{ group: '', kind: 'Service', name: parts.name }],
          },
        },
      ),
    ),
  fc
    .tuple(
      namespace,
      fc.constantFrom('p1', 'p2'),
      maybe(fc.record({ name: serviceName, sectionName: fc.constantFrom(undefined, 'p') })),
    )
    .map(([ns, name, ref]) =>
      write(
        BackendTLSPolicy,
        ns,
        name,
        ref && {
          spec: {
            targetRefs: [{ group: '', kind: 'Service', ...ref }],
            validation: { hostname: 'b.example', wellKnownCACertificates: 'System' },
          },
        },
      ),
    ),
  // Somebody else writes the status of a route.
  fc.tuple(namespace, fc.constantFrom('r1', 'r2', 'r3')).map(([ns, name]): ObjectWrite => ({
    op: 'status',
    kind: HTTPRoute,
    namespace: ns,
    name,
    status: { parents: [] },
  })),
  fc
    .constantFrom('fairway.dev/gateway', 'fairway.dev/gateway', 'example.com/other')
    .map((controllerName) => write(GatewayClass, '', 'c', { spec: { controllerName } })),
);

const START: readonly ObjectWrite[] = [
  write(GatewayClass, '', 'c', { spec: { controllerName: 'fairway.dev/gateway' } }),
  write(Namespace, '', 'one', { labels: { team: 'x' } }),
  write(Namespace, '', 'two', {}),
];

/** Enough for routes to lead somewhere and to meet. */
const SERVING: readonly ObjectWrite[] = ['one', 'two'].flatMap((ns) => [
  write(Gateway, ns, 'g', {
    spec: {
      gatewayClassName: 'c',
      listeners: [
        {
          name: 'l',
          port: 80,
          protocol: 'HTTP',
          allowedRoutes: { namespaces: { from: 'All' } },
        },
      ],
    },
  }),
  ...['s', 't'].map((name) =>
    write(Service, ns, name, {
      spec: {
        clusterIP: '10.0.0.1',
        clusterIPs: ['10.0.0.1'],
        ports: [{ name: 'p', port: 80 }],
      },
    }),
  ),
]);

/** A map as plain data, whatever it is made of. */
function plain<V>(map: ReadonlyMap<string, V>): Record<string, V> {
  return Object.fromEntries([...map].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function plainProgram(program: ProxyProgram): object {
  const { sockets, relays, hosts, tables, backends, certificates } = program;
  const names = [...hosts].map(([id, all]) => [id, all.map((h) => h.hostname)] as const);
  return {
    sockets,
    relays,
    hosts: plain(new Map(names)),
    tables: plain(tables),
    backends: plain(backends),
    certificates: plain(certificates),
  };
}

function changeGroups(
  groups: readonly PathGroup[],
  { set, removed }: Delta<PathGroup>,
): readonly PathGroup[] {
  const byPath = new Map(groups.map((group) => [group.path, group]));
  for (const [path, group] of set) byPath.set(path, group);
  for (const path of removed) assert.ok(byPath.delete(path));
  return [...byPath.values()];
}

/** Of groups that are found by their path, the order does not count. */
function mapTables(tables: ReadonlyMap<string, TableProgram>): ReadonlyMap<string, object> {
  const sorted = (groups: readonly PathGroup[]): readonly PathGroup[] =>
    groups.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return new Map(
    Array.from(tables, ([key, { exact, prefix, regex }]) => [
      key,
      { exact: sorted(exact), prefix: sorted(prefix), regex },
    ]),
  );
}

/** What a worker has after patches. */
class Worker {
  readonly #parts = { tables: new Map(), backends: new Map(), sockets: new Map() };

  apply(patch: Patch): void {
    for (const name of ['tables', 'backends', 'sockets'] as const) {
      const { set, removed }: Delta<unknown> = patch[name];
      for (const [key, value] of set) this.#parts[name].set(key, value);
      for (const key of removed) assert.ok(this.#parts[name].delete(key), `no ${name} ${key}`);
    }
    for (const { key, exact, prefix, regex } of patch.changedTables) {
      const table: TableProgram = this.#parts.tables.get(key);
      this.#parts.tables.set(key, {
        exact: changeGroups(table.exact, exact),
        prefix: changeGroups(table.prefix, prefix),
        regex: regex ?? table.regex,
      });
    }
  }

  check({ tables, backends, sockets }: ProxyProgram): void {
    assert.deepEqual(plain(mapTables(this.#parts.tables)), plain(mapTables(tables)));
    assert.deepEqual(plain(this.#parts.backends), plain(backends));
    assert.deepEqual(plain(this.#parts.sockets), plain(new Map(sockets.map((s) => [s.id, s]))));
  }
}

/** Everything of a round that is remembered from one to the next. */
class Rounds {
  readonly store = new Store({
    now: () => NOW,
    newUid: (kind, ns, name) => `${kind.kind}/${ns}/${name}`,
  });
  readonly resolve = createResolver(OPTIONS);
  readonly #lower = createLowerer('node');
  readonly #compile = createProxyCompiler();
  readonly #statusWrites = createStatusWriter();
  readonly #worker = new Worker();
  #program = EMPTY_PROGRAM;

  /** One round; gives how many statuses were written. */
  run(): number {
    const snapshot = this.store.snapshot();
    const resolution = this.resolve(snapshot);
    const program = this.#compile(this.#lower(resolution.model));
    this.#worker.apply(diffPrograms(this.#program, program));
    this.#program = program;
    return this.store.write([
      ...statusWrites(snapshot, resolution.statuses, NOW),
      ...this.#statusWrites(snapshot, resolution.routeStatuses, NOW),
    ]).length;
  }

  /** Compares with what whoever begins now would find. */
  check(): void {
    const snapshot = this.store.snapshot();
    const [known, fresh] = [this.resolve(snapshot), createResolver(OPTIONS)(snapshot)];
    assert.deepEqual(known.model.entryPoints, fresh.model.entryPoints);
    assert.deepEqual(plain(known.model.backends), plain(fresh.model.backends));
    assert.deepEqual(plain(known.model.certificates), plain(fresh.model.certificates));
    assert.deepEqual(known.model.services, fresh.model.services);
    assert.deepEqual(allStatuses(known), allStatuses(fresh));
    assert.deepEqual(known.findings, fresh.findings);
    const program = compileProxy(lower(fresh.model, 'node'));
    assert.deepEqual(plainProgram(this.#program), plainProgram(program));
    this.#worker.check(program);
    assert.deepEqual(statusWrites(snapshot, allStatuses(fresh), NOW), []);
  }
}

describe('rounds', () => {
  it('come to what a first round would come to, after any changes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(change, { minLength: 1, maxLength: 3 }), { minLength: 8, maxLength: 20 }),
        (batches) => {
          const rounds = new Rounds();
          rounds.store.write([...START, ...SERVING]);
          for (const batch of batches) {
            rounds.store.write(batch);
            // What a round writes of addresses and counts is what the next one reads.
            for (let turn = 0; rounds.run() > 0; turn++) assert.ok(turn < 8, 'no rest');
            rounds.check();
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  const many = (routes: number): Rounds => {
    const rounds = new Rounds();
    rounds.store.write([
      ...START,
      write(Gateway, 'one', 'g', {
        spec: {
          gatewayClassName: 'c',
          listeners: [{ name: 'l', port: 80, protocol: 'HTTP' }],
        },
      }),
      ...Array.from({ length: routes }, (_, i) => service(i)),
      ...Array.from({ length: routes }, (_, i) => route(i)),
    ]);
    while (rounds.run() > 0);
    return rounds;
  };
  const service = (i: number, port = 80): ObjectWrite =>
    write(Service, 'one', `s${i}`, { spec: { ports: [{ name: 'p', port }] } });
  const route = (i: number, value = '/'): ObjectWrite =>
    write(HTTPRoute, 'one', `r${i}`, {
      spec: {
        parentRefs: [{ name: 'g' }],
        hostnames: [`h${i}.example`],
        rules: [
          {
            matches: [{ path: { type: 'PathPrefix', value } }],
            backendRefs: [{ name: `s${i}`, port: 80 }],
          },
        ],
      },
    });

  /** What is made anew for a change. */
  const costOf = (routes: number, changes: readonly ObjectWrite[]): object => {
    const rounds = many(routes);
    const before = rounds.resolve.counts();
    rounds.store.write(changes);
    let statuses = 0;
    for (let n = rounds.run(); n > 0; n = rounds.run()) statuses += n;
    rounds.check();
    const after = rounds.resolve.counts();
    return {
      routes: after.routes - before.routes,
      rules: after.rules - before.rules,
      hosts: after.hosts - before.hosts,
      backends: after.backends - before.backends,
      statuses,
    };
  };

  const rows: readonly (readonly [string, readonly ObjectWrite[], object])[] = [
    [
      'a route that changes',
      [route(7, '/other')],
      { routes: 1, rules: 1, hosts: 1, backends: 0, statuses: 1 },
    ],
    [
      // The status of the new route, and the count of its listener.
      'a route that comes',
      [service(1000), route(1000)],
      { routes: 1, rules: 1, hosts: 1, backends: 1, statuses: 2 },
    ],
    [
      'a route that goes',
      [write(HTTPRoute, 'one', 'r7', null)],
      { routes: 0, rules: 0, hosts: 0, backends: 0, statuses: 1 },
    ],
    [
      'a Service that loses its port',
      [service(7, 81)],
      { routes: 1, rules: 1, hosts: 1, backends: 0, statuses: 1 },
    ],
    [
      'endpoints that come',
      [
        write(EndpointSlice, 'one', 'e', {
          labels: { 'kubernetes.io/service-name': 's7' },
          addressType: 'IPv4',
          endpoints: [{ addresses: ['10.1.0.1'] }],
          ports: [{ name: 'p', port: 8080 }],
        }),
      ],
      { routes: 0, rules: 0, hosts: 0, backends: 1, statuses: 0 },
    ],
    [
      'a Gateway nobody refers to',
      [
        write(Gateway, 'one', 'h', {
          spec: { gatewayClassName: 'c', listeners: [{ name: 'l', port: 81, protocol: 'HTTP' }] },
        }),
      ],
      { routes: 0, rules: 0, hosts: 0, backends: 0, statuses: 1 },
    ],
  ];
  for (const [what, changes, cost] of rows) {
    it(`cost the same among 20 and 200 routes: ${what}`, () => {
      assert.deepEqual(costOf(20, changes), cost);
      assert.deepEqual(costOf(200, changes), cost);
    });
  }

  it('resolve no rules and make no hosts anew when the Gateway of all routes changes', () => {
    const listenersOf = (...ports: readonly number[]): ObjectWrite =>
      write(Gateway, 'one', 'g', {
        spec: {
          gatewayClassName: 'c',
          listeners: ports.map((port, i) => ({ name: 'lm'[i], port, protocol: 'HTTP' })),
        },
      });
    const rounds = many(20);
    const before = rounds.resolve.counts();
    rounds.store.write([listenersOf(80, 81)]);
    while (rounds.run() > 0);
    rounds.check();
    const after = rounds.resolve.counts();
    assert.equal(after.rules, before.rules);
    // Those of the new listener.
    assert.equal(after.hosts - before.hosts, 20);
  });
});
