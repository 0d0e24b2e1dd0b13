// Reading: one object, or a list in pages. A page after the first is of the objects as they were at the
// first, so that a client that pages sees one moment.

import type { KubeObject } from '../../api/kind.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { Store } from '../../store/store.ts';
import { failure } from '../failure.ts';
import type { Predicate } from '../select.ts';
import type { Resource } from './resources.ts';

/** How many moments are kept for those who page. */
const MOMENTS_MAX = 16;
/** For how long. */
const MOMENT_MS = 5 * 60_000;

export interface ListOptions {
  /** Empty for all. */
  readonly namespace: string;
  readonly selects: Predicate | undefined;
  /** 0 for everything. */
  readonly limit: number;
  readonly continueToken: string;
}

export interface Page {
  readonly objects: readonly KubeObject[];
  readonly resourceVersion: string;
  /** Empty on the last page. */
  readonly continueToken: string;
  readonly remaining: number | undefined;
}

interface Token {
  readonly revision: number;
  /** `namespace/name` of the last object of the page before. */
  readonly after: string;
}

export class Reader {
  readonly #store: Store;
  readonly #moments = new Map<number, { readonly snapshot: Snapshot; readonly untilMs: number }>();

  constructor(store: Store) {
    this.#store = store;
  }

  get({ kind }: Resource, namespace: string, name: string): KubeObject {
    const entry = this.#store.get(kind, namespace, name);
    if (entry === undefined) throw failure.notFound(kind, name);
    return entry.object;
  }

  list({ kind }: Resource, { namespace, selects, limit, continueToken }: ListOptions): Page {
    const token = continueToken === '' ? undefined : readToken(continueToken);
    const snapshot = token === undefined ? this.#store.snapshot() : this.#momentOf(token.revision);
    const table = snapshot.table(kind);
    const all = namespace === '' ? table.objects : table.inNamespace(namespace);
    const first = token === undefined ? 0 : indexAfter(all, token.after);
    const objects: KubeObject[] = [];
    let at = first;
    for (; at < all.length && (limit === 0 || objects.length < limit); at++) {
      const object = all[at] as KubeObject;
      if (selects === undefined || selects(object)) objects.push(object);
    }
    const hasMore = at < all.length;
    if (hasMore) this.#keep(snapshot);
    const last = objects.at(-1);
    return {
      objects,
      resourceVersion: String(snapshot.revision),
      continueToken:
        hasMore && last !== undefined
          ? writeToken({ revision: snapshot.revision, after: keyOf(last) })
          : '',
      // Counting what a selector would still find would be as much work as finding it.
      remaining: hasMore && selects === undefined ? all.length - at : undefined,
    };
  }

  #keep(snapshot: Snapshot): void {
    const now = performance.now();
    this.#moments.delete(snapshot.revision);
    this.#moments.set(snapshot.revision, { snapshot, untilMs: now + MOMENT_MS });
    for (const [revision, { untilMs }] of this.#moments) {
      if (untilMs < now || this.#moments.size > MOMENTS_MAX) this.#moments.delete(revision);
    }
  }

  #momentOf(revision: number): Snapshot {
    const moment = this.#moments.get(revision);
    if (moment === undefined) {
      throw failure.expired(
        'The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.',
      );
    }
    return moment.snapshot;
  }
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}

/** Lists are sorted by namespace, then name. */
function indexAfter(objects: readonly KubeObject[], after: string): number {
  const slash = after.indexOf('/');
  const [namespace, name] = [after.slice(0, slash), after.slice(slash + 1)];
  let low = 0;
  let high = objects.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { metadata } = objects[middle] as KubeObject;
    const own = metadata.namespace ?? '';
    const isBefore = own < namespace || (own === namespace && (metadata.name ?? '') <= name);
    if (isBefore) low = middle + 1;
    else high = middle;
  }
  return low;
}

function writeToken({ revision, after }: Token): string {
  return Buffer.from(JSON.stringify([revision, after])).toString('base64url');
}

function readToken(text: string): Token {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (Array.isArray(value) && typeof value[0] === 'number' && typeof value[1] === 'string') {
      return { revision: value[0], after: value[1] };
    }
  } catch {
    // Said below, as of every token that is none of ours.
  }
  throw failure.badRequest('continue key is not valid: it was not given by this server');
}
