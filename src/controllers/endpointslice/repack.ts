// Subsets of an Endpoints object → the same addresses grouped by all ports they have together, in an
// order that does not depend on how they were written (k8s.io/kubernetes pkg/api/endpoints).

import type { EndpointSubset } from '../../api/core/endpoints.ts';
import { compareText } from '../shared/metadata.ts';

type Address = NonNullable<EndpointSubset['addresses']>[number];
type Port = NonNullable<EndpointSubset['ports']>[number];

export interface RepackedSubset {
  readonly ports: readonly Port[];
  /** By address; an address that is ready in one place is ready. */
  readonly addresses: readonly { readonly address: Address; readonly ready: boolean }[];
}

interface Member {
  readonly address: Address;
  ready: boolean;
}

export function repackSubsets(subsets: readonly EndpointSubset[]): readonly RepackedSubset[] {
  // A subset without ports is about addresses alone.
  const byPort = new Map<string, { port: Port | undefined; members: Map<string, Member> }>();
  for (const subset of subsets) {
    const ports: readonly (Port | undefined)[] =
      (subset.ports ?? []).length === 0 ? [undefined] : (subset.ports ?? []);
    for (const port of ports) {
      const key = JSON.stringify(port ?? null);
      const group = byPort.get(key) ?? { port, members: new Map<string, Member>() };
      byPort.set(key, group);
      for (const address of subset.addresses ?? []) addMember(group.members, address, true);
      for (const address of subset.notReadyAddresses ?? [])
        addMember(group.members, address, false);
    }
  }
  const merged = new Map<string, { ports: Port[]; members: ReadonlyMap<string, Member> }>();
  for (const { port, members } of byPort.values()) {
    const key = JSON.stringify(
      [...members].map(([name, { ready }]) => [name, ready]).toSorted(compareByText),
    );
    const group = merged.get(key) ?? { ports: [], members };
    merged.set(key, group);
    if (port !== undefined) group.ports.push(port);
  }
  return [...merged.values()]
    .map(({ ports, members }) => ({
      ports: ports.toSorted(compareByText),
      addresses: [...members].toSorted(compareByText).map(([, member]) => member),
    }))
    .toSorted((a, b) => compareByText(a.ports, b.ports));
}

function addMember(members: Map<string, Member>, address: Address, ready: boolean): void {
  const key = `${address.ip} ${address.targetRef?.uid ?? ''}`;
  const known = members.get(key);
  if (known === undefined) members.set(key, { address, ready });
  else known.ready ||= ready;
}

function compareByText(a: unknown, b: unknown): number {
  return compareText(JSON.stringify(a), JSON.stringify(b));
}
