// Patterns of hosts → what belongs to the most specific one that takes a host. Exact names by hash,
// wildcards by the suffixes of the host in use, then the pattern that takes every host.
//
// Budget: 0.1 µs (bench/lookup.ts). Allocates one slice for each dot that is tried.

export class HostIndex<T> {
  readonly #exact = new Map<string, T>();
  /** By suffix with its leading dot: `.example.com` for `*.example.com`. */
  readonly #wildcard = new Map<string, T>();
  /** By suffix likewise, of patterns that take one label: `?.example.com`. */
  readonly #single = new Map<string, T>();
  #any: T | undefined;

  set(pattern: string, value: T): void {
    if (pattern === '') this.#any = value;
    else if (pattern.startsWith('?.')) this.#single.set(pattern.slice(1), value);
    else if (pattern.startsWith('*.')) this.#wildcard.set(pattern.slice(1), value);
    else this.#exact.set(pattern, value);
  }

  delete(pattern: string): void {
    if (pattern === '') this.#any = undefined;
    else if (pattern.startsWith('?.')) this.#single.delete(pattern.slice(1));
    else if (pattern.startsWith('*.')) this.#wildcard.delete(pattern.slice(1));
    else this.#exact.delete(pattern);
  }

  /** The value of the most specific pattern that takes `host`, which is normalized. */
  find(host: string): T | undefined {
    return this.#exact.get(host) ?? this.#findSingle(host) ?? this.#findWildcard(host) ?? this.#any;
  }

  /** Like `find`, one less specific at a time: the first value `accept` gives a result for. */
  findEach<R>(host: string, accept: (value: T) => R | null): R | null {
    const exact = this.#exact.get(host);
    const first = exact === undefined ? null : accept(exact);
    if (first !== null) return first;
    const single = this.#findSingle(host);
    const second = single === undefined ? null : accept(single);
    if (second !== null) return second;
    if (this.#wildcard.size > 0) {
      for (let dot = host.indexOf('.', 1); dot !== -1; dot = host.indexOf('.', dot + 1)) {
        const value = this.#wildcard.get(host.slice(dot));
        const result = value === undefined ? null : accept(value);
        if (result !== null) return result;
      }
    }
    return this.#any === undefined ? null : accept(this.#any);
  }

  #findSingle(host: string): T | undefined {
    if (this.#single.size === 0) return undefined;
    const dot = host.indexOf('.', 1);
    return dot === -1 ? undefined : this.#single.get(host.slice(dot));
  }

  #findWildcard(host: string): T | undefined {
    if (this.#wildcard.size === 0) return undefined;
    // The first dot leaves the longest suffix, which is the most specific; a label must precede it.
    for (let dot = host.indexOf('.', 1); dot !== -1; dot = host.indexOf('.', dot + 1)) {
      const value = this.#wildcard.get(host.slice(dot));
      if (value !== undefined) return value;
    }
    return undefined;
  }
}
