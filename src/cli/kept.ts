// The objects that were written through the API, as they were left: a store that begins with them and
// a database that follows it.

import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { ALL_KINDS } from '../api/all-kinds.ts';
import type { Kind, KubeObject } from '../api/kind.ts';
import { API_SOURCE, Storage } from '../apiserver/storage/storage.ts';
import { pathsFrom } from '../config/paths.ts';
import { kindKey } from '../store/snapshot.ts';
import { Store } from '../store/store.ts';

export interface KeepingOptions {
  /** What is served: each set of paths keeps objects of its own. */
  readonly paths: readonly string[];
  /** Where instead; null for the usual place. */
  readonly directory: string | null;
  /** Nothing is kept beyond this run. */
  readonly isTemporary: boolean;
  readonly onError: (error: unknown) => void;
}

/** Opens what is kept and puts it into a new store. */
export function openKept(options: KeepingOptions, newUid: () => string): Kept {
  const path = options.isTemporary ? ':memory:' : databasePath(options);
  const storage = new Storage({ path, onError: options.onError });
  const store = new Store({ newUid, revision: storage.revision });
  const kinds = new Map(ALL_KINDS.map((kind) => [kindKey(kind), kind]));
  let restored = 0;
  for (const { kind: key, object } of storage.load()) {
    const kind = kinds.get(key);
    if (kind === undefined) continue;
    store.restore(kind, object, API_SOURCE);
    restored++;
  }
  const isKept = (kind: Kind, { metadata }: KubeObject): boolean =>
    store.get(kind, metadata.namespace ?? '', metadata.name ?? '')?.source?.source ===
    API_SOURCE.source;
  store.subscribe((changes) => storage.follow(changes, isKept));
  return { store, storage, restored, path: options.isTemporary ? null : path };
}

export interface Kept {
  readonly store: Store;
  readonly storage: Storage;
  /** How many objects were there from before. */
  readonly restored: number;
  /** The database; null when nothing is kept. */
  readonly path: string | null;
}

function databasePath({ paths, directory }: KeepingOptions): string {
  const base = directory ?? join(pathsFrom(process.env).data, 'objects');
  const whole = paths.map((path) => (path === '-' ? path : resolve(path))).join('\n');
  const name =
    paths.length === 0 ? 'cluster' : createHash('sha256').update(whole).digest('hex').slice(0, 16);
  return join(base, `${name}.db`);
}
