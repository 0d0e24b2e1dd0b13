// The objects that were written through the API, as they were left: a store that begins with them and
// a database that follows it.

import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { ALL_KINDS } from '../api/all-kinds.ts';
import type { Kind, KubeObject } from '../api/kind.ts';
import type { CustomResourceDefinition } from '../api/apiextensions/crd.ts';
import { API_SOURCE, Storage } from '../apiserver/storage/storage.ts';
import type { KeptObject } from '../apiserver/storage/storage.ts';
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
export async function openKept(options: KeepingOptions, newUid: () => string): Promise<Kept> {
  const path = options.isTemporary ? ':memory:' : databasePath(options);
  const storage = new Storage({ path, onError: options.onError });
  // A cluster that begins anew goes on above what clients of the one before it remember, by the clock.
  const revision = storage.revision === 0 ? Date.now() : storage.revision;
  const store = new Store({ newUid, revision });
  const rows = storage.load();
  const customKinds = await customKindsIn(rows);
  const kinds = new Map([...ALL_KINDS, ...customKinds].map((kind) => [kindKey(kind), kind]));
  let restored = 0;
  for (const { kind: key, object } of rows) {
    const kind = kinds.get(key);
    if (kind === undefined) continue;
    store.restore(kind, object, API_SOURCE);
    restored++;
  }
  const isKept = (kind: Kind, { metadata }: KubeObject): boolean | 'hidden' => {
    const { source } = store.get(kind, metadata.namespace ?? '', metadata.name ?? '') ?? {};
    return source?.source === API_SOURCE.source || (source?.source === 'files' && 'hidden');
  };
  store.keepWith((changes) => storage.keep(changes, isKept));
  store.subscribe((changes) => storage.follow(changes, isKept));
  return { store, storage, restored, customKinds, path: options.isTemporary ? null : path };
}

/** The kinds users have defined; the library behind them is loaded only when there are any. */
async function customKindsIn(rows: readonly KeptObject[]): Promise<readonly Kind[]> {
  const definitions = rows.filter(({ kind }) => kind === DEFINITION_KEY);
  if (definitions.length === 0) return [];
  const { CustomResourceDefinition } = await import('../api/apiextensions/crd.ts');
  const { kindsOf } = await import('../apiserver/definitions/definitions.ts');
  return [
    CustomResourceDefinition as unknown as Kind,
    ...definitions.map(({ object }) => kindsOf(object as CustomResourceDefinition).storage),
  ];
}

const DEFINITION_KEY = 'apiextensions.k8s.io/v1/CustomResourceDefinition';

export interface Kept {
  readonly store: Store;
  readonly storage: Storage;
  /** How many objects were there from before. */
  readonly restored: number;
  /** The kinds users had defined, and definitions themselves where there are any. */
  readonly customKinds: readonly Kind[];
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
