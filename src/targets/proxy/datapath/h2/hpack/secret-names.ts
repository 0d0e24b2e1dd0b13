// Names of fields that a peer sent as «never indexed», so that they go on the same way to the next hop
// (RFC 7541 §6.2.3 demands it of proxies). Remembered by name and for the whole worker, because the flat
// Fields between the two sides have no place for such a mark: a little too many is safe, too few is not.

/** A peer that marks more names than this makes up names; the first ones stay protected. */
const NAMES_MAX = 256;

export class SecretNames {
  private readonly names = new Set<string>();

  add(name: string): void {
    if (this.names.size < NAMES_MAX) this.names.add(name);
  }

  /** Takes lower case names. */
  has(name: string): boolean {
    return this.names.has(name);
  }
}
