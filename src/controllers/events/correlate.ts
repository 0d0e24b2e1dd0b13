// What happened → Events, kept few as Kubernetes' own event correlator keeps them
// (k8s.io/client-go/tools/record): the same again counts up the Event there is, much of one kind becomes
// one Event, and an object that never rests is told of at intervals only. All numbers have a bound.

import { Event } from '../../api/core/event.ts';
import type { Kind } from '../../api/kind.ts';
import type { ObjectWrite } from '../../store/write.ts';
import type { Happening, Regarding } from './happening.ts';

/** Events of ours at once; the one that was quiet for longest goes first. */
const EVENTS_MAX = 2_000;
/** Different messages of one reason about one object within the window; more are one Event. */
const SIMILAR_MAX = 10;
const SIMILAR_WINDOW_MS = 10 * 60_000;
/** Events about one object by one component: so many at once, then one in so long. */
const BURST = 25;
const REFILL_MS = 300_000;
/** What is remembered of what happened before. */
const MEMORY_MAX = 4_096;
/** As the API wants it. */
const MESSAGE_BYTES_MAX = 1024;

interface Known {
  readonly name: string;
  readonly namespace: string;
  readonly firstTimestamp: string;
  count: number;
}

interface Similar {
  readonly messages: Set<string>;
  sinceMs: number;
}

interface Bucket {
  left: number;
  atMs: number;
}

export interface CorrelatorOptions {
  /** Whether the Event is still there: anybody may delete it. */
  readonly exists: (namespace: string, name: string) => boolean;
}

export class Correlator {
  readonly #exists: CorrelatorOptions['exists'];
  readonly #known = new Memory<Known>();
  readonly #similar = new Memory<Similar>();
  readonly #buckets = new Memory<Bucket>();
  /** Events of ours, the quietest first. */
  readonly #own = new Map<string, Known>();
  #serial = 0;

  constructor({ exists }: CorrelatorOptions) {
    this.#exists = exists;
  }

  /** The writes that tell of what happened. Nothing is told of what there is too much of. */
  record(happenings: readonly Happening[], now: Date): readonly ObjectWrite[] {
    const written = new Map<string, ObjectWrite>();
    for (const happening of happenings) {
      if (this.#isSpam(happening, now.getTime())) continue;
      this.#write(this.#combined(happening, now.getTime()), now, written);
    }
    return [...written.values(), ...this.#dropQuiet()];
  }

  #isSpam({ regarding, component }: Happening, nowMs: number): boolean {
    const key = `${component} ${identityOf(regarding)}`;
    const bucket = this.#buckets.get(key) ?? { left: BURST, atMs: nowMs };
    const refilled = Math.floor((nowMs - bucket.atMs) / REFILL_MS);
    bucket.left = Math.min(BURST, bucket.left + refilled);
    bucket.atMs += refilled * REFILL_MS;
    this.#buckets.set(key, bucket);
    if (bucket.left === 0) return true;
    bucket.left--;
    return false;
  }

  /** One Event for many that differ in their messages alone. */
  #combined(happening: Happening, nowMs: number): Happening & { readonly key: string } {
    const { regarding, type, reason, component, message } = happening;
    const group = [component, identityOf(regarding), type, reason].join('\n');
    let similar = this.#similar.get(group);
    if (similar === undefined || nowMs - similar.sinceMs > SIMILAR_WINDOW_MS) {
      similar = { messages: new Set(), sinceMs: nowMs };
    }
    this.#similar.set(group, similar);
    if (similar.messages.size < SIMILAR_MAX) similar.messages.add(message);
    if (similar.messages.has(message)) return { ...happening, key: `${group}\n${message}` };
    return {
      ...happening,
      key: group,
      message: `(combined from similar events): ${message}`,
    };
  }

  /** Adds the write of one, or replaces that of the same one before. */
  #write(
    happening: Happening & { readonly key: string },
    now: Date,
    written: Map<string, ObjectWrite>,
  ): void {
    const time = `${now.toISOString().slice(0, 19)}Z`;
    const { regarding, key } = happening;
    const before = this.#known.get(key);
    const isThere =
      before !== undefined &&
      (written.has(idOf(before)) || this.#exists(before.namespace, before.name));
    const known = isThere
      ? before
      : {
          // Events of what is in no namespace are kept in default.
          namespace: regarding.namespace === '' ? 'default' : regarding.namespace,
          name: `${regarding.name}.${this.#suffix(now)}`,
          firstTimestamp: time,
          count: 0,
        };
    known.count++;
    this.#known.set(key, known);
    const id = idOf(known);
    this.#own.delete(id);
    this.#own.set(id, known);
    written.set(id, { op: 'put', kind: KIND, object: eventOf(happening, known, time) });
  }

  /** As upstream: the time in nanoseconds, which no two of ours share. */
  #suffix(now: Date): string {
    const nanoseconds = BigInt(now.getTime()) * 1_000_000n + BigInt(this.#serial++ % 1_000_000);
    return nanoseconds.toString(16);
  }

  #dropQuiet(): readonly ObjectWrite[] {
    const writes: ObjectWrite[] = [];
    for (const [id, { namespace, name }] of this.#own) {
      if (this.#own.size <= EVENTS_MAX) break;
      this.#own.delete(id);
      writes.push({ op: 'delete', kind: KIND, namespace, name });
    }
    return writes;
  }

  /** An Event of ours is gone. */
  forget(namespace: string, name: string): void {
    this.#own.delete(idOf({ namespace, name }));
  }
}

const KIND = Event as unknown as Kind;

function idOf({ namespace, name }: Pick<Known, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

function eventOf(happening: Happening, known: Known, time: string): Event {
  const { regarding, type, reason, message, component, host } = happening;
  return {
    apiVersion: 'v1',
    kind: Event.kind,
    metadata: { name: known.name, namespace: known.namespace },
    involvedObject: regarding,
    reason,
    message: cut(message),
    source: { component, ...(host === undefined ? {} : { host }) },
    firstTimestamp: known.firstTimestamp,
    lastTimestamp: time,
    count: known.count,
    type,
    reportingComponent: component,
    reportingInstance: host ?? '',
  };
}

function cut(message: string): string {
  if (Buffer.byteLength(message) <= MESSAGE_BYTES_MAX) return message;
  const start = Buffer.from(message).subarray(0, MESSAGE_BYTES_MAX - 4);
  return `${start.toString('utf8').replace(/\uFFFD$/, '')}…`;
}

function identityOf({ kind, namespace, name, uid, fieldPath = '' }: Regarding): string {
  return [kind, namespace, name, uid, fieldPath].join('/');
}

/** A map that forgets what was not used for longest. */
class Memory<T> {
  readonly #entries = new Map<string, T>();

  get(key: string): T | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: T): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= MEMORY_MAX) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }
}

/** Events last as long as upstream: an hour from their last write. */
export const EVENT_TTL_MS = 3_600_000;

/** When an Event was last written, as far as it says so. */
export function lastSeenMs({ metadata, lastTimestamp, series }: Event): number {
  const times = [metadata.creationTimestamp, lastTimestamp, series?.lastObservedTime];
  return Math.max(0, ...times.map((time) => Date.parse(time ?? '')).filter((ms) => ms > 0));
}
