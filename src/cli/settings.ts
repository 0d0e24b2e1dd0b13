// Flags, environment and configuration file → what a command works with.

import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseApiVersion } from '../api/kind.ts';
import type { Kind } from '../api/kind.ts';
import { SERVED_KINDS } from '../api/kinds.ts';
import {
  CONFIG_API_VERSION,
  CONFIG_KIND,
  defaultConfiguration,
  loadConfiguration,
} from '../config/config.ts';
import type { Configuration } from '../config/config.ts';
import { networkOfBlock } from '../config/network.ts';
import type { Network } from '../config/network.ts';
import { createControllers } from '../controllers/controllers.ts';
import type { Controller } from '../controllers/controller.ts';
import { FairwayError } from '../lib/errors.ts';
import { folderOf, writtenIn } from '../pipeline/owners.ts';
import type { PodFindingsOptions } from '../runtime/findings.ts';
import type { Source } from '../sources/source.ts';
import { createFilesSource } from '../sources/files/files.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { VERSION } from './version.ts';
import type { ExternalRules } from '../targets/proxy/messages.ts';

/** The flags all commands have that read objects. */
export interface CommonFlags {
  readonly config?: string;
  readonly namespace?: string;
  readonly gatewayClass?: readonly string[];
}

/** The one node there is. */
export const NODE_NAME = 'fairway';

export async function loadSettings(flags: CommonFlags): Promise<Configuration> {
  const configuration =
    flags.config === undefined ? defaultConfiguration() : await loadConfiguration(flags.config);
  const adopted = [...configuration.gatewayClasses, ...(flags.gatewayClass ?? [])];
  return { ...configuration, gatewayClasses: adopted };
}

/** A block of addresses, with what the configuration says instead. */
export function networkFor(block: number, { network }: Configuration): Network {
  const own = networkOfBlock(block);
  return {
    podCidr: network.podCIDR ?? own.podCidr,
    serviceCidr: network.serviceCIDR ?? own.serviceCidr,
    gatewayCidr: network.gatewayCIDR ?? own.gatewayCidr,
    loadBalancerCidr: network.loadBalancerCIDR ?? own.loadBalancerCidr,
    nodePortAddresses: network.nodePortAddresses ?? own.nodePortAddresses,
    localhostOffset: network.localhost ? own.localhostOffset : null,
  };
}

/** Where hosts outside may be: never in the networks of the cluster, unless somebody allows it. */
export function externalRules(
  network: Network,
  { externalBackends: { allowNetworks, denyNetworks, nameservers } }: Configuration,
): ExternalRules {
  const { podCidr, serviceCidr, gatewayCidr, loadBalancerCidr } = network;
  return {
    allow: allowNetworks,
    deny: [podCidr, serviceCidr, gatewayCidr, loadBalancerCidr, ...denyNetworks],
    nameservers,
  };
}

export function filesSource(paths: readonly string[], flags: CommonFlags, watch: boolean): Source {
  return createFilesSource({
    paths,
    kinds: SERVED_KINDS,
    ignoredKinds: [{ group: parseApiVersion(CONFIG_API_VERSION).group, kind: CONFIG_KIND }],
    ...(flags.namespace === undefined ? {} : { defaultNamespace: flags.namespace }),
    stdin: process.stdin,
    watch,
  });
}

export function controllersFor(
  network: Network,
  customKinds: () => readonly Kind[] = () => [],
): readonly Controller[] {
  return createControllers({
    customKinds,
    nodeName: NODE_NAME,
    nodeAddresses: network.nodePortAddresses,
    version: VERSION,
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    serviceCidr: network.serviceCidr,
    loadBalancerCidr: network.loadBalancerCidr,
  });
}

/** What finding fault with pods needs to know of files. */
export function podFindingsOptions(
  snapshot: Snapshot,
  configuration: Configuration,
): PodFindingsOptions {
  return {
    images: configuration.pods.images,
    locate: (kind, namespace, name) => folderOf(snapshot, { kind, namespace, name }),
    workingDir: process.cwd(),
    isDirectory: (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true,
    writtenIn: (pod) => writtenIn(snapshot, pod),
  };
}

/** Threads of the data path: what was asked for, or one for each core. */
export function workerCount(configuration: Configuration, flag: string | undefined): number {
  const asked = flag === undefined ? configuration.workers : Number(flag);
  if (!Number.isInteger(asked) || asked < 0 || asked > 64) {
    throw new FairwayError('FW_USAGE', `--workers ${flag} is not a number from 0 to 64`);
  }
  return asked === 0 ? availableParallelism() : asked;
}
