// A backend and the choice among its endpoints. By default, of two taken at random, the one with fewer
// requests outstanding: two are enough to keep the load even, and need no order among all of them.
//
// Budget: 0.1 µs. Allocates nothing while all endpoints are well; when some are ejected or warming up,
// one list for each choice. Guarded by bench/proxy.ts.

import type { Balance, Session } from '../../../model/policy.ts';
import type { Certificate } from './certificates.ts';
import type { Endpoint } from './endpoint.ts';
import { hashOf, maglevTable, TABLE_SIZE } from './maglev.ts';
import type { RetryMeter } from './retry-budget.ts';

export class Backend {
  readonly key: string;
  /** Replaced as a whole when endpoints change; requests under way keep the one they have. */
  endpoints: readonly Endpoint[] = [];
  balance: Balance = 'leastRequests';
  /** What it has not when it has no endpoints, for answers. */
  missing = 'no ready endpoint';
  /** Null: rules alone say how much is tried again. */
  retries: RetryMeter | null = null;
  /** For rules that have none of their own. */
  session: Session | null = null;
  /** Shown if it asks for a certificate; null: that of the port a request came in by. */
  identity: Certificate | null = null;

  /** Made when a session is first looked for, and anew when endpoints have changed. */
  #byToken: ReadonlyMap<string, Endpoint> = new Map();
  #tokensOf: readonly Endpoint[] = [];
  /** Several workers must not all begin with the same endpoint. */
  #turn = Math.floor(Math.random() * 1000);
  #table: Uint16Array = new Uint16Array(0);
  #tableOf: readonly Endpoint[] = [];

  constructor(key: string) {
    this.key = key;
  }

  /**
   * An endpoint that is not among those already tried; null when there is none. `client` is the address
   * of who asks, for balancing by source.
   */
  pick(tried: readonly Endpoint[], client = ''): Endpoint | null {
    const { endpoints } = this;
    if (endpoints.length === 0) return null;
    if (this.balance !== 'leastRequests') return this.#pickInOrder(tried, this.#start(client));
    if (tried.length > 0) return this.#pickLeast(this.#usable(tried));
    if (endpoints.length === 1) return endpoints[0]!;
    const first = Math.floor(Math.random() * endpoints.length);
    const other = Math.floor(Math.random() * (endpoints.length - 1));
    const a = endpoints[first]!;
    const b = endpoints[other >= first ? other + 1 : other]!;
    if (a.health.impaired || b.health.impaired) return this.#pickLeast(this.#usable([]));
    return b.outstanding < a.outstanding ? b : a;
  }

  /** The endpoint with that token, if it takes requests. */
  withToken(token: string): Endpoint | undefined {
    if (this.#tokensOf !== this.endpoints) {
      this.#tokensOf = this.endpoints;
      this.#byToken = new Map(this.endpoints.map((endpoint) => [endpoint.token, endpoint]));
    }
    return this.#byToken.get(token);
  }

  /** Endpoints that take requests and were not tried; all that were not tried when too few do. */
  #usable(tried: readonly Endpoint[]): readonly Endpoint[] {
    const { endpoints } = this;
    const nowMs = performance.now();
    const taking = endpoints.filter(
      (e) => !e.health.impaired || e.health.takes(nowMs, e.outstanding),
    );
    const untried = (e: Endpoint): boolean => !tried.includes(e);
    if (endpoints[0]!.health.isPanic(taking.length, endpoints.length))
      return endpoints.filter(untried);
    const left = taking.filter(untried);
    // One that is ejected is better than none.
    return left.length > 0 ? left : endpoints.filter(untried);
  }

  #pickLeast(usable: readonly Endpoint[]): Endpoint | null {
    if (usable.length < 2) return usable[0] ?? null;
    const first = Math.floor(Math.random() * usable.length);
    const other = Math.floor(Math.random() * (usable.length - 1));
    const a = usable[first]!;
    const b = usable[other >= first ? other + 1 : other]!;
    const [best, second] = b.outstanding < a.outstanding ? [b, a] : [a, b];
    if (!best.health.impaired) return best;
    // While it warms up it wins as often as its share says.
    return Math.random() < best.health.share(performance.now()) ? best : second;
  }

  #start(client: string): number {
    if (this.balance === 'roundRobin') return this.#turn++;
    if (this.#tableOf !== this.endpoints) {
      this.#tableOf = this.endpoints;
      this.#table = maglevTable(this.endpoints.map((e) => `${e.address}|${e.port}`));
    }
    return hashOf(client, 2);
  }

  /** The first endpoint from that place on which takes requests and was not tried. */
  #pickInOrder(tried: readonly Endpoint[], start: number): Endpoint | null {
    const { endpoints } = this;
    if (tried.length === 0) {
      const first = this.#at(start);
      if (!first.health.impaired) return first;
    }
    const usable = this.#usable(tried);
    if (usable.length === 0) return null;
    // Each client of an endpoint that takes none goes to one of its own, not all to the same.
    const places = this.balance === 'roundRobin' ? endpoints.length : TABLE_SIZE;
    for (let i = 0; i < places; i++) {
      const endpoint = this.#at(start + i);
      if (usable.includes(endpoint)) return endpoint;
    }
    return usable[0]!;
  }

  #at(place: number): Endpoint {
    const { endpoints } = this;
    const index =
      this.balance === 'roundRobin' ? place % endpoints.length : this.#table[place % TABLE_SIZE]!;
    return endpoints[index]!;
  }
}
