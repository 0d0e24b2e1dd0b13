// Flags, environment and configuration file → what a command works with.

import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
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
import { DEFAULT_LIMITS } from '../targets/proxy/datapath/limits.ts';
import type { Limits } from '../targets/proxy/datapath/limits.ts';
import type { Observation } from '../targets/proxy/observation.ts';
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

/** Flags about who looks at requests, over the configuration. */
export function withObservation(
  configuration: Configuration,
  flags: {
    readonly accessLog?: string;
    readonly accessLogFormat?: 'json' | 'common';
    readonly metricsPort?: string;
  },
): Configuration {
  const { accessLog: path = configuration.accessLog?.path, metricsPort } = flags;
  const format = flags.accessLogFormat ?? configuration.accessLog?.format ?? 'json';
  const port = metricsPort === undefined ? configuration.metrics?.port : Number(metricsPort);
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw new FairwayError('FW_USAGE', `--metrics-port ${metricsPort} is not a port`, {
      hint: 'give a number from 0 to 65535; 0 takes any that is free',
    });
  }
  return {
    ...configuration,
    ...(path === undefined ? {} : { accessLog: { path, format } }),
    ...(port === undefined ? {} : { metrics: { port } }),
  };
}

/** What the data path is to tell of requests. */
export function observationOf(configuration: Configuration): Observation {
  const { accessLog, metrics, requestIds, tracing } = configuration;
  return {
    accessLog:
      accessLog === undefined ? null : { ...accessLog, path: absolutePath(accessLog.path) },
    measures: metrics !== undefined,
    requestIds,
    beginsTraces: tracing === 'begin',
  };
}

function absolutePath(path: string): string {
  return path === '-' ? path : resolve(path);
}

/** The limits of the data path, with those the configuration names. */
export function limitsOf({ limits }: Configuration): Limits {
  for (const name of Object.keys(limits)) {
    if (Object.hasOwn(DEFAULT_LIMITS, name)) continue;
    throw new FairwayError(
      'FW_CONFIG_INVALID',
      `the configuration names no limit: limits.${name}`,
      {
        hint: 'docs/limits.md lists every limit',
      },
    );
  }
  return { ...DEFAULT_LIMITS, ...limits };
}

/** Threads of the data path: what was asked for, or one for each core. */
export function workerCount(configuration: Configuration, flag: string | undefined): number {
  const asked = flag === undefined ? configuration.workers : Number(flag);
  if (!Number.isInteger(asked) || asked < 0 || asked > 64) {
    throw new FairwayError('FW_USAGE', `--workers ${flag} is not a number from 0 to 64`);
  }
  return asked === 0 ? availableParallelism() : asked;
}
