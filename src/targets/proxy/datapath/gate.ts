// What a request must pass before its rule does anything else for it: the size of its body, how often and
// how many at once, addresses, names and passwords, certificates. Each worker counts for itself.
//
// Budget: 2 µs for rules with a guard, nothing for others. A password costs what its hash costs, once
// for each that is right; as long as it is in memory it costs 2 µs.

import { createHash } from 'node:crypto';
import { basicCredentials, checkPassword } from '../../../lib/htpasswd.ts';
import { patternIsIn } from '../../../lib/regex.ts';
import { isWanted } from '../../../model/guard.ts';
import type { ConcurrencyLimit, Guard, RateLimit, ShownCertificate } from '../../../model/guard.ts';
import { fillTemplate } from '../../../model/template.ts';
import type { TemplateSource } from '../../../model/template.ts';
import { fieldValue } from './fields.ts';
import { Networks } from './request-source.ts';
import type { Fields, RequestHead } from './stream.ts';

export interface Refusal {
  readonly status: number;
  readonly reason: string;
  readonly fields: Fields;
}

/** Who asks. */
export interface Asking {
  readonly head: RequestHead;
  readonly client: string;
  readonly source: TemplateSource;
}

/** Clients a zone remembers; the one heard of longest ago is forgotten first. */
const CLIENTS_MAX = 65_536;
/** Passwords known to be right. */
const PASSWORDS_MAX = 1024;

/** Counts of all zones of a worker, which outlive the rules that name them. */
export class Zones {
  readonly #buckets = new Map<string, Map<string, Bucket>>();
  readonly #counts = new Map<string, Map<string, number>>();

  buckets(zone: string): Map<string, Bucket> {
    return getOrMake(this.#buckets, zone);
  }

  counts(zone: string): Map<string, number> {
    return getOrMake(this.#counts, zone);
  }
}

function getOrMake<V>(map: Map<string, Map<string, V>>, key: string): Map<string, V> {
  let value = map.get(key);
  if (value === undefined) {
    value = new Map();
    map.set(key, value);
  }
  return value;
}

interface Bucket {
  /** In thousandths of a request. */
  excess: number;
  lastMs: number;
}

export class Gate {
  readonly #guard: Guard;
  readonly #allow: Networks | null;
  readonly #deny: Networks | null;
  readonly #exempt: readonly Networks[];
  readonly #freely: Networks | null;
  readonly #users: ReadonlyMap<string, string>;
  readonly #right = new Set<string>();

  constructor(guard: Guard) {
    this.#guard = guard;
    const { clients, rates, requests, basic } = guard;
    this.#allow = clients?.allow === undefined ? null : new Networks(clients.allow);
    this.#deny =
      clients === undefined || clients.deny.length === 0 ? null : new Networks(clients.deny);
    this.#exempt = rates.map(({ exempt }) => new Networks(exempt));
    this.#freely = requests === undefined ? null : new Networks(requests.exempt);
    const users = new Map<string, string>();
    for (const [name, hash] of basic?.users ?? []) if (!users.has(name)) users.set(name, hash);
    this.#users = users;
  }

  /** So many bytes a body may have; 0 for no limit. */
  get bodyBytesMax(): number {
    return this.#guard.bodyBytesMax ?? 0;
  }

  /** Null for a certificate, or its absence, that may go on. Asked before everything else. */
  refuseCertificate(shown: ShownCertificate | null): Refusal | null {
    const { clientCertificate: asked } = this.#guard;
    if (asked === undefined) return null;
    const { statusCode, redirect, subject } = asked;
    if (!isWanted(asked, shown)) {
      const reason = 'the client shows no certificate that is valid here';
      if (redirect === undefined) return { status: statusCode, reason, fields: [] };
      return { status: 302, reason: '', fields: ['location', redirect] };
    }
    if (subject === undefined || patternIsIn(subject, shown?.subject ?? '')) return null;
    return { status: 403, reason: 'the subject of the certificate is another one', fields: [] };
  }

  /** Null for a request that may go on. */
  refuse(asking: Asking, zones: Zones, nowMs: number): Refusal | null {
    const { rates, satisfy } = this.#guard;
    for (const [i, rate] of rates.entries()) {
      if (this.#exempt[i]?.has(asking.client) === true) continue;
      if (!takes(rate, zones, asking, nowMs)) {
        return { status: rate.statusCode, reason: 'too many requests', fields: [] };
      }
    }
    const byAddress = this.#refuseAddress(asking.client);
    if (this.#guard.basic === undefined) return byAddress;
    if (satisfy === 'all' && byAddress !== null) return byAddress;
    const hasRanges = this.#guard.clients !== undefined;
    if (satisfy === 'any' && hasRanges && byAddress === null) return null;
    return this.#refuseName(asking.head.fields);
  }

  #refuseAddress(client: string): Refusal | null {
    const isIn = this.#allow === null || this.#allow.has(client);
    if (isIn && this.#deny?.has(client) !== true) return null;
    return { status: 403, reason: 'the address is not let in', fields: [] };
  }

  #refuseName(fields: Fields): Refusal | null {
    const { basic } = this.#guard;
    const field = fieldValue(fields, 'authorization');
    const given = basicCredentials(field);
    const hash = given === null ? undefined : this.#users.get(given.name);
    if (given !== null && hash !== undefined && this.#isRight(given.password, hash)) return null;
    const realm = basic?.realm ?? '';
    return {
      status: 401,
      reason: 'a name and a password are asked for',
      fields: ['www-authenticate', `Basic realm="${realm}"`],
    };
  }

  #isRight(password: string, hash: string): boolean {
    const key = createHash('sha256').update(password).update('\0').update(hash).digest('base64');
    if (this.#right.has(key)) return true;
    if (!checkPassword(password, hash)) return false;
    if (this.#right.size >= PASSWORDS_MAX) this.#right.clear();
    this.#right.add(key);
    return true;
  }

  /** Counts a request under way; gives what ends it, or null when there are too many. */
  enter(client: string, zones: Zones): (() => void) | 'full' | null {
    const { requests } = this.#guard;
    if (requests === undefined || this.#freely?.has(client) === true) return null;
    return enter(requests, client, zones);
  }

  get fullStatus(): number {
    return this.#guard.requests?.statusCode ?? 503;
  }
}

function enter(
  { zone, max }: ConcurrencyLimit,
  client: string,
  zones: Zones,
): (() => void) | 'full' {
  const counts = zones.counts(zone);
  const count = counts.get(client) ?? 0;
  if (count >= max) return 'full';
  counts.set(client, count + 1);
  return () => {
    const left = (counts.get(client) ?? 1) - 1;
    if (left <= 0) counts.delete(client);
    else counts.set(client, left);
  };
}

/** A leaky bucket, as nginx has it: what is over drains at the rate, and may be `burst` at most. */
function takes(rate: RateLimit, zones: Zones, { client, source }: Asking, nowMs: number): boolean {
  const buckets = zones.buckets(rate.zone);
  const key = rate.key === undefined ? client : fillTemplate(rate.key, source);
  if (key === '') return true;
  const bucket = buckets.get(key);
  if (bucket === undefined) {
    if (buckets.size >= CLIENTS_MAX) {
      const [oldest] = buckets.keys();
      if (oldest !== undefined) buckets.delete(oldest);
    }
    buckets.set(key, { excess: 0, lastMs: nowMs });
    return true;
  }
  const drained = ((nowMs - bucket.lastMs) * rate.requests * 1000) / rate.perMs;
  const excess = Math.max(0, bucket.excess - drained + 1000);
  if (excess > rate.burst * 1000) return false;
  bucket.excess = excess;
  bucket.lastMs = nowMs;
  return true;
}
