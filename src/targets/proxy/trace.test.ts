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
const valueTest = fc.oneof(
  value,
  fc.record({
    name: fc.constantFrom('x-a', 'x-b', 'x-c'),
    value: fc.constantFrom('[0-9]', '1|3', '.*', '1,.*'),
    regex: fc.constant(true as const),
  }),
);
const tests = fc.uniqueArray(valueTest, { maxLength: 2, selector: (v) => v.name });
const method = fc.constantFrom('GET', 'POST', 'PUT', 'OPTIONS');

const match: fc.Arbitrary<Match> = fc.record({
  path: fc.oneof(
    fc.record({ kind: fc.constant('exact' as const), value: path }),
    fc.record({ kind: fc.constant('prefix' as const), value: path }),
    fc.record({
      kind: fc.constant('regex' as const),
      value: fc.constantFrom('/a/.*', '/.*/aa', '/(a|b)', '/[ab]+', '.*', '/aa?/b'),
    }),
  ),
  method: fc.option(method, { nil: undefined }),
  headers: tests,
  queryParams: tests,
}) as fc.Arbitrary<Match>;

const changes = {
  set: fc.uniqueArray(value, { maxLength: 2, selector: (v) => v.name }),
  add: fc.array(value, { maxLength: 2 }),
  remove: fc.array(fc.constantFrom('x-a', 'x-z'), { maxLength: 1 }),
};
const simple: fc.Arbitrary<Filter> = fc.oneof(
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

const origins = ['https://a.example', 'https://*.b.example', 'http://*', 'http://a.example:8080'];
const extras: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({
    kind: fc.constant('mirror' as const),
    backend: fc.constantFrom('Service n/one:80', 'Service n/two:80'),
    numerator: fc.nat(3),
    denominator: fc.constantFrom(3, 4),
    origin: fc.constant(origin),
  }),
  fc.record({
    kind: fc.constant('cors' as const),
    allowOrigins: fc.oneof(fc.constant(['*']), fc.subarray(origins)),
    allowMethods: fc.oneof(fc.constant(['*']), fc.subarray(['GET', 'PUT'])),
    allowHeaders: fc.oneof(fc.constant(['*']), fc.subarray(['x-a', 'X-B'])),
    exposeHeaders: fc.oneof(fc.constant(['*']), fc.subarray(['x-c', 'X-D'])),
    allowCredentials: fc.boolean(),
    maxAgeSeconds: fc.nat(100),
    origin: fc.constant(origin),
  }),
);
/** Some of these make paths that climb, or meet what they must not. */
const byPattern: fc.Arbitrary<Filter> = fc.record({
  kind: fc.constant('rewrite' as const),
  path: fc.record({
    kind: fc.constant('regex' as const),
    pattern: fc.constantFrom('/(a*)/(.*)', '/(.*)d', '(/a)?(.*)', '/(.)(.*)'),
    template: fc.array(fc.constantFrom('/', '.', '/x', '%2', 0, 1), { maxLength: 4 }),
  }),
  origin: fc.constant(origin),
});

const filter = fc.oneof({ weight: 4, arbitrary: simple }, { weight: 1, arbitrary: byPattern });

/** At most one of each kind, as the API allows of most. */
const filters = fc
  .tuple(fc.array(filter, { maxLength: 2 }), fc.array(extras, { maxLength: 2 }), fc.boolean())
  .map(([some, others, first]) => {
    const all = first ? [...others, ...some] : [...some, ...others];
    const at = all.findIndex((f) => f.kind === 'cors');
    return all.filter((f, i) => f.kind !== 'cors' || i === at);
  });

const backend = fc.record({
  backend: fc.constantFrom('Service n/one:80', 'Service n/two:80', null),
  weight: fc.nat(3),
  filters,
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
  .record({ match, filters, result, id: fc.uuid() })
  .map(({ match: m, filters: f, result: r, id }) => ({
    match: m,
    action: { id, filters: f, result: r, origin },
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
  headers: fc
    .tuple(
      fc.array(
        fc.tuple(
          fc.constantFrom('X-A', 'x-b', 'x-c', 'x_a', 'X_Forwarded_For', 'Accept'),
          fc.constantFrom('1', '2'),
        ),
        { maxLength: 3 },
      ),
      fc.subarray<[string, string]>([
        ['Access-Control-Request-Method', 'PUT'],
        ['access-control-request-headers', 'x-a, x-q'],
      ]),
      fc.array(
        fc.tuple(
          fc.constant('Origin'),
          fc.constantFrom(
            'https://a.example',
            'https://A.example:443',
            'https://x.y.b.example',
            'https://b.example',
            'http://a.example:8080',
            'http://a.example:80',
            'null',
            'https://b.example.evil',
            'https://.b.example',
            'http://[::1]:80',
          ),
        ),
        { maxLength: 1 },
      ),
    )
    .map((parts) => parts.flat()),
});

/** Reasons are words for people and may differ; header fields are a list without an order. */
function comparable(fate: RequestFate): unknown {
  switch (fate.kind) {
    case 'refused':
      return fate.kind;
    case 'respond':
      return [fate.kind, fate.statusCode, sorted(fate.headers ?? [])];
    case 'redirect':
      return fate;
    case 'forward':
      return fate.shares.map((share) => ({
        ...share,
        to:
          typeof share.to === 'string'
            ? share.to
            : [share.to.statusCode, sorted(share.to.headers ?? [])],
        request: { ...share.request, headers: sorted(share.request.headers) },
        mirrors: share.mirrors.map((mirror) => ({
          ...mirror,
          request: { ...mirror.request, headers: sorted(mirror.request.headers) },
        })),
      }));
  }
}

function sorted(headers: readonly (readonly [string, string])[]) {
  return headers.toSorted(byName);
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
