// Writes Events: follows what changes, what is found and what probes say, and keeps an Event of each for
// an hour. Events come a moment after what they tell of, many in one write, so that they never stand in
// the way of it. Those that Fairway writes are not kept on disk: they tell of this run.

import { Event } from '../api/core/event.ts';
import { Namespace } from '../api/core/namespace.ts';
import { Pod } from '../api/core/pod.ts';
import type { Finding } from '../api/finding.ts';
import type { Kind } from '../api/kind.ts';
import { Correlator, EVENT_TTL_MS, lastSeenMs } from '../controllers/events/correlate.ts';
import type { Happening, Objects } from '../controllers/events/happening.ts';
import { happeningsOf } from '../controllers/events/of-changes.ts';
import { findingHappening } from '../controllers/events/of-findings.ts';
import { probeHappenings } from '../controllers/events/of-pods.ts';
import type { ProbeFailure } from '../controllers/events/of-pods.ts';
import type { Change, Store } from '../store/store.ts';
import type { ObjectWrite } from '../store/write.ts';

/** What happens within this time is written together. */
const DELAY_MS = 100;
/** How often Events that are too old are looked for. */
const SWEEP_MS = 60_000;
/** What waits to be written; more at once is more than anybody reads. */
const WAITING_MAX = 4_096;

const KIND = Event as unknown as Kind;

export interface EventRecorderOptions {
  readonly store: Store;
  readonly now?: () => Date;
}

export class EventRecorder {
  readonly #store: Store;
  readonly #now: () => Date;
  readonly #objects: Objects;
  readonly #correlator: Correlator;
  readonly #unsubscribe: () => void;
  readonly #sweep: NodeJS.Timeout;
  /** Findings as they were last, by what they say. */
  #findings: ReadonlySet<string> = new Set();
  /** What each says, as most findings are those of the round before. */
  readonly #texts = new WeakMap<Finding, string>();
  #waiting: Happening[] = [];
  /** Namespaces that are gone: Events in them go too. */
  readonly #gone = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  /** Begins at once. */
  constructor({ store, now = () => new Date() }: EventRecorderOptions) {
    this.#store = store;
    this.#now = now;
    this.#objects = {
      get: (kind, namespace, name) => store.get(kind, namespace, name)?.object,
      podsIn: (namespace) => store.snapshot().table(Pod).inNamespace(namespace),
    };
    this.#correlator = new Correlator({
      exists: (namespace, name) => store.get(KIND, namespace, name) !== undefined,
    });
    this.#unsubscribe = store.subscribe((changes) => this.#notice(changes));
    this.#sweep = setInterval(() => this.sweep(), SWEEP_MS);
    this.#sweep.unref();
  }

  /** Tells of what was not found before. To be called with all findings, whenever they may be others. */
  found(findings: readonly Finding[]): void {
    const all = new Set<string>();
    for (const finding of findings) {
      const text = this.#texts.get(finding) ?? JSON.stringify(finding);
      this.#texts.set(finding, text);
      if (all.has(text)) continue;
      all.add(text);
      if (this.#findings.has(text)) continue;
      const happening = findingHappening(finding, this.#objects);
      if (happening !== undefined) this.#add([happening]);
    }
    this.#findings = all;
  }

  /** A probe has failed often enough to count. */
  probed(pod: Pod, failure: ProbeFailure): void {
    this.#add(probeHappenings(pod, failure));
  }

  /** Deletes what is too old. */
  sweep(): void {
    const oldestMs = this.#now().getTime() - EVENT_TTL_MS;
    const old = this.#store
      .snapshot()
      .list(Event)
      .filter((event) => lastSeenMs(event) < oldestMs);
    if (old.length > 0) this.#store.write(old.map(removal));
  }

  /** Writes at once what waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const happenings = this.#waiting.filter(({ regarding }) => this.#isOpen(regarding.namespace));
    this.#waiting = [];
    const left = [...this.#gone].flatMap((namespace) =>
      this.#store.snapshot().table(Event).inNamespace(namespace).map(removal),
    );
    this.#gone.clear();
    this.#store.write([...left, ...this.#correlator.record(happenings, this.#now())]);
  }

  stop(): void {
    this.#unsubscribe();
    clearInterval(this.#sweep);
    clearTimeout(this.#timer);
  }

  #notice(changes: readonly Change[]): void {
    for (const { kind, before, after } of changes) {
      const gone = after === undefined ? before?.metadata : undefined;
      if (gone === undefined) continue;
      const { namespace = '', name = '' } = gone;
      if (kind.kind === KIND.kind) this.#correlator.forget(namespace, name);
      else if (kind.kind === Namespace.kind) {
        this.#gone.add(name);
        this.#schedule();
      }
    }
    this.#add(happeningsOf(changes, this.#objects));
  }

  #add(happenings: readonly Happening[]): void {
    if (happenings.length === 0 || this.#waiting.length >= WAITING_MAX) return;
    this.#waiting.push(...happenings);
    this.#schedule();
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => this.flush(), DELAY_MS);
    this.#timer.unref();
  }

  /** In a namespace that ends nothing is written any more: it would never end. */
  #isOpen(namespace: string): boolean {
    if (namespace === '') return true;
    const entry = this.#store.get(Namespace as Kind, '', namespace);
    return entry !== undefined && entry.object.metadata.deletionTimestamp === undefined;
  }
}

function removal({ metadata }: Event): ObjectWrite {
  const { namespace = '', name = '' } = metadata;
  return { op: 'delete', kind: KIND, namespace, name };
}
