// The router against the reference answer: for any routes and any request they must agree.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compareHostnames } from '../../lib/hostname.ts';
import { lower } from '../../lower/view.ts';
import type { RequestFate, RequestProbe } from '../../model/answer.ts';
import type { Filter } from '../../model/filter.ts';
import { compareMatches } from '../../model/match.ts';
import type { Match } from '../../model/match.ts';
import type { Backend, Host, Listener, Model, Result, Rule } from '../../model/model.ts';
import { traceRequest } from '../../model/trace.ts';
import { compileProxy } from './compile.ts';
import { traceProxy } from './trace.ts';

const origin = { kind: 'HTTPRoute', namespace: 'n', name: 'r', field: '' };

const segment = fc.constantFrom('a', 'b', 'aa', 'c.d');
const path = fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join('/')}`);
const value = fc.record({
  name: fc.constantFrom('x-a', 'x-b', 'x-c'),
  value: fc.constantFrom('1', '2'),
});
const values = fc.uniqueArray(value, { maxLength: 2, selector: (v) => v.name });
const method = fc.constantFrom('GET', 'POST', 'PUT');

const match: fc.Arbitrary<Match> = fc.record({
  path: fc.oneof(
    fc.record({ kind: fc.constant('exact' as const), value: path }),
    fc.record({ kind: fc.constant('prefix' as const), value: path }),
  ),
  method: fc.option(method, { nil: undefined }),
  headers: values,
  queryParams: values,
}) as fc.Arbitrary<Match>;

const changes = {
  set: fc.uniqueArray(value, { maxLength: 2, selector: (v) => v.name }),
  add: fc.array(value, { maxLength: 2 }),
  remove: fc.array(fc.constantFrom('x-a', 'x-z'), { maxLength: 1 }),
};
const filter: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({
    kind: fc.constant('requestHeaders' as const),
    ...changes,
    origin: fc.constant(origin),
  }),
  fc.record({
    kind: fc.constant('responseHeaders' as const),
    ...changes,
    origin: fc.constant(origin),
  }),
  fc.record({
    kind: fc.constant('rewrite' as const),
    hostname: fc.constant('rewritten.example'),
    path: fc.record({ kind: fc.constant('full' as const), value: path }),
    origin: fc.constant(origin),
  }),
);

const backend = fc.record({
  backend: fc.constantFrom('Service n/one:80', 'Service n/two:80', null),
  weight: fc.nat(3),
  filters: fc.array(filter, { maxLength: 1 }),
  broken: fc.constant({ kind: 'respond' as const, statusCode: 500, reason: 'broken' }),
  origin: fc.constant(origin),
});

const result: fc.Arbitrary<Result> = fc.oneof(
  fc.record({
    kind: fc.constant('respond' as const),
    statusCode: fc.constant(500),
    reason: fc.constant('x'),
  }),
  fc.record(
    {
      kind: fc.constant('redirect' as const),
      statusCode: fc.constantFrom(301, 302),
      scheme: fc.constantFrom('http' as const, 'https' as const),
      hostname: fc.constant('other.example'),
      port: fc.constantFrom(80, 443, 8443),
      origin: fc.constant(origin),
    },
    { requiredKeys: ['kind', 'statusCode', 'origin'] },
  ),
  fc.record({
    kind: fc.constant('forward' as const),
    backends: fc.array(backend, { minLength: 1, maxLength: 3 }),
  }),
) as fc.Arbitrary<Result>;

const rule: fc.Arbitrary<Rule> = fc
  .record({ match, filters: fc.array(filter, { maxLength: 2 }), result, id: fc.uuid() })
  .map(({ match: m, filters, result: r, id }) => ({
    match: m,
    action: { id, filters, result: r, origin },
    origin,
  }));

const hostPattern = fc.constantFrom('', 'a.example', '*.example', '*.b.example', 'x.b.example');

const host: fc.Arbitrary<Host> = fc
  .record({ hostname: hostPattern, rules: fc.array(rule, { maxLength: 8 }) })
  .map(({ hostname, rules }) => ({
    hostname,
    rules: rules.toSorted((a, b) => compareMatches(a.match, b.match)),
  }));

const listener: fc.Arbitrary<Listener> = fc
  .record({
    hostname: hostPattern,
    hosts: fc.uniqueArray(host, { maxLength: 4, selector: (h) => h.hostname }),
  })
  .map(({ hostname, hosts }) => ({
    id: `n/g/${hostname}`,
    name: hostname,
    hostname,
    certificates: [],
    hosts: hosts.toSorted((a, b) => compareHostnames(a.hostname, b.hostname)),
    origin,
  }));

const backends: ReadonlyMap<string, Backend> = new Map(
  ['one', 'two'].map((name, i) => [
    `Service n/${name}:80`,
    {
      key: `Service n/${name}:80`,
      protocol: 'http' as const,
      endpoints: Array.from({ length: i }, (_, n) => ({
        address: `127.244.0.${n + 1}`,
        port: 8080,
        ready: true,
        serving: true,
        terminating: false,
        node: '',
        zone: '',
        target: '',
      })),
      origin,
    },
  ]),
);

const model: fc.Arbitrary<Model> = fc
  .uniqueArray(listener, { minLength: 1, maxLength: 3, selector: (l) => l.hostname })
  .map((listeners) => ({
    entryPoints: [
      {
        id: 'n/g:80',
        gateway: 'n/g',
        addresses: ['127.80.0.1'],
        port: 80,
        protocol: 'http' as const,
        listeners: listeners.toSorted((a, b) => compareHostnames(a.hostname, b.hostname)),
      },
    ],
    backends,
    certificates: new Map(),
    services: [],
  }));

const probe: fc.Arbitrary<RequestProbe> = fc.record({
  scheme: fc.constantFrom('http' as const),
  port: fc.constant(80),
  method,
  host: fc.constantFrom(
    'a.example',
    'A.Example:80',
    'q.example',
    'x.b.example',
    'y.x.b.example',
    'no',
  ),
  target: fc
    .tuple(path, fc.constantFrom('', '/', '?x-a=1', '?x-a=2&x-b=1', '?x-a=1&x-a=2', '/../a', '//b'))
    .map(([p, rest]) => p + rest),
  headers: fc.array(
    fc.tuple(
      fc.constantFrom('X-A', 'x-b', 'x-c', 'x_a', 'X_Forwarded_For', 'Accept'),
      fc.constantFrom('1', '2'),
    ),
    { maxLength: 3 },
  ),
});

/** Reasons are words for people and may differ; header fields are a list without an order. */
function comparable(fate: RequestFate): unknown {
  switch (fate.kind) {
    case 'refused':
      return fate.kind;
    case 'respond':
      return [fate.kind, fate.statusCode];
    case 'redirect':
      return fate;
    case 'forward':
      return fate.shares.map((share) => ({
        ...share,
        to: typeof share.to === 'string' ? share.to : share.to.statusCode,
        request: { ...share.request, headers: share.request.headers.toSorted(byName) },
      }));
  }
}

describe('the proxy', () => {
  it('sends every request where the model says', () => {
    fc.assert(
      fc.property(model, fc.array(probe, { minLength: 1, maxLength: 12 }), (m, probes) => {
        const program = compileProxy(lower(m, 'node'));
        for (const p of probes) {
          assert.deepEqual(
            comparable(traceProxy(program, p)),
            comparable(traceRequest(m, p).fate),
            JSON.stringify(p),
          );
        }
      }),
      { numRuns: 500 },
    );
  });
});

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : a === b ? 0 : 1;
}
