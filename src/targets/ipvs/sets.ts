// Lines for `ipset restore`: from what sets hold to what they should hold, entry by entry; or everything in
// new sets that then change places with the old ones.

import { isOwnSet } from './frame.ts';
import type { AddressSet } from './program.ts';
import type { ServerState } from './state.ts';
import { addLine } from './text.ts';

/** Set → entry → comment. */
type Entries = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Names of sets that are about to take the place of others begin with this. */
export const TEMPORARY = 'FAIRWAY-NEXT-';

/** Lines that change what differs. What goes goes first: a set of that size may be full. */
export function setChanges(before: Entries, after: Entries): readonly string[] {
  const gone: string[] = [];
  const come: string[] = [];
  for (const [set, entries] of before) {
    for (const entry of entries.keys()) {
      if (after.get(set)?.has(entry) !== true) gone.push(`del ${set} ${entry}`);
    }
  }
  for (const [set, entries] of after) {
    const had = before.get(set);
    for (const [entry, comment] of entries) {
      if (had?.get(entry) !== comment) come.push(addLine(set, entry, comment));
    }
  }
  return [...gone, ...come];
}

/** Lines that make sets with all entries, which nobody asks yet. */
export function stageLines(sets: readonly AddressSet[], entries: Entries): readonly string[] {
  return sets.flatMap(({ name, type }, i) => [
    `create ${TEMPORARY}${i} ${type}`,
    ...[...(entries.get(name) ?? [])].map(([entry, comment]) =>
      addLine(`${TEMPORARY}${i}`, entry, comment),
    ),
  ]);
}

/** Lines that put these sets in the places of those that are asked. */
export function swapLines(sets: readonly AddressSet[]): readonly string[] {
  return sets.flatMap(({ name }, i) => [
    `swap ${TEMPORARY}${i} ${name}`,
    `destroy ${TEMPORARY}${i}`,
  ]);
}

const SAVED = /^add (\S+) ([^\s,]+)(?:,(\w+:\d+))?/;

/**
 * Whether a virtual server is of this target, or of kube-proxy before it: its address is on the device, or a set
 * of node ports or of addresses holds it. Others are somebody else's.
 */
export function ownedIn(
  saved: string,
  addresses: readonly string[],
): (server: Pick<ServerState, 'transport' | 'address' | 'port'>) => boolean {
  const ports = new Set<string>();
  const known = new Set<string>();
  for (const line of saved.split('\n')) {
    const [, set = '', first = '', port] = SAVED.exec(line) ?? [];
    if (!isOwnSet(set)) continue;
    if (port !== undefined) known.add(`${first},${port}`);
    else if (set.includes('NODE-PORT'))
      ports.add(`${set.endsWith('UDP') ? 'udp' : 'tcp'}:${first}`);
  }
  return ({ transport, address, port }) =>
    addresses.includes(address) ||
    ports.has(`${transport}:${port}`) ||
    known.has(`${address},${transport}:${port}`);
}
