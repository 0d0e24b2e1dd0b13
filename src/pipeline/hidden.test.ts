// An object of the API that a file has too: the file counts, and then the object is what it was.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap } from '../api/core/config-map.ts';
import type { Kind, KubeObject } from '../api/kind.ts';
import { Store } from '../store/store.ts';
import { HiddenObjects } from './hidden.ts';

const KIND = ConfigMap as unknown as Kind;
const API = { source: 'api', file: '', document: 0 };
const FILE = { source: 'files', file: 'a.yaml', document: 0 };

function map(value: string): KubeObject {
  const metadata = { name: 'a', namespace: 'default' };
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value } };
  return object as unknown as KubeObject;
}

test('what was written through the API is back when the file no longer has it', () => {
  const store = new Store();
  const hidden = new HiddenObjects(store);
  store.write([{ op: 'put', kind: KIND, object: map('api'), source: API }]);
  const uid = store.get(KIND, 'default', 'a')?.object.metadata.uid;
  const file = { op: 'put', kind: KIND, object: map('file'), source: FILE } as const;
  store.write(hidden.take([file]));
  assert.deepEqual(store.get(KIND, 'default', 'a')?.source, FILE);
  assert.match(hidden.findings()[0]?.message ?? '', /^ConfigMap default\/a was written/);
  const gone = { op: 'delete', kind: KIND, namespace: 'default', name: 'a' } as const;
  store.write(hidden.take([gone]));
  const entry = store.get(KIND, 'default', 'a');
  assert.deepEqual((entry?.object as { data?: object } | undefined)?.data, { value: 'api' });
  assert.deepEqual([entry?.source, entry?.object.metadata.uid], [API, uid]);
  assert.deepEqual(hidden.findings(), []);
});

test('what went with its namespace does not come back', () => {
  const store = new Store();
  const hidden = new HiddenObjects(store);
  store.write([{ op: 'put', kind: KIND, object: map('api'), source: API }]);
  store.write(hidden.take([{ op: 'put', kind: KIND, object: map('file'), source: FILE }]));
  const gone = { op: 'delete', kind: KIND, namespace: 'default', name: 'a' } as const;
  store.write([gone]);
  store.write(hidden.take([gone]));
  assert.equal(store.get(KIND, 'default', 'a'), undefined);
});
