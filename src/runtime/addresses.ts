// Pods → the address of each. Pure and the same in `check`, `explain` and the running kubelet, so that
// what is explained is what is served. Addresses ending in .0 are never given: too many programs
// refuse them.

import { FairwayError } from '../lib/errors.ts';
import { formatIPv4, parseIPv4, parseRange } from '../lib/ipv4.ts';
import type { Range } from '../lib/ipv4.ts';
import { compareObjects } from '../store/table.ts';
import type { Pod } from '../api/core/pod.ts';

/** The address of pods that use the host's network, and of the one node there is. */
export const HOST_ADDRESS = '127.0.0.1';

/**
 * Gives every pod that is not finished its address, by `namespace/name`.
 *
 * A pod keeps what `held` has for its uid, else the status.podIP it already has when that lies in the
 * range and nobody else has it; the others get the lowest free addresses in the order of namespace and
 * name. What `held` has for pods that are gone is not free yet. Pods with hostNetwork get 127.0.0.1. A /32 range is one address that all pods share: that
 * is how it works where only 127.0.0.1 is local. A pod without an entry found the range full.
 *
 * Throws a FairwayError (FW_BAD_RANGE) when `podCidr` is not an IPv4 range.
 */
export function allocatePodAddresses(
  pods: readonly Pod[],
  podCidr: string,
  held: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, string> {
  const range = parseRange(podCidr);
  if (range === undefined) {
    throw new FairwayError('FW_BAD_RANGE', `not a range of IPv4 addresses: ${podCidr}`, {
      hint: 'write it as 127.244.0.0/16',
    });
  }
  const sorted = pods.toSorted(compareObjects);
  const addresses = new Map<string, string>();
  if (range.first === range.last) {
    for (const pod of sorted) addresses.set(podKey(pod), formatIPv4(range.first));
    return addresses;
  }
  const used = new Set(Array.from(held.values(), parseIPv4));
  const waiting: Pod[] = [];
  for (const pod of sorted.filter((each) => !isFinished(each))) {
    const kept = held.get(pod.metadata.uid ?? '') ?? writtenAddress(pod, range, used);
    if (pod.spec.hostNetwork === true) addresses.set(podKey(pod), HOST_ADDRESS);
    else if (kept === undefined) waiting.push(pod);
    else addresses.set(podKey(pod), kept);
    used.add(parseIPv4(kept ?? ''));
  }
  let next = range.first + 1;
  for (const pod of waiting) {
    while (next < range.last && (used.has(next) || (next & 0xff) === 0)) next++;
    if (next >= range.last) break;
    addresses.set(podKey(pod), formatIPv4(next++));
  }
  return addresses;
}

/** `namespace/name` of a pod. */
export function podKey(pod: Pod): string {
  return `${pod.metadata.namespace ?? ''}/${pod.metadata.name ?? ''}`;
}

/** True for a pod that has run to its end: it holds no address any more. */
function isFinished(pod: Pod): boolean {
  return pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
}

/** The address in the pod's status, when it can stay. */
function writtenAddress(
  pod: Pod,
  range: Range,
  used: ReadonlySet<number | undefined>,
): string | undefined {
  const address = pod.status.podIP ?? '';
  const number = parseIPv4(address);
  const usable = number !== undefined && number > range.first && number < range.last;
  return usable && !used.has(number) ? address : undefined;
}
