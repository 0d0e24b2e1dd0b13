// What every source must do, whatever it reads from. One suite, run over all of them.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SERVED_KINDS } from '../../src/api/kinds.ts';
import { ConfigMap } from '../../src/api/core/config-map.ts';
import type { Source, SourceUpdate } from '../../src/sources/source.ts';
import { createFilesSource } from '../../src/sources/files/files.ts';
import { Store } from '../../src/store/store.ts';
import { folder, until } from '../support/fairway.ts';

/** How the suite makes a source say something. */
interface Rig {
  readonly source: Source;
  /** Makes the source hold exactly these ConfigMaps, by name, with their data. */
  hold(objects: Readonly<Record<string, Readonly<Record<string, string>>>>): void;
  remove(): void;
}

const configMap = (name: string, data: Readonly<Record<string, string>>): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'n' }, data });

const rigs: Readonly<Record<string, () => Rig>> = {
  files: () => {
    const manifests = folder({ 'empty.yaml': '' });
    const source = createFilesSource({
      paths: [manifests.path],
      kinds: SERVED_KINDS,
      stdin: (async function* () {})(),
      watch: true,
    });
    return {
      source,
      hold: (objects) =>
        manifests.write(
          'all.yaml',
          Object.entries(objects)
            .map(([name, data]) => configMap(name, data))
            .join('\n---\n'),
        ),
      remove: () => manifests.remove(),
    };
  },
};

/** Runs a source over a store of its own until the test is done. */
async function withSource(
  make: () => Rig,
  run: (rig: Rig, store: Store, updates: SourceUpdate[]) => Promise<void>,
  before: Parameters<Rig['hold']>[0] = {},
): Promise<void> {
  const rig = make();
  const stop = new AbortController();
  const store = new Store();
  const updates: SourceUpdate[] = [];
  rig.hold(before);
  try {
    await rig.source.start((update) => {
      updates.push(update);
      store.write(update.writes);
    }, stop.signal);
    await run(rig, store, updates);
  } finally {
    stop.abort();
    rig.remove();
  }
}

const dataOf = (store: Store, name: string): unknown =>
  store.snapshot().get(ConfigMap, 'n', name)?.data;

for (const [name, make] of Object.entries(rigs)) {
  describe(`source ${name}`, () => {
    it('has a name, which marks its objects', () =>
      withSource(
        make,
        async ({ source }, store) => {
          assert.notEqual(source.name, '');
          assert.equal(store.snapshot().sourceOf(ConfigMap, 'n', 'a')?.source, source.name);
        },
        { a: {} },
      ));

    it('delivers everything in one update before it says that it has started', () =>
      withSource(
        make,
        async (_, store, updates) => {
          assert.equal(updates.length, 1);
          assert.deepEqual(dataOf(store, 'a'), { x: '1' });
          assert.deepEqual(dataOf(store, 'b'), { y: '2' });
        },
        { a: { x: '1' }, b: { y: '2' } },
      ));

    it('delivers what is added, changed and removed, and nothing else', () =>
      withSource(
        make,
        async (rig, store, updates) => {
          rig.hold({ a: { x: '2' }, c: {}, same: {} });
          await until(() => dataOf(store, 'c') !== undefined && dataOf(store, 'b') === undefined);
          assert.deepEqual(dataOf(store, 'a'), { x: '2' });
          const names = updates
            .slice(1)
            .flatMap(({ writes }) =>
              writes.map((w) =>
                w.op === 'put' ? w.object.metadata.name : w.op === 'delete' ? w.name : '',
              ),
            );
          assert.deepEqual(new Set(names), new Set(['a', 'b', 'c']));
        },
        { a: { x: '1' }, b: {}, same: {} },
      ));

    it('knows where its objects and their fields stand', () =>
      withSource(
        make,
        async ({ source }, store) => {
          const ref = store.snapshot().sourceOf(ConfigMap, 'n', 'a');
          assert.ok(ref);
          const whole = source.locate(ref, '');
          const field = source.locate(ref, 'data[x]') ?? source.locate(ref, 'data.x');
          assert.ok(whole !== undefined && field !== undefined);
          assert.ok(field.line >= whole.line && field.column > 0);
        },
        { a: { x: '1' } },
      ));

    it('delivers nothing after it was told to stop', async () => {
      const rig = make();
      const stop = new AbortController();
      let updates = 0;
      rig.hold({ a: {} });
      await rig.source.start(() => updates++, stop.signal);
      stop.abort();
      const before = updates;
      rig.hold({ a: { x: 'changed' } });
      await new Promise((resolve) => setTimeout(resolve, 300));
      rig.remove();
      assert.equal(updates, before);
    });
  });
}
