// fairway node: carries the packets of Services on this machine, as kube-proxy does, until interrupted.

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { createAllocationController } from '../controllers/allocation/allocation.ts';
import { createEndpointSliceMirroringController } from '../controllers/endpointslice/mirroring.ts';
import { createLoadBalancerController } from '../controllers/loadbalancer/load-balancers.ts';
import { parseCidr } from '../lib/cidr.ts';
import { FairwayError } from '../lib/errors.ts';
import type { NodeFacts } from '../model/node.ts';
import { NodeLoop } from '../pipeline/node-loop.ts';
import type { NodeReport } from '../pipeline/node-loop.ts';
import { createResolver } from '../resolve/resolve.ts';
import { Store } from '../store/store.ts';
import { fail } from './fail.ts';
import { HealthCheckPorts, serveHealth } from './node-health.ts';
import { cleanAll, forgetFlow, hasCommand, startTarget } from './node-target.ts';
import type { IpvsFlags, NodeMode } from './node-target.ts';
import { filesSource, loadSettings, networkFor } from './settings.ts';
import type { CommonFlags } from './settings.ts';
import { print } from './terminal.ts';

/** As `main.ts` reads them. */
export interface NodeFlags extends CommonFlags, IpvsFlags {
  readonly mode: NodeMode;
  readonly cleanup?: boolean;
  readonly watch: boolean;
  readonly nodeName?: string;
  readonly zone?: string;
  readonly nodeAddress?: readonly string[];
  readonly nodePortAddress?: readonly string[];
  readonly podCidr?: readonly string[];
  readonly serviceCidr?: readonly string[];
  readonly masqueradeAll?: boolean;
  readonly minSyncPeriod: string;
  readonly syncPeriod: string;
  readonly healthPort: string;
}

/** What kube-apiserver takes when nothing is said. */
const SERVICE_CIDR = '10.96.0.0/12';
const HEALTH_ADDRESS = '127.0.0.1';
/** In the abstract namespace, which is one for each network namespace: the scope of the kernel's rules. */
const LOCK_NAME = '\0fairway-node';

/** Serves until interrupted; with --cleanup removes every rule and gives 0. */
export async function node(paths: readonly string[], flags: NodeFlags): Promise<number> {
  if (flags.mode !== 'userspace' && process.getuid?.() !== 0) {
    throw new FairwayError('FW_NEEDS_ROOT', `--mode ${flags.mode} changes the kernel's rules`, {
      hint: 'run it as root, or with --mode userspace',
    });
  }
  const lock = await takeNode();
  try {
    if (flags.cleanup === true) return await clean();
    await serve(paths, flags);
    return 0;
  } finally {
    lock.close();
  }
}

async function clean(): Promise<number> {
  const problems = await cleanAll();
  for (const problem of problems) process.stderr.write(`fairway: ${problem}\n`);
  if (problems.length === 0) print('No rule of any mode is left.');
  return problems.length === 0 ? 0 : 1;
}

async function serve(paths: readonly string[], flags: NodeFlags): Promise<void> {
  const interrupted = untilInterrupted();
  const facts = factsFrom(flags);
  const configuration = await loadSettings(flags);
  const network = networkFor(0, configuration);
  const onError = (error: unknown): void => void fail(error);
  const target = await startTarget(flags.mode, facts, flags);
  const serviceCidr = facts.serviceCidrs.find((cidr) => !cidr.includes(':')) ?? SERVICE_CIDR;
  const loop = new NodeLoop({
    store: new Store({ newUid: () => randomUUID() }),
    sources: [filesSource(paths, flags, flags.watch)],
    controllers: [
      createAllocationController({ serviceCidr }),
      createLoadBalancerController({ loadBalancerCidr: network.loadBalancerCidr }),
      createEndpointSliceMirroringController(),
    ],
    resolve: createResolver({ gatewayCidr: network.gatewayCidr, adoptedClasses: [] }),
    facts,
    target,
    minSyncMs: milliseconds(flags.minSyncPeriod, '--min-sync-period'),
    syncMs: milliseconds(flags.syncPeriod, '--sync-period'),
    forget: (await hasCommand('conntrack')) ? forgetFlow : () => Promise.resolve(),
    onError,
  });
  const checks = new HealthCheckPorts(facts.addresses, () => loop.isHealthy(), onError);
  loop.subscribe((report) => {
    checks.update(report.view);
    say(report, flags.mode);
  });
  const port = Number(flags.healthPort);
  try {
    await loop.start();
    const health = port === 0 ? undefined : await serveHealth(loop, HEALTH_ADDRESS, port);
    print(`Carrying packets as ${facts.name}, by ${flags.mode}. Press Ctrl-C to stop.`);
    await interrupted;
    health?.close();
  } finally {
    await loop.stop();
    checks.stop();
    await target.stop();
  }
  if (flags.mode !== 'userspace') {
    print('The rules stay in force; fairway node --cleanup removes them.');
  }
}

function say({ view, rejected, sync, tookMs }: NodeReport, mode: NodeMode): void {
  const ports = view.families.reduce((sum, family) => sum + family.ports.length, 0);
  print(`${ports} ports of Services in force by ${mode} after ${Math.ceil(tookMs)} ms (${sync}).`);
  for (const { claim, kept, lost } of view.conflicts) {
    process.stderr.write(
      `fairway: ${claim} is of Service ${kept}; Service ${lost} does not get it\n`,
    );
  }
  for (const { message, hint } of rejected) {
    process.stderr.write(`fairway: ${message}\n${hint === undefined ? '' : `  ${hint}\n`}`);
  }
}

function factsFrom(flags: NodeFlags): NodeFacts {
  const own = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
    .map(({ address }) => address);
  return {
    name: flags.nodeName ?? hostname(),
    zone: flags.zone ?? '',
    addresses: networks(flags.nodeAddress, '--node-address') ?? own,
    nodePortAddresses: networks(flags.nodePortAddress, '--nodeport-addresses') ?? [],
    podCidrs: networks(flags.podCidr, '--pod-cidr') ?? [],
    serviceCidrs: networks(flags.serviceCidr, '--service-cidr') ?? [SERVICE_CIDR],
    masqueradeAll: flags.masqueradeAll ?? false,
  };
}

function networks(
  texts: readonly string[] | undefined,
  flag: string,
): readonly string[] | undefined {
  const bad = texts?.find((text) => parseCidr(text) === undefined);
  if (bad !== undefined) {
    throw new FairwayError('FW_USAGE', `${flag} ${bad} is no network`, {
      hint: 'write it as 10.96.0.0/12 or fd00:96::/112',
    });
  }
  return texts;
}

function milliseconds(text: string, flag: string): number {
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds < 0) {
    throw new FairwayError('FW_USAGE', `${flag} ${text} is no number of seconds`);
  }
  return seconds * 1000;
}

/** One Fairway on a node: the kernel has one set of rules. */
function takeNode(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') return reject(error);
      return reject(
        new FairwayError('FW_NODE_TAKEN', 'another fairway node runs on this node', {
          hint: 'stop it first: two would undo what the other does',
        }),
      );
    });
    server.listen(LOCK_NAME, () => resolve(server));
  });
}

/** Resolves at the first signal to end; the second one ends at once. */
function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        process.once(signal, () => process.exit(130));
        resolve();
      });
    }
  });
}
