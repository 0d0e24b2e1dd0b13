// A backend and the choice among its endpoints: of two taken at random, the one with fewer requests
// outstanding. Two are enough to keep the load even, and need no order among all of them.
//
// Budget: 0.1 µs. Allocates nothing.

import type { Endpoint } from './endpoint.ts';

export class Backend {
  readonly key: string;
  /** Replaced as a whole when endpoints change; requests under way keep the one they have. */
  endpoints: readonly Endpoint[] = [];

  /** Made when a session is first looked for, and anew when endpoints have changed. */
  #byToken: ReadonlyMap<string, Endpoint> = new Map();
  #tokensOf: readonly Endpoint[] = [];

  constructor(key: string) {
    this.key = key;
  }

  /** An endpoint that is not among those already tried; null when there is none. */
  pick(tried: readonly Endpoint[]): Endpoint | null {
    const { endpoints } = this;
    if (tried.length > 0) return this.#pickOther(tried);
    if (endpoints.length === 0) return null;
    if (endpoints.length === 1) return endpoints[0]!;
    const first = Math.floor(Math.random() * endpoints.length);
    const other = Math.floor(Math.random() * (endpoints.length - 1));
    const a = endpoints[first]!;
    const b = endpoints[other >= first ? other + 1 : other]!;
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

  #pickOther(tried: readonly Endpoint[]): Endpoint | null {
    const left = this.endpoints.filter((endpoint) => !tried.includes(endpoint));
    return left[Math.floor(Math.random() * left.length)] ?? null;
  }
}
