// Maglev hashing (Eisenbud et al., NSDI 2016, section 3.4): a table that gives each endpoint the same
// number of places, each where the endpoint's own permutation of them says, so that few clients move
// when an endpoint comes or goes, and every worker and every Fairway makes the same table.
//
// Not hot: made once for each set of endpoints, on the first request that needs it.

/** Prime, and a hundred times the endpoints for which places are shared evenly to 1 %. */
export const TABLE_SIZE = 16_381;

/** For each place, the index of the name that has it. `names` are distinct and not empty. */
export function maglevTable(names: readonly string[]): Uint16Array {
  // By name, not by the order they come in.
  const order = names.map((_, i) => i).toSorted((a, b) => (names[a]! < names[b]! ? -1 : 1));
  const table = new Uint16Array(TABLE_SIZE);
  const taken = new Uint8Array(TABLE_SIZE);
  const next = order.map((i) => hashOf(names[i]!, 0) % TABLE_SIZE);
  const skip = order.map((i) => (hashOf(names[i]!, 1) % (TABLE_SIZE - 1)) + 1);
  for (let filled = 0; ;) {
    for (let n = 0; n < order.length; n++) {
      let place = next[n]!;
      while (taken[place] === 1) place = (place + skip[n]!) % TABLE_SIZE;
      next[n] = (place + skip[n]!) % TABLE_SIZE;
      taken[place] = 1;
      table[place] = order[n]!;
      if (++filled === TABLE_SIZE) return table;
    }
  }
}

/** FNV-1a with a finish that spreads short texts over all bits. */
export function hashOf(text: string, seed: number): number {
  let h = (0x811c9dc5 ^ Math.imul(seed + 1, 0x9e3779b1)) >>> 0;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
