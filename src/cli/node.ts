// fairway node: carries the packets of Services on this machine, as kube-proxy does, until interrupted.

import { randomUUID } from 'node:crypto';
import { createServer, isIP } from 'node:net';
import type { Server } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import type { Finding } from '../api/finding.ts';
import { mayChangeNetwork } from '../lib/capabilities.ts';
import { FairwayError } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';
import type { NodeFacts } from '../model/node.ts';
import { createLocator } from '../pipeline/locate.ts';
import { NodeLoop } from '../pipeline/node-loop.ts';
import type { NodeReport } from '../pipeline/node-loop.ts';
import { createResolver } from '../resolve/resolve.ts';
import { Store } from '../store/store.ts';
import { fail } from './fail.ts';
import { HealthCheckPorts, serveHealth } from './node-health.ts';
import { formatFindings } from './findings.ts';
import { allocationCidrs, networks, SERVICE_CIDR } from './node-facts.ts';
import { nodeInput } from './node-sources.ts';
import type { SourceFlags } from './node-sources.ts';
import { cleanAll, hasCommand, runConntrack, startTarget } from './node-target.ts';
import type { IpvsFlags, NodeMode } from './node-target.ts';
import { loadSettings, networkFor } from './settings.ts';
import { print } from './terminal.ts';
import { isUnusable, unread } from './usable.ts';

/** As `main.ts` reads them. */
export interface NodeFlags extends SourceFlags, IpvsFlags {
  readonly mode: NodeMode;
  readonly cleanup?: boolean;
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

/** Without root, addresses have to be loopback's. */
const USERSPACE_CIDR = '127.96.0.0/16';
const HEALTH_ADDRESS = '127.0.0.1';
/** Looking costs a process or two. */
const SYNC_PERIOD_MIN_S = 0.1;
const PERIOD_MAX_S = 86_400;
/** In the abstract namespace, which is one for each network namespace: the scope of the kernel's rules. */
const LOCK_NAME = '\0fairway-node';

/** Serves until interrupted; with --cleanup removes every rule and gives 0. */
export async function node(paths: readonly string[], flags: NodeFlags): Promise<number> {
  const isCleanup = flags.cleanup === true;
  if ((isCleanup || flags.mode !== 'userspace') && !mayChangeNetwork()) {
    const what = isCleanup ? '--cleanup' : `--mode ${flags.mode}`;
    throw new FairwayError('FW_NEEDS_ROOT', `${what} changes the kernel's rules`, {
      hint: `run it as root, or with CAP_NET_ADMIN in its ambient set${isCleanup ? '' : ', or with --mode userspace'}`,
    });
  }
  const lock = await takeNode();
  try {
    if (isCleanup) return await clean();
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
  const port = healthPortOf(flags.healthPort);
  const network = networkFor(0, await loadSettings(flags));
  const minSyncMs = milliseconds(flags.minSyncPeriod, '--min-sync-period', 0);
  const syncMs = milliseconds(flags.syncPeriod, '--sync-period', SYNC_PERIOD_MIN_S);
  const onError = (error: unknown): void => void fail(error);
  const serviceCidr = allocationCidrs(facts.serviceCidrs);
  const { loadBalancerCidr, gatewayCidr } = network;
  const input = await nodeInput(paths, flags, { facts, serviceCidr, loadBalancerCidr, warn });
  const target = await startTarget(flags.mode, facts, flags, warn);
  const store = new Store({ newUid: () => randomUUID() });
  const locate = createLocator([input.source], () => store.snapshot());
  const forgets = flags.mode !== 'userspace' && (await hasCommand('conntrack'));
  const loop = new NodeLoop({
    store,
    sources: [input.source],
    controllers: input.controllers,
    resolve: createResolver({ gatewayCidr, adoptedClasses: [] }),
    facts,
    target,
    minSyncMs,
    syncMs,
    findings: input.findings,
    podCidrsOfNode: flags.podCidr === undefined,
    checkStart: (snapshot, findings) => {
      // The kernel may have rules of what cannot be read; afterwards a file keeps what it said before.
      if (!isUnusable(snapshot, findings) && unread(findings).length === 0) return;
      for (const line of formatFindings(findings, locate)) process.stderr.write(`${line}\n`);
      const which = isUnusable(snapshot, findings) ? 'none' : 'not all';
      throw new FairwayError('FW_FILES_UNUSABLE', `${which} of the files can be read`, {
        hint: 'the rules that were there before stay in force',
      });
    },
    ...(forgets ? { conntrack: runConntrack } : {}),
    onError,
  });
  const checks = new HealthCheckPorts(
    facts.addresses,
    () => loop.isHealthy(),
    (trouble) => {
      warn(`Service ${trouble.namespace}/${trouble.name}: ${trouble.message}`);
      void input.events?.warn(trouble);
    },
  );
  const sayFindings = createTeller((finding) => formatFindings([finding], locate));
  loop.subscribe((report) => {
    checks.update(report.view);
    say(report, flags.mode);
    sayFindings(report.findings());
  });
  const stop = new AbortController();
  // A cluster that cannot be reached yet is no reason not to be interruptible.
  void interrupted.then(() => {
    stop.abort();
    return loop.stop();
  });
  let health: Server | undefined;
  try {
    health = port === 0 ? undefined : await serveHealth(loop, HEALTH_ADDRESS, port);
    await loop.start();
    if (!stop.signal.aborted) {
      print(`Carrying packets as ${facts.name}, by ${flags.mode}. Press Ctrl-C to stop.`);
    }
    await interrupted;
  } finally {
    health?.close();
    await loop.stop();
    checks.stop();
    input.events?.close();
    input.close();
    await target.stop();
  }
  if (flags.mode !== 'userspace') {
    print('The rules stay in force; fairway node --cleanup removes them.');
  }
}

function warn(message: string, hint?: string): void {
  process.stderr.write(`fairway: ${printable(message)}\n`);
  if (hint !== undefined && hint !== '') process.stderr.write(`  ${printable(hint)}\n`);
}

/** Says each finding when it comes, and not again while it stays. */
function createTeller(
  format: (finding: Finding) => readonly string[],
): (findings: readonly Finding[]) => void {
  let said: ReadonlySet<string> = new Set();
  return (findings) => {
    const now = new Map(findings.map((finding) => [JSON.stringify(finding), finding]));
    for (const [key, finding] of now) {
      if (said.has(key)) continue;
      for (const line of format(finding)) process.stderr.write(`${line}\n`);
    }
    said = new Set(now.keys());
  };
}

function say({ view, rejected, sync, tookMs }: NodeReport, mode: NodeMode): void {
  const ports = view.families.flatMap((family) => family.ports);
  const refused = new Set(rejected.map(({ id }) => id));
  const inForce = ports.filter(({ id }) => !refused.has(id)).length;
  const count = inForce === ports.length ? `${inForce}` : `${inForce} of ${ports.length}`;
  print(`${count} ports of Services in force by ${mode} after ${Math.ceil(tookMs)} ms (${sync}).`);
  for (const { claim, kept, lost } of view.conflicts) {
    warn(`${claim} is of Service ${kept}; Service ${lost} does not get it`);
  }
  for (const { message, hint } of rejected) warn(message, hint);
}

function factsFrom(flags: NodeFlags): NodeFacts {
  const own = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
    .map(({ address }) => address);
  return {
    name: flags.nodeName ?? hostname(),
    zone: flags.zone ?? '',
    addresses: addresses(flags.nodeAddress, '--node-address') ?? own,
    nodePortAddresses: networks(flags.nodePortAddress, '--nodeport-addresses') ?? [],
    podCidrs: networks(flags.podCidr, '--pod-cidr') ?? [],
    serviceCidrs: networks(flags.serviceCidr, '--service-cidr') ?? [
      flags.mode === 'userspace' ? USERSPACE_CIDR : SERVICE_CIDR,
    ],
    masqueradeAll: flags.masqueradeAll ?? false,
  };
}

function addresses(
  texts: readonly string[] | undefined,
  flag: string,
): readonly string[] | undefined {
  const bad = texts?.find((text) => isIP(text) === 0);
  if (bad !== undefined) throw new FairwayError('FW_USAGE', `${flag} ${bad} is no address`);
  return texts;
}

/** `least` in seconds, too. */
function milliseconds(text: string, flag: string, least: number): number {
  const seconds = Number(text);
  if (text.trim() === '' || !(seconds >= least && seconds <= PERIOD_MAX_S)) {
    throw new FairwayError(
      'FW_USAGE',
      `${flag} ${text} is no number of seconds from ${least} to ${PERIOD_MAX_S}`,
    );
  }
  return seconds * 1000;
}

function healthPortOf(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new FairwayError('FW_USAGE', `--health-port ${text} is no port`, {
    hint: 'give a number from 1 to 65535, or 0 for none',
  });
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
