// Hosts outside that are backends: looks their names up, and again when the answer's time is over, and
// tells the addresses that requests may be sent to. What a name leads to is asked of the address itself,
// each time: a name that is somebody else's today may be ours tomorrow.
//
// Not on the way of any request. Allocates what the resolver of Node.js does, each time it looks.
//
// Not hot: once for each lookup.

import { lookup, Resolver } from 'node:dns/promises';
import { whyInside } from '../../../lib/outside.ts';
import type { ExternalHost } from '../../../model/model.ts';
import type { ExternalRules, ForbiddenHost } from '../messages.ts';
import type { Counters } from './counters.ts';
import type { Limits } from './limits.ts';

export interface OutsideHostsOptions {
  readonly limits: Limits;
  readonly counters: Counters;
  readonly rules: ExternalRules;
  /** Whether we listen there ourselves. */
  readonly isOurs: (address: string, port: number) => boolean;
  /** Which hosts have no address but such that are not outside, whenever that changes. */
  readonly onForbidden: (forbidden: readonly ForbiddenHost[]) => void;
}

/** Who wants to know the addresses of a host, and of any later change; whether there are others, not outside. */
type Follower = (addresses: readonly string[], isForbidden: boolean) => void;

interface Followed {
  readonly key: string;
  readonly host: ExternalHost;
  readonly tell: Follower;
  last: string;
  forbidden: ForbiddenHost | null;
}

export class OutsideHosts {
  readonly #options: OutsideHostsOptions;
  readonly #lookups = new Map<string, Lookup>();
  /** By key of the backend. */
  readonly #followers = new Map<string, Followed>();
  readonly #resolver: Resolver;
  /** Something is to be told of forbidden hosts. */
  #isNews = false;

  constructor(options: OutsideHostsOptions) {
    this.#options = options;
    const { hostLookupTimeoutMs } = options.limits;
    this.#resolver = new Resolver({ timeout: hostLookupTimeoutMs, tries: 2 });
    const { nameservers } = options.rules;
    if (nameservers.length > 0) this.#resolver.setServers([...nameservers]);
  }

  /** Tells the addresses of a backend's host as soon as they are known, and whenever they change. */
  follow(key: string, host: ExternalHost, tell: Follower): void {
    const before = this.#followers.get(key);
    if (before !== undefined && before.host.name !== host.name) this.leave(key);
    if (before?.forbidden) this.#announce();
    const followed: Followed = { key, host, tell, last: '', forbidden: null };
    this.#followers.set(key, followed);
    let found = this.#lookups.get(host.name);
    if (found === undefined) {
      if (this.#lookups.size >= this.#options.limits.hostsMax) {
        this.#options.counters.hostsDropped++;
        return;
      }
      found = new Lookup(host.name, {
        limits: this.#options.limits,
        counters: this.#options.counters,
        ask: (name) => this.#ask(name),
        onChange: (lookedUp) => this.#tellAll(lookedUp),
      });
      this.#lookups.set(host.name, found);
      found.start();
    }
    this.#tell(followed, found.addresses);
  }

  leave(key: string): void {
    const followed = this.#followers.get(key);
    if (followed === undefined) return;
    this.#followers.delete(key);
    if (followed.forbidden !== null) this.#announce();
    const { name } = followed.host;
    if ([...this.#followers.values()].some(({ host }) => host.name === name)) return;
    this.#lookups.get(name)?.stop();
    this.#lookups.delete(name);
  }

  /** Looks anew at which addresses are ours, after ports were opened or closed. */
  recheck(): void {
    for (const found of this.#lookups.values()) this.#tellAll(found);
  }

  /** Resolves when every name has been looked up once, or soon if some take their time. */
  async settled(): Promise<void> {
    const waiting = [...this.#lookups.values()].filter((l) => !l.isKnown).map((l) => l.first);
    if (waiting.length === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const soon = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#options.limits.hostWaitMs);
    });
    await Promise.race([Promise.all(waiting), soon]);
    clearTimeout(timer);
  }

  /** Says which hosts are forbidden, if that has changed since it was last said. */
  report(): void {
    if (!this.#isNews) return;
    this.#isNews = false;
    const all = [...this.#followers.values()].map(({ forbidden }) => forbidden);
    this.#options.onForbidden(all.filter((f) => f !== null));
  }

  /** What changes in one turn is told at once. */
  #announce(): void {
    if (!this.#isNews) setImmediate(() => this.report());
    this.#isNews = true;
  }

  stop(): void {
    for (const found of this.#lookups.values()) found.stop();
    this.#lookups.clear();
    this.#followers.clear();
    this.#resolver.cancel();
  }

  #tellAll(found: Lookup): void {
    for (const followed of this.#followers.values()) {
      if (followed.host.name === found.name) this.#tell(followed, found.addresses);
    }
  }

  #tell(followed: Followed, addresses: readonly string[]): void {
    const { rules, isOurs, counters, limits } = this.#options;
    const { name, port } = followed.host;
    const allowed = addresses.filter((a) => whyInside(a, rules) === undefined && !isOurs(a, port));
    const [address] = allowed.length > 0 ? [] : addresses;
    if (address !== followed.forbidden?.address) this.#announce();
    followed.forbidden = null;
    if (address !== undefined) {
      const why = whyInside(address, rules);
      const backend = followed.key;
      const isOwn = why === undefined;
      const at = why ?? 'where we listen ourselves';
      followed.forbidden = { backend, name, address, why: at, isOurs: isOwn };
    }
    counters.hostsForbidden += addresses.length - allowed.length;
    const told = allowed.slice(0, limits.hostAddressesMax);
    const isForbidden = allowed.length < addresses.length;
    const text = `${isForbidden} ${told.join(' ')}`;
    if (text === followed.last) return;
    followed.last = text;
    followed.tell(told, isForbidden);
  }

  async #ask(name: string): Promise<Answered> {
    const answers = await Promise.allSettled([
      this.#resolver.resolve4(name, { ttl: true }),
      this.#resolver.resolve6(name, { ttl: true }),
    ]);
    const records = answers.flatMap((a) => (a.status === 'fulfilled' ? a.value : []));
    if (records.length > 0) {
      return {
        addresses: [...new Set(records.map((r) => r.address))].toSorted(),
        ttlMs: Math.min(...records.map((r) => r.ttl)) * 1000,
      };
    }
    const codes = answers.map((a) => (a.status === 'rejected' ? codeOf(a.reason) : ''));
    // A machine may know names that DNS does not; other servers than its own were asked on purpose.
    const fromSystem = this.#options.rules.nameservers.length > 0 ? [] : await askSystem(name);
    if (fromSystem.length > 0) return { addresses: fromSystem, ttlMs: 0 };
    return codes.every((code) => NOTHING_THERE.has(code)) ? { addresses: [], ttlMs: 0 } : null;
  }
}

/** Null: nobody answered, which says nothing of the name. */
type Answered = { readonly addresses: readonly string[]; readonly ttlMs: number } | null;

const NOTHING_THERE: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA', '']);

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}

async function askSystem(name: string): Promise<readonly string[]> {
  try {
    const found = await lookup(name, { all: true });
    return [...new Set(found.map(({ address }) => address))].toSorted();
  } catch {
    return [];
  }
}

interface LookupOptions {
  readonly limits: Limits;
  readonly counters: Counters;
  readonly ask: (name: string) => Promise<Answered>;
  readonly onChange: (lookup: Lookup) => void;
}

/** One name, looked up again and again. */
class Lookup {
  readonly name: string;
  addresses: readonly string[] = [];
  isKnown = false;
  readonly first: Promise<void>;
  readonly #options: LookupOptions;
  #onFirst: () => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;
  #answeredAtMs = 0;
  #stopped = false;

  constructor(name: string, options: LookupOptions) {
    this.name = name;
    this.#options = options;
    this.first = new Promise((resolve) => (this.#onFirst = resolve));
  }

  start(): void {
    void this.#look();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#onFirst();
  }

  async #look(): Promise<void> {
    const { limits, counters, ask, onChange } = this.#options;
    const answered = await ask(this.name);
    if (this.#stopped) return;
    counters.hostLookups++;
    const nowMs = performance.now();
    if (answered !== null) {
      this.addresses = answered.addresses;
      this.#answeredAtMs = nowMs;
    } else {
      counters.hostLookupsFailed++;
      // Old addresses are better than none, for a while.
      if (nowMs - this.#answeredAtMs > limits.hostStaleMs) this.addresses = [];
    }
    this.isKnown = true;
    this.#onFirst();
    onChange(this);
    const wanted = answered?.ttlMs ?? 0;
    const waitMs = Math.min(Math.max(wanted, limits.hostTtlMsMin), limits.hostTtlMsMax);
    this.#timer = setTimeout(() => void this.#look(), waitMs).unref();
  }
}
