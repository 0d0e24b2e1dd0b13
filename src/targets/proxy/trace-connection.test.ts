// The proxy and the reference must agree on every connection, whatever listeners and routes there are.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { compareHostnames } from '../../lib/hostname.ts';
import { lower } from '../../lower/view.ts';
import type { Model, StreamHost } from '../../model/model.ts';
import { traceConnection } from '../../model/trace-connection.ts';
import { compileProxy } from './compile.ts';
import { traceProxyConnection } from './trace-connection.ts';

const ORIGIN = { kind: 'TLSRoute', namespace: 'n', name: 'r', field: '' };
const PATTERNS = ['', 'a.x', '*.x', 'b.a.x', '*.a.x', '*.b.a.x'];
const HOSTS = ['', 'x', 'a.x', 'b.a.x', 'c.b.a.x', 'c.a.x', 'y'];

const patterns = fc
  .uniqueArray(fc.constantFrom(...PATTERNS), { minLength: 1 })
  .map((all) => all.toSorted(compareHostnames));

interface Part {
  readonly mode: 'passthrough' | 'terminate' | 'requests';
  readonly hosts: readonly string[];
}

const listener: fc.Arbitrary<Part> = fc.record({
  mode: fc.constantFrom('passthrough' as const, 'terminate' as const, 'requests' as const),
  hosts: patterns,
});

function toModel(listeners: readonly (readonly [string, Part])[]): Model {
  const host = (id: string, hostname: string): StreamHost => ({
    hostname,
    rule: {
      id: `TLSRoute ${id} ${hostname}`,
      backends: [{ backend: `${id}|${hostname}`, weight: 1, origin: ORIGIN }],
      origin: ORIGIN,
    },
  });
  const keys = listeners.flatMap(([id, { hosts }]) => hosts.map((hostname) => `${id}|${hostname}`));
  return {
    entryPoints: [
      {
        id: 'n/g:443',
        gateway: 'n/g',
        addresses: ['127.0.0.1'],
        port: 443,
        protocol: 'tls',
        listeners: listeners.map(([hostname, { mode, hosts }]) => ({
          id: `n/g/${hostname}`,
          name: hostname,
          hostname,
          certificates: [],
          hosts: [],
          ...(mode === 'requests'
            ? {}
            : { stream: { mode, hosts: hosts.map((h) => host(hostname, h)) } }),
          origin: ORIGIN,
        })),
      },
    ],
    backends: new Map(
      keys.map((key) => [key, { key, protocol: 'http', endpoints: [], origin: ORIGIN }]),
    ),
    certificates: new Map(),
    services: [],
  };
}

it('the proxy answers as the reference does', () => {
  fc.assert(
    fc.property(patterns, fc.array(listener, { minLength: 6, maxLength: 6 }), (names, parts) => {
      const model = toModel(names.map((name, i) => [name, parts[i]!] as const));
      const program = compileProxy(lower(model, 'node'));
      for (const serverName of HOSTS) {
        for (const transport of ['tls', 'tcp', 'udp'] as const) {
          const probe = { transport, port: 443, serverName };
          const { kind: expected, ...rest } = traceConnection(model, probe).fate;
          const { kind, ...others } = traceProxyConnection(program, probe);
          assert.equal(kind, expected);
          if (kind === 'relay' || kind === 'http') assert.deepEqual(others, rest);
        }
      }
    }),
  );
});
