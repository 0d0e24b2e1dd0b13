// Bookmarks of a watch, by a clock that the test drives.

import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { ConfigMap } from '../../api/core/config-map.ts';
import { Secret } from '../../api/core/secret.ts';
import type { Kind } from '../../api/kind.ts';
import { Store } from '../../store/store.ts';
import { WatchHub } from '../watch/hub.ts';
import { createPresenter } from './present.ts';
import { serveWatch } from './serve-watch.ts';
import type { WatchOptions } from './serve-watch.ts';

const KIND = ConfigMap as unknown as Kind;

interface Line {
  readonly type: string;
  readonly object: {
    readonly kind: string;
    readonly metadata: { readonly resourceVersion: string };
  };
}

class World {
  readonly store = new Store();
  readonly #hub = new WatchHub(0);

  constructor() {
    this.store.subscribe((changes) => this.#hub.publish(changes));
  }

  put(kind: Kind, name: string): void {
    const metadata = { name, namespace: 'default' };
    const object = { apiVersion: 'v1', kind: kind.kind, metadata, data: {} };
    this.store.write([{ op: 'put', kind, object }]);
  }

  watch(options: Partial<WatchOptions>): () => readonly Line[] {
    const response = Object.assign(new PassThrough(), {
      writeHead: () => 0,
      flushHeaders: () => 0,
    });
    const request = { socket: { setKeepAlive: () => undefined } };
    const presenter = createPresenter({
      kind: KIND,
      version: 'v1',
      form: 'Object',
      includeObject: 'Metadata',
      now: () => new Date(),
    });
    serveWatch(
      request as unknown as IncomingMessage,
      response as unknown as ServerResponse,
      { kind: KIND, namespace: '', selects: undefined },
      presenter,
      {
        resourceVersion: '',
        timeoutSeconds: undefined,
        allowsBookmarks: false,
        sendsInitialEvents: false,
        ...options,
      },
      { store: this.store, hub: this.#hub },
    );
    let text = '';
    return () => {
      text += String(response.read() ?? '');
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Line);
    };
  }
}

function clock(t: TestContext): (ms: number) => void {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
  return (ms) => t.mock.timers.tick(ms);
}

test('a bookmark comes each minute, with the revision of now', (t) => {
  const tick = clock(t);
  const world = new World();
  const lines = world.watch({ allowsBookmarks: true, resourceVersion: '0' });
  const silent = world.watch({ resourceVersion: '0' });
  tick(59_999);
  assert.deepEqual(lines(), []);
  // Of a kind that is not watched: the watch has come as far all the same.
  world.put(Secret as unknown as Kind, 's');
  tick(1);
  const { revision } = world.store;
  assert.deepEqual(lines(), [
    {
      type: 'BOOKMARK',
      object: {
        kind: 'ConfigMap',
        apiVersion: 'v1',
        metadata: { resourceVersion: String(revision) },
      },
    },
  ]);
  tick(60_000);
  assert.equal(lines().length, 2);
  assert.deepEqual(silent(), []);
});

test('a watch ends when its time is up, and sends no more bookmarks', (t) => {
  const tick = clock(t);
  const lines = new World().watch({ allowsBookmarks: true, timeoutSeconds: 90 });
  tick(60_000);
  tick(30_000);
  tick(600_000);
  assert.equal(lines().length, 1);
});

test('what is missed is of the kind that is watched', () => {
  const world = new World();
  world.put(KIND, 'a');
  world.put(Secret as unknown as Kind, 'other');
  world.put(KIND, 'b');
  const lines = world.watch({ resourceVersion: '1', timeoutSeconds: 0 });
  assert.deepEqual(
    lines().map(({ type, object }) => `${type} ${object.kind}`),
    ['ADDED ConfigMap'],
  );
});
