// Flags → the networks around a node, for `fairway node`, and for `compile` and `explain` when they say what it
// would do with the same files.

import { familyOf, parseCidr } from '../lib/cidr.ts';
import { FairwayError } from '../lib/errors.ts';
import type { NodeFacts } from '../model/node.ts';
import { loadSettings, networkFor, NODE_NAME } from './settings.ts';
import type { CommonFlags } from './settings.ts';

/** What kube-apiserver takes when nothing is said. */
export const SERVICE_CIDR = '10.96.0.0/12';

export interface NetworkFlags extends CommonFlags {
  readonly node?: string;
  readonly serviceCidr?: readonly string[];
  readonly podCidr?: readonly string[];
}

/** A node that is only thought of: pods of workloads in the files are where `fairway up` would run them. */
export async function evaluatedNode(
  flags: NetworkFlags,
): Promise<{ readonly facts: NodeFacts; readonly serviceCidr: string }> {
  const configuration = await loadSettings(flags);
  const network = networkFor(0, configuration);
  const serviceCidrs = networks(flags.serviceCidr, '--service-cidr') ?? [
    configuration.network.serviceCIDR ?? SERVICE_CIDR,
  ];
  const facts = {
    name: flags.node ?? NODE_NAME,
    zone: '',
    addresses: network.nodePortAddresses,
    nodePortAddresses: [],
    podCidrs: networks(flags.podCidr, '--pod-cidr') ?? [network.podCidr],
    serviceCidrs,
    masqueradeAll: false,
  };
  return { facts, serviceCidr: allocationCidrs(serviceCidrs) };
}

/** The ranges Services of files get their addresses from: the first of each family, as they were given. */
export function allocationCidrs(serviceCidrs: readonly string[]): string {
  return serviceCidrs
    .filter((cidr, i) => serviceCidrs.findIndex((c) => familyOf(c) === familyOf(cidr)) === i)
    .join(',');
}

/** Each text may be several, with commas between. Throws FW_USAGE when one is none. */
export function networks(
  texts: readonly string[] | undefined,
  flag: string,
): readonly string[] | undefined {
  const all = texts?.flatMap((text) => text.split(',')).map((text) => text.trim());
  const bad = all?.find((text) => parseCidr(text) === undefined);
  if (bad !== undefined) {
    throw new FairwayError('FW_USAGE', `${flag} ${bad} is no network`, {
      hint: 'write it as 10.96.0.0/12 or fd00:96::/112',
    });
  }
  return all;
}
