// What holds of any sequence of writes, by whoever.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { isRecord } from '../../api/schema/normalize.ts';
import type { ListNode, Node } from '../../api/schema/schema.ts';
import { isEmpty, isMember, parseFieldSet, sameSet } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import { checkManagedFields } from './managed-fields.ts';
import { fieldsOf } from './owned.ts';
import { itemElement } from './structure.ts';
import {
  applied,
  apiVersion,
  entriesOf,
  LATER,
  Thing,
  thing,
  tryApply,
  updated,
} from './testing.ts';
import type { Json } from './testing.ts';
import { trackedSchema } from './tracked.ts';

const text = fc.constantFrom('x', 'y');
const number = fc.integer({ min: 1, max: 2 });
const partial = { requiredKeys: [] as [] };

/** Specs whose lists have at least `min` items: an empty list claims nothing, so it may vanish. */
const specs = (min: number): fc.Arbitrary<unknown> =>
  fc.record(
    {
      replicas: number,
      paused: fc.boolean(),
      mode: fc.constantFrom('auto', 'manual'),
      selector: fc.dictionary(fc.constantFrom('a', 'b'), text),
      options: fc.dictionary(
        fc.constantFrom('a', 'b', 'constructor'),
        fc.record({ value: text, note: text }, partial),
      ),
      tags: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', '<&>'), { minLength: min }),
      numbers: fc.uniqueArray(fc.constantFrom(9, 10, 100), { minLength: min }),
      ports: fc.uniqueArray(
        fc.record(
          {
            port: fc.integer({ min: 79, max: 81 }),
            name: text,
            target: number,
            protocol: fc.constantFrom('TCP', 'UDP'),
          },
          { requiredKeys: ['port'] },
        ),
        { minLength: min, selector: ({ port, protocol = 'TCP' }) => `${port}/${protocol}` },
      ),
      rules: fc.array(fc.record({ path: text }, partial), { minLength: 1, maxLength: 2 }),
      nested: fc.record({ a: text, b: text }, partial),
      free: fc.dictionary(
        fc.constantFrom('p', 'q'),
        fc.oneof(text, fc.array(number), fc.record({ z: text })),
      ),
    },
    partial,
  );
const things = (min: number): fc.Arbitrary<Json> =>
  fc
    .tuple(specs(min), fc.dictionary(fc.constantFrom('l', 'm'), text))
    .map(([body, labels]) =>
      thing(body as Json, Object.keys(labels).length === 0 ? {} : { labels: { ...labels } }),
    );

const objects = things(0);
const fullObjects = things(1);

interface Write {
  readonly how: 'apply' | 'update';
  readonly manager: string;
  readonly object: Json;
}
const writes = fc.array(
  fc.record({
    how: fc.constantFrom('apply' as const, 'apply' as const, 'update' as const),
    manager: fc.constantFrom('a', 'b', 'c'),
    object: objects,
  }),
  { maxLength: 5 },
);

function played(list: readonly Write[]): Json | undefined {
  let live: Json | undefined;
  for (const { how, manager, object } of list) {
    if (how === 'apply') live = applied(live, manager, object, { force: true });
    else {
      const metadata = { ...(object['metadata'] as Json) };
      const entries = live === undefined ? {} : { managedFields: entriesOf(live) };
      live = updated(live, manager, { ...object, metadata: { ...metadata, ...entries } });
    }
  }
  return live;
}

const view = trackedSchema(Thing, { subresource: '', hasStatus: true });

/** The value at a path of the schema's own steps; undefined when there is none. */
function valueAt(object: unknown, path: readonly string[]): unknown {
  let [node, value]: [Node | undefined, unknown] = [Thing, object];
  for (const step of path) {
    if (node?.type === 'list' && Array.isArray(value)) {
      const list: ListNode = node;
      value = (value as unknown[]).find((item) => itemElement(list, item) === step);
      node = list.items;
    } else if (isRecord(value)) {
      const name = step.slice(2);
      value = Object.hasOwn(value, name) ? value[name] : undefined;
      node =
        node?.type === 'object'
          ? node.fields.get(name)?.node
          : node?.type === 'map'
            ? node.values
            : node;
    } else return undefined;
  }
  return value;
}

function membersOf(set: FieldSet, prefix: readonly string[] = []): readonly (readonly string[])[] {
  return Object.entries(set).flatMap(([step, node]) => {
    if (step === '.') return [];
    const path = [...prefix, step];
    return [...(isMember(node) ? [path] : []), ...(isEmpty(node) ? [] : membersOf(node, path))];
  });
}

describe('whatever was written before', () => {
  it('applying twice is applying once', () => {
    fc.assert(
      fc.property(writes, objects, (list, object) => {
        const once = applied(played(list), 'a', object, { force: true });
        assert.equal(applied(once, 'a', object, { force: true, now: LATER }), once);
        assert.equal(applied(once, 'a', object, { now: LATER }), once);
      }),
    );
  });

  it('force leaves no conflicts, and the values are there', () => {
    fc.assert(
      fc.property(writes, objects, (list, object) => {
        const result = tryApply(played(list), 'a', object, { force: true });
        assert.equal(result.outcome, 'applied');
        const stored = applied(played(list), 'a', object, { force: true });
        for (const path of membersOf(fieldsOf(view, object))) {
          assert.notEqual(valueAt(stored, path), undefined, path.join(' '));
        }
      }),
    );
  });

  it('an applier owns exactly what it applied', () => {
    fc.assert(
      fc.property(writes, objects, (list, object) => {
        const stored = applied(played(list), 'a', object, { force: true });
        const entry = entriesOf(stored).find(
          ({ manager, operation }) => manager === 'a' && operation === 'Apply',
        );
        assert.ok(sameSet((entry?.fieldsV1 ?? {}) as FieldSet, fieldsOf(view, object)));
      }),
    );
  });

  it('giving up fields removes nothing another applier owns, and changes none of it', () => {
    fc.assert(
      fc.property(writes, fullObjects, objects, (list, other, mine) => {
        const both = applied(applied(played(list), 'a', mine, { force: true }), 'other', other, {
          force: true,
        });
        const left = applied(both, 'a', thing());
        for (const path of membersOf(fieldsOf(view, other))) {
          assert.deepEqual(Boolean(valueAt(left, path) === undefined), false, path.join(' '));
        }
        assert.equal(applied(left, 'other', other, { now: LATER }), left);
      }),
    );
  });

  it('without force an object is applied exactly when it takes nothing from others', () => {
    fc.assert(
      fc.property(writes, objects, (list, object) => {
        const live = played(list);
        const result = tryApply(live, 'a', object);
        const forced = applied(live, 'a', object, { force: true });
        if (result.outcome === 'applied') assert.deepEqual(result.object, forced);
        else {
          assert.equal(result.outcome, 'conflicts');
          const others = (from: Json | undefined): readonly unknown[] =>
            (from === undefined ? [] : entriesOf(from))
              .filter(({ manager, operation }) => manager !== 'a' || operation !== 'Apply')
              .map(({ manager, operation, fieldsV1 }) => [manager, operation, fieldsV1]);
          assert.notDeepEqual(others(forced), others(live));
        }
      }),
    );
  });

  it('what is written is canonical, and an update of nothing changes nothing', () => {
    fc.assert(
      fc.property(writes, (list) => {
        const live = played(list);
        if (live === undefined) return;
        for (const { fieldsV1 } of entriesOf(live)) {
          const written = JSON.stringify(fieldsV1);
          const parsed = parseFieldSet(JSON.parse(written));
          assert.ok('set' in parsed && !isEmpty(parsed.set));
          assert.equal(JSON.stringify(parsed.set), written);
        }
        const again = JSON.parse(JSON.stringify(live)) as Json;
        if (entriesOf(live).length > 0) {
          assert.equal(entriesOf(updated(live, 'z', again, { now: LATER })), entriesOf(live));
        }
      }),
    );
  });

  it('an updater owns what differs, and nobody else does', () => {
    fc.assert(
      fc.property(writes, objects, (list, object) => {
        const live = played(list);
        const metadata = object['metadata'] as Json;
        const entries = live === undefined ? {} : { managedFields: entriesOf(live) };
        const stored = updated(live, 'z', { ...object, metadata: { ...metadata, ...entries } });
        const mine = entriesOf(stored).find(({ manager }) => manager === 'z');
        if (mine === undefined) return;
        const taken = new Set(membersOf(mine.fieldsV1 as FieldSet).map((p) => JSON.stringify(p)));
        for (const entry of entriesOf(stored)) {
          if (entry === mine) continue;
          for (const path of membersOf(entry.fieldsV1 as FieldSet)) {
            assert.equal(taken.has(JSON.stringify(path)), false);
          }
        }
        assert.equal(mine.apiVersion, apiVersion);
      }),
    );
  });
});

describe('nonsense', () => {
  const nonsense = fc.record(
    Object.fromEntries(
      ['replicas', 'selector', 'options', 'tags', 'ports', 'rules', 'nested', 'free'].map(
        (name) => [name, fc.jsonValue({ maxDepth: 3 })],
      ),
    ),
    partial,
  );
  const bodies = fc.oneof(nonsense, fc.jsonValue({ maxDepth: 2 }));
  const metadata = fc.record(
    { labels: fc.jsonValue({ maxDepth: 2 }), managedFields: fc.jsonValue({ maxDepth: 4 }) },
    partial,
  );

  it('is answered, never thrown at', () => {
    fc.assert(
      fc.property(writes, bodies, metadata, (list, body, meta) => {
        const live = played(list);
        const written = thing(body as Json, meta);
        for (const force of [true, false]) tryApply(live, 'a', written, { force });
        tryApply(written, 'a', thing({ replicas: 1 }), { force: true });
        const broken = updated(live, 'a', written);
        tryApply(broken, 'b', written, { force: true });
        checkManagedFields(meta.managedFields);
      }),
    );
  });
});
