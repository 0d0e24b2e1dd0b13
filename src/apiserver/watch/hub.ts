// Who watches what: hands every change to the watches it concerns, in order. A change is turned into
// text once for all watches that want it in the same form.

import type { Kind, KubeObject } from '../../api/kind.ts';
import { kindKey } from '../../store/snapshot.ts';
import type { Change } from '../../store/store.ts';
import { forgetText } from '../object-text.ts';
import type { Predicate } from '../select.ts';
import { WatchLog } from './log.ts';

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';

export interface WatchScope {
  readonly kind: Kind;
  /** Empty for all. */
  readonly namespace: string;
  /** Undefined selects everything. */
  readonly selects: Predicate | undefined;
}

/** One client's watch. `text` makes the line of an event; lines of the same form are made once. */
export interface Watch {
  readonly scope: WatchScope;
  /** Names the form of the lines: watches with the same form share them. */
  readonly form: string;
  line(type: EventType, object: KubeObject): string;
  send(line: string): void;
  /** Its first event says more than others do, as the columns of a table: true until one was sent. */
  isFirst(): boolean;
  sendFirst(type: EventType, object: KubeObject): void;
}

export class WatchHub {
  readonly log: WatchLog;
  readonly #watches = new Map<string, Set<Watch>>();
  #count = 0;

  constructor(revision: number) {
    this.log = new WatchLog(revision);
  }

  /** How many watches there are. */
  get count(): number {
    return this.#count;
  }

  /** Adds a watch until the returned function is called. */
  add(watch: Watch): () => void {
    const key = kindKey(watch.scope.kind);
    const set = this.#watches.get(key) ?? new Set();
    this.#watches.set(key, set.add(watch));
    this.#count++;
    return () => {
      if (set.delete(watch)) this.#count--;
    };
  }

  /** Tells everybody whom they concern. */
  publish(changes: readonly Change[]): void {
    for (const change of changes) {
      // The log keeps objects of before, which few will ask for again.
      if (change.before !== undefined) forgetText(change.before);
      this.log.add(change);
      const watches = this.#watches.get(kindKey(change.kind));
      if (watches === undefined || watches.size === 0) continue;
      const lines = new Map<string, string>();
      for (const watch of watches) {
        const event = eventFor(change, watch.scope);
        if (event === undefined) continue;
        if (watch.isFirst()) {
          watch.sendFirst(event.type, event.object);
          continue;
        }
        const form = `${event.type} ${watch.form}`;
        let line = lines.get(form);
        if (line === undefined) {
          line = watch.line(event.type, event.object);
          lines.set(form, line);
        }
        watch.send(line);
      }
    }
  }
}

/**
 * What a change is to a watch: an object that comes to be selected is added, one that is selected no
 * longer is deleted. Undefined when it is nothing.
 */
export function eventFor(
  { before, after, revision }: Change,
  { namespace, selects }: WatchScope,
): { readonly type: EventType; readonly object: KubeObject } | undefined {
  const concerns = (object: KubeObject): boolean =>
    (namespace === '' || object.metadata.namespace === namespace) &&
    (selects === undefined || selects(object));
  const was = before !== undefined && concerns(before);
  if (after !== undefined && concerns(after)) {
    return { type: was ? 'MODIFIED' : 'ADDED', object: after };
  }
  if (!was) return undefined;
  // The last state the client may see, with the revision at which it was gone.
  const metadata = { ...before.metadata, resourceVersion: String(revision) };
  return { type: 'DELETED', object: { ...before, metadata } };
}
