// Names of fields that a peer sent as «never indexed», so that they go on the same way to the next hop
// (RFC 7541 §6.2.3 demands it of proxies). Remembered by name and for the whole worker, because the flat
// Fields between the two sides have no place for such a mark: a little too many is safe, too few is not.
//
// Budget: one look into a Set for each field. Allocates nothing. Guarded by bench/proxy.ts.

/** A peer that marks more names than this makes them up: the oldest half of what is known goes. */
const NAMES_MAX = 128;

export class SecretNames {
  /** Changes whenever a name is added. */
  version = 0;
  private names = new Set<string>();
  private olderNames = new Set<string>();

  add(name: string): void {
    if (this.names.has(name)) return;
    if (this.names.size === NAMES_MAX) {
      this.olderNames = this.names;
      this.names = new Set();
    }
    this.names.add(name);
    this.version++;
  }

  /** Takes lower case names. */
  has(name: string): boolean {
    return this.names.has(name) || this.olderNames.has(name);
  }
}
