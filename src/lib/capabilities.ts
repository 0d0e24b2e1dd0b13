// What a process may do to the network of its machine: Linux says it for each process in
// /proc/self/status, and root is not always allowed to, nor always needed.

import { readFileSync } from 'node:fs';

/** capabilities(7) */
const CAP_NET_ADMIN = 12n;

/** Whether this process, and commands it starts, may change the kernel's rules. */
export function mayChangeNetwork(): boolean {
  const isRoot = process.getuid?.() === 0;
  try {
    return allowsNetwork(readFileSync('/proc/self/status', 'utf8'), isRoot);
  } catch {
    return isRoot;
  }
}

/** `status` is what /proc/self/status says; where it says nothing of capabilities, root may. */
export function allowsNetwork(status: string, isRoot: boolean): boolean {
  const effective = capabilities(status, 'CapEff');
  if (effective === undefined) return isRoot;
  // To commands that are started, only root and the ambient set hand anything on.
  const handedOn = isRoot ? effective : (capabilities(status, 'CapAmb') ?? 0n);
  return ((effective & handedOn) >> CAP_NET_ADMIN) % 2n === 1n;
}

function capabilities(status: string, name: string): bigint | undefined {
  const hex = new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1];
  return hex === undefined ? undefined : BigInt(`0x${hex}`);
}
