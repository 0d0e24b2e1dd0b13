// The objects of one kind, as an API server has them: streamed where the server offers that (WatchList),
// otherwise listed by pages, then watched from there on. When a watch breaks it goes on from where it was;
// when that is too long ago (410), everything is read anew, and only what differs is told.

import type { KubeClient, KubeJson } from './client.ts';
import { KUBE_LIMITS } from './limits.ts';
import { KubeStatusError } from './problem.ts';

/** What became of one object. */
export interface ReflectedChange {
  readonly namespace: string;
  readonly name: string;
  /** Undefined when it is gone. */
  readonly object: KubeJson | undefined;
}

export interface ReflectorOptions {
  readonly client: KubeClient;
  /** As `/api/v1/services`. */
  readonly path: string;
  /** As `labelSelector=…`; empty for everything. */
  readonly query: string;
  /** Everything there is, as changes: the first time, and after each list. */
  readonly onSynced: (changes: readonly ReflectedChange[]) => void;
  readonly onChange: (change: ReflectedChange) => void;
  /** What keeps it from reading; undefined when it reads again. */
  readonly onProblem: (error: unknown) => void;
  /** From 0 to 1: what waiting times are spread by. */
  readonly random: () => number;
}

const INITIAL_END = 'k8s.io/initial-events-end';

interface Known {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly version: string;
}

export class Reflector {
  readonly #options: ReflectorOptions;
  readonly #known = new Map<string, Known>();
  /** Where to go on from; undefined when everything has to be read. */
  #version: string | undefined;
  #streamsLists = true;
  #failures = 0;

  constructor(options: ReflectorOptions) {
    this.#options = options;
  }

  /** Reads until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const startedMs = performance.now();
      try {
        if (this.#version === undefined && !this.#streamsLists) await this.#list(signal);
        await this.#watch(signal);
        // A server that ends every watch at once is not asked a thousand times a second.
        if (performance.now() - startedMs < KUBE_LIMITS.watchShortMs) await this.#pause(0, signal);
        else this.#failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        await this.#recover(error, signal);
      }
    }
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    const status = error instanceof KubeStatusError ? error : undefined;
    if (status?.isExpired === true && this.#version !== undefined) {
      this.#version = undefined;
      await this.#pause(0, signal);
      return;
    }
    const isRefused = status !== undefined && (status.code === 400 || status.code === 422);
    if (isRefused && this.#version === undefined && this.#streamsLists) {
      // A server that does not stream lists says that the parameters are invalid.
      this.#streamsLists = false;
      return;
    }
    this.#options.onProblem(error);
    await this.#pause(status?.retryAfterMs ?? 0, signal);
  }

  /** Longer each time, until something comes through. */
  async #pause(leastMs: number, signal: AbortSignal): Promise<void> {
    const { backoffMinMs, backoffMaxMs } = KUBE_LIMITS;
    const fullMs = Math.min(backoffMaxMs, backoffMinMs * 2 ** this.#failures);
    this.#failures++;
    const waitMs = Math.max(leastMs, fullMs * (0.5 + this.#options.random() / 2));
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, waitMs);
      signal.addEventListener('abort', end, { once: true });
    });
  }

  async #list(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const isPaged = attempt < KUBE_LIMITS.pagedListsMax;
      try {
        const { items, version } = await this.#pages(isPaged, signal);
        this.#failures = 0;
        this.#options.onProblem(undefined);
        this.#replace(items, version);
        return;
      } catch (error) {
        const isExpired = error instanceof KubeStatusError && error.isExpired;
        if (!isExpired || !isPaged) throw error;
      }
    }
  }

  async #pages(
    isPaged: boolean,
    signal: AbortSignal,
  ): Promise<{ readonly items: readonly KubeJson[]; readonly version: string }> {
    const items: KubeJson[] = [];
    for (let next = ''; ;) {
      const path = this.#path({
        ...(isPaged ? { limit: String(KUBE_LIMITS.pageObjects) } : {}),
        ...(next === '' ? {} : { continue: next }),
      });
      const page = await this.#options.client.ask(path, signal);
      for (const item of page.items ?? []) items.push(item);
      next = page.metadata?.continue ?? '';
      if (next === '') return { items, version: page.metadata?.resourceVersion ?? '' };
    }
  }

  /** Follows changes until the server ends the watch. Throws when it breaks. */
  async #watch(signal: AbortSignal): Promise<void> {
    const { client, random, onProblem } = this.#options;
    const seconds = Math.round(KUBE_LIMITS.watchSecondsMin * (1 + random()));
    /** Objects of a list that is still being streamed. */
    let initial: Map<string, KubeJson> | undefined =
      this.#version === undefined ? new Map() : undefined;
    const path = this.#path({
      watch: 'true',
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(seconds),
      ...(initial === undefined
        ? { resourceVersion: this.#version! }
        : { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' }),
    });
    const timeoutMs = seconds * 1000 + KUBE_LIMITS.watchGraceMs;
    const onOpen = (): void => onProblem(undefined);
    for await (const { type, object } of client.watch(path, { timeoutMs, onOpen }, signal)) {
      if (signal.aborted) return;
      if (type === 'ERROR') throw statusOf(object);
      const version = object.metadata?.resourceVersion ?? '';
      if (isOlder(version, this.#version)) {
        // Versions only grow: this server began anew, from less than we know.
        throw new KubeStatusError(
          410,
          'Expired',
          `version ${version} comes after ${this.#version}`,
        );
      }
      if (initial === undefined) {
        this.#failures = 0;
        if (type !== 'BOOKMARK') this.#tell(object, type === 'DELETED');
        if (version !== '') this.#version = version;
      } else if (type === 'BOOKMARK') {
        if (object.metadata?.annotations?.[INITIAL_END] !== 'true') continue;
        this.#failures = 0;
        this.#replace([...initial.values()], version);
        initial = undefined;
      } else if (type === 'DELETED') initial.delete(keyOf(object));
      else initial.set(keyOf(object), object);
    }
  }

  #tell(object: KubeJson, isGone: boolean): void {
    const { namespace = '', name = '', uid = '', resourceVersion = '' } = object.metadata ?? {};
    const key = keyOf(object);
    if (isGone) this.#known.delete(key);
    else {
      if (this.#known.get(key)?.version === resourceVersion) return;
      this.#known.set(key, { namespace, name, uid, version: resourceVersion });
    }
    this.#options.onChange({ namespace, name, object: isGone ? undefined : object });
  }

  /** What differs from what was known: gone, new, or of another version. */
  #replace(items: readonly KubeJson[], version: string): void {
    const changes: ReflectedChange[] = [];
    const kept = new Set<string>();
    for (const object of items) {
      const { namespace = '', name = '', uid = '', resourceVersion = '' } = object.metadata ?? {};
      const key = keyOf(object);
      kept.add(key);
      const known = this.#known.get(key);
      if (known?.uid === uid && known.version === resourceVersion) continue;
      this.#known.set(key, { namespace, name, uid, version: resourceVersion });
      changes.push({ namespace, name, object });
    }
    for (const [key, { namespace, name }] of this.#known) {
      if (kept.has(key)) continue;
      this.#known.delete(key);
      changes.push({ namespace, name, object: undefined });
    }
    this.#version = version;
    this.#options.onSynced(changes);
  }

  #path(parameters: Readonly<Record<string, string>>): string {
    const { path, query } = this.#options;
    const own = new URLSearchParams(parameters).toString();
    const all = [query, own].filter((part) => part !== '').join('&');
    return all === '' ? path : `${path}?${all}`;
  }
}

function isOlder(version: string, known: string | undefined): boolean {
  const isNumber = /^\d{1,15}$/;
  return (
    known !== undefined &&
    isNumber.test(version) &&
    isNumber.test(known) &&
    Number(version) < Number(known)
  );
}

function keyOf({ metadata }: KubeJson): string {
  return `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`;
}

function statusOf(object: KubeJson): KubeStatusError {
  const { code, reason, message } = object as { code?: number; reason?: string; message?: string };
  return new KubeStatusError(code ?? 500, reason ?? '', message ?? 'the watch failed');
}
