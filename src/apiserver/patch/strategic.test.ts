import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Deployment } from '../../api/apps/deployment.ts';
import { Node } from '../../api/core/node.ts';
import { Pod } from '../../api/core/pod.ts';
import { Service } from '../../api/core/service.ts';
import type { Kind } from '../../api/kind.ts';
import { STRATEGIC_MERGE_PATCH, applyPatch } from './patch.ts';

type Json = Readonly<Record<string, unknown>>;

function patched(kind: Pick<Kind, 'group' | 'schema'>, target: Json, patch: unknown): unknown {
  const before = structuredClone([target, patch]);
  const result = applyPatch(STRATEGIC_MERGE_PATCH, target, patch, kind);
  assert.deepEqual([target, patch], before, 'inputs stay as they are');
  return 'error' in result ? `${result.error.status} ${result.error.message}` : result.object;
}

const port = (number: number, name?: string) =>
  name === undefined ? { port: number } : { port: number, name };
const ports = (...list: readonly object[]) => ({ spec: { ports: list } });
const finalizers = (...list: readonly string[]) => ({ metadata: { finalizers: list } });
const container = (name: string, rest: object = {}) => ({ name, ...rest });
const containers = (...list: readonly object[]) => ({ spec: { containers: list } });

interface Row {
  readonly title: string;
  readonly kind: Pick<Kind, 'group' | 'schema'>;
  readonly target: Json;
  readonly patch: Json;
  readonly result: Json | RegExp;
}

const objects: readonly Row[] = [
  {
    title: 'fields are merged, null removes',
    kind: Service,
    target: { metadata: { labels: { a: '1', b: '2' } }, spec: { type: 'NodePort' } },
    patch: { metadata: { labels: { a: null, c: '3' } } },
    result: { metadata: { labels: { b: '2', c: '3' } }, spec: { type: 'NodePort' } },
  },
  {
    title: 'null for what is not there is nothing',
    kind: Service,
    target: {},
    patch: { metadata: { labels: { a: null }, annotations: null } },
    result: { metadata: { labels: {} } },
  },
  {
    title: '$patch: replace',
    kind: Service,
    target: { spec: { selector: { a: '1', b: '2' }, type: 'NodePort' } },
    patch: { spec: { selector: { $patch: 'replace', c: '3' } } },
    result: { spec: { selector: { c: '3' }, type: 'NodePort' } },
  },
  {
    title: '$patch: replace of what is not there',
    kind: Service,
    target: {},
    patch: { spec: { selector: { $patch: 'replace', c: '3' } } },
    result: { spec: { selector: { c: '3' } } },
  },
  {
    title: '$patch: delete',
    kind: Service,
    target: { spec: { selector: { a: '1' }, type: 'NodePort' } },
    patch: { spec: { selector: { $patch: 'delete' } } },
    result: { spec: { selector: {}, type: 'NodePort' } },
  },
  {
    title: '$patch: merge is what happens anyway',
    kind: Service,
    target: { spec: { selector: { a: '1' } } },
    patch: { spec: { selector: { $patch: 'merge', b: '2' } } },
    result: { spec: { selector: { a: '1', b: '2' } } },
  },
  {
    title: 'an unknown $patch',
    kind: Service,
    target: {},
    patch: { $patch: 'burn' },
    result: /^400 unknown patch type: "burn" in map: /,
  },
  {
    title: '$retainKeys drops the former form of a union',
    kind: Deployment,
    target: { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } },
    patch: { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
    result: { spec: { strategy: { type: 'Recreate' } } },
  },
  {
    title: '$retainKeys must name what the patch sets',
    kind: Deployment,
    target: { spec: { strategy: {} } },
    patch: { spec: { strategy: { $retainKeys: [], type: 'Recreate' } } },
    result: /^400 invalid patch format of retainKeys$/,
  },
  {
    title: 'values of another type replace',
    kind: Service,
    target: { spec: { selector: 'odd', ports: { odd: true } } },
    patch: { spec: { selector: { a: '1', b: null }, ports: [port(80)] } },
    result: { spec: { selector: { a: '1' }, ports: [port(80)] } },
  },
];

const lists: readonly Row[] = [
  {
    title: 'items are merged by key, new ones come first',
    kind: Service,
    target: ports(port(80, 'a'), port(81)),
    patch: ports(port(82), { port: 81, name: 'b' }),
    result: ports(port(82), port(80, 'a'), port(81, 'b')),
  },
  {
    title: 'ports of containers go by number, whatever their protocol',
    kind: Pod,
    target: containers(container('c', { ports: [{ containerPort: 53, protocol: 'UDP' }] })),
    patch: containers(container('c', { ports: [{ containerPort: 53, protocol: 'TCP' }] })),
    result: containers(container('c', { ports: [{ containerPort: 53, protocol: 'TCP' }] })),
  },
  {
    title: 'a list in a list item',
    kind: Pod,
    target: containers(container('a', { env: [{ name: 'X', value: '1' }, { name: 'Y' }] })),
    patch: containers(container('a', { env: [{ name: 'X', value: '2' }] })),
    result: containers(container('a', { env: [{ name: 'X', value: '2' }, { name: 'Y' }] })),
  },
  {
    title: '$patch: delete of an item',
    kind: Service,
    target: ports(port(80), port(81), port(82)),
    patch: ports({ port: 81, $patch: 'delete' }),
    result: ports(port(80), port(82)),
  },
  {
    title: '$patch: replace of a list',
    kind: Service,
    target: ports(port(80), port(81)),
    patch: ports(port(82), { $patch: 'replace' }),
    result: ports(port(82)),
  },
  {
    title: '$setElementOrder, as kubectl apply sends it',
    kind: Service,
    target: ports(port(80, 'a'), port(81, 'b'), port(82, 'server')),
    patch: {
      spec: {
        '$setElementOrder/ports': [{ port: 81 }, { port: 83 }],
        ports: [port(83, 'd'), { port: 80, $patch: 'delete' }],
      },
    },
    result: ports(port(81, 'b'), port(83, 'd'), port(82, 'server')),
  },
  {
    title: '$setElementOrder without changes',
    kind: Pod,
    target: containers(container('a'), container('b'), container('side')),
    patch: { spec: { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] } },
    result: containers(container('b'), container('a'), container('side')),
  },
  {
    title: '$setElementOrder of a list that is not there',
    kind: Service,
    target: {},
    patch: { spec: { '$setElementOrder/ports': [{ port: 80 }], ports: [port(80)] } },
    result: ports(port(80)),
  },
  {
    title: '$setElementOrder that the patch contradicts',
    kind: Service,
    target: ports(port(80)),
    patch: {
      spec: {
        '$setElementOrder/ports': [{ port: 80 }, { port: 81 }],
        ports: [port(81), port(80)],
      },
    },
    result: /^400 The order in patch list:/,
  },
  {
    title: '$setElementOrder of an unknown field',
    kind: Service,
    target: { spec: {} },
    patch: { spec: { '$setElementOrder/portz': [] } },
    result: /^400 unable to find api field for the json field "portz"$/,
  },
  {
    title: 'sets are united, and values taken out',
    kind: Service,
    target: finalizers('a/x', 'b/x', 'c/x'),
    patch: {
      metadata: {
        '$deleteFromPrimitiveList/finalizers': ['b/x'],
        '$setElementOrder/finalizers': ['d/x', 'a/x'],
        finalizers: ['d/x'],
      },
    },
    result: finalizers('d/x', 'a/x', 'c/x'),
  },
  {
    title: 'atomic lists are replaced',
    kind: Node,
    target: { spec: { taints: [{ key: 'a' }], podCIDRs: ['10.0.0.0/24'] } },
    patch: { spec: { taints: [{ key: 'b', value: null }], podCIDRs: ['10.0.1.0/24'] } },
    result: { spec: { taints: [{ key: 'b' }], podCIDRs: ['10.0.1.0/24', '10.0.0.0/24'] } },
  },
  {
    title: 'an item without its key',
    kind: Service,
    target: ports(port(80)),
    patch: ports({ name: 'a' }),
    result: /^400 map: \{"name":"a"\} does not contain declared merge key: port$/,
  },
  {
    title: 'items of the wrong type',
    kind: Service,
    target: ports(port(80)),
    patch: { spec: { ports: [80] } },
    result: /^400 list element types are not identical/,
  },
  {
    title: 'lists of lists',
    kind: Service,
    target: finalizers('a/x'),
    patch: { metadata: { finalizers: [['b/x']] } },
    result: /^422 .*lists of lists are not supported$/,
  },
  {
    title: 'a parallel list that is none',
    kind: Service,
    target: finalizers('a/x'),
    patch: { metadata: { '$deleteFromPrimitiveList/finalizers': 'a/x' } },
    result: /^400 invalid patch format of primitive list$/,
  },
  {
    title: 'an order of nothing',
    kind: Service,
    target: finalizers('a/x'),
    patch: { metadata: { $setElementOrder: [] } },
    result: /^400 invalid patch format of setElementOrder list$/,
  },
];

describe('a strategic merge patch', () => {
  for (const { title, kind, target, patch, result } of [...objects, ...lists]) {
    it(title, () => {
      const actual = patched(kind, target, patch);
      if (result instanceof RegExp) assert.match(String(actual), result);
      else assert.deepEqual(actual, result);
    });
  }

  it('must be an object', () => {
    assert.match(String(patched(Service, {}, [])), /^400 json: cannot unmarshal array into Go/);
  });

  it('does not reach prototypes', () => {
    const patch: unknown = JSON.parse(
      '{"__proto__":{"polluted":true},"spec":{"__proto__":{"a":1}}}',
    );
    const object = patched(Service, { spec: {} }, patch) as object;
    assert.equal(Object.getPrototypeOf(object), Object.prototype);
    assert.equal('polluted' in {}, false);
  });
});
