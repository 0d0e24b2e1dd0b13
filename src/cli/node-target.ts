// The ways in which `fairway node` can carry packets, and what removes each of them.

import { spawn } from 'node:child_process';
import { mayChangeNetwork } from '../lib/capabilities.ts';
import { DEFAULT_PATH_POLICY } from '../lib/http-path.ts';
import { runCommand } from '../lib/run-command.ts';
import { relayServices } from '../lower/relays.ts';
import { lower } from '../lower/view.ts';
import type { NodeFacts } from '../model/node.ts';
import type { NodeTarget } from '../pipeline/node-loop.ts';
import { compileIptables } from '../targets/iptables/compile.ts';
import { cleanIptables, Iptables } from '../targets/iptables/iptables.ts';
import { compileIpvs } from '../targets/ipvs/compile.ts';
import { checkIpvs, cleanIpvs, hasIpvsRules } from '../targets/ipvs/host.ts';
import { Ipvs } from '../targets/ipvs/ipvs.ts';
import type { IpvsScheduler } from '../targets/ipvs/program.ts';
import { compileNft } from '../targets/nftables/compile.ts';
import { checkNft, nftCleanup, Nftables, runNft } from '../targets/nftables/nftables.ts';
import { compileProxy } from '../targets/proxy/compile.ts';
import { DEFAULT_LIMITS } from '../targets/proxy/datapath/limits.ts';
import { Proxy } from '../targets/proxy/proxy.ts';
import { localhostNodePorts } from './localhost-node-ports.ts';
import { rejectedPorts } from './relay-rejections.ts';

export const NODE_MODES = ['nftables', 'iptables', 'ipvs', 'userspace'] as const;
export type NodeMode = (typeof NODE_MODES)[number];

export interface StartedTarget extends NodeTarget {
  stop(): Promise<void>;
}

const DRAIN_MS = 5000;

export interface IpvsFlags {
  /** How virtual servers choose; rr when absent. */
  readonly ipvsScheduler?: IpvsScheduler;
  readonly ipvsStrictArp?: boolean;
}

type Cleaner = () => Promise<readonly string[]>;

/** Gets a mode ready. What other modes have left goes with its first rules, and not before there are some. */
export async function startTarget(
  mode: NodeMode,
  facts: NodeFacts,
  flags: IpvsFlags,
  warn: (message: string) => void,
): Promise<StartedTarget> {
  switch (mode) {
    case 'nftables': {
      await checkNft();
      const nft = new Nftables();
      const target = withLocalhost(facts, {
        mode,
        apply: (view) => nft.apply(compileNft(view)),
        resync: () => nft.resync(),
        isInPlace: () => nft.isInPlace(),
        stop: () => Promise.resolve(),
      });
      return inPlaceOfOthers(target, { before: [], after: [cleanIpvs, cleanIptables], warn });
    }
    case 'iptables': {
      const iptables = new Iptables();
      const target = withLocalhost(facts, {
        mode,
        apply: (view) => iptables.apply(compileIptables(view)),
        resync: () => iptables.resync(),
        isInPlace: () => iptables.isInPlace(),
        stop: () => Promise.resolve(),
      });
      // Both have chains of the same names.
      return inPlaceOfOthers(target, { before: [cleanIpvs], after: [cleanNft], warn });
    }
    case 'ipvs': {
      await checkIpvs();
      // Where this mode was the last one, chains of those names are its own.
      const before: Cleaner = async () => ((await hasIpvsRules()) ? [] : cleanIptables());
      const { ipvsScheduler: scheduler = 'rr', ipvsStrictArp: strictArp = false } = flags;
      const ipvs = new Ipvs({ strictArp });
      const target: StartedTarget = {
        mode,
        apply: (view) => ipvs.apply(compileIpvs(view, { node: facts, scheduler })),
        resync: () => ipvs.resync(),
        isInPlace: async () => {
          await ipvs.sweep();
          return ipvs.isInPlace();
        },
        stop: () => Promise.resolve(),
      };
      return inPlaceOfOthers(target, { before: [before], after: [cleanNft], warn });
    }
    case 'userspace': {
      const proxy = new Proxy({
        workers: 1,
        limits: DEFAULT_LIMITS,
        pathPolicy: DEFAULT_PATH_POLICY,
        explains: false,
        bindings: { firstOpenPort: 0, localhostOffset: null },
        servedPort: (_service, port) => port,
        nodePortAddresses: facts.addresses,
      });
      const target: StartedTarget = {
        mode,
        apply: async (view, model) => {
          const nothing = lower(
            { ...model, services: [], entryPoints: [], backends: new Map() },
            '',
          );
          const services = relayServices(view, facts);
          const { rejected } = await proxy.apply(compileProxy({ ...nothing, services }));
          return { rejected: rejectedPorts(rejected), sync: 'partial' };
        },
        resync: () => undefined,
        isInPlace: () => Promise.resolve(true),
        stop: () => proxy.stop(DRAIN_MS),
      };
      // Whoever may not change rules has left none, and could remove none.
      if (!mayChangeNetwork()) return target;
      return inPlaceOfOthers(target, { before: [], after: [cleanAll], warn });
    }
  }
}

/** The target, which removes what other modes have left, once, when it has something to put in its place. */
function inPlaceOfOthers(
  target: StartedTarget,
  options: {
    /** What has to go first, as it shares names with the target. */
    readonly before: readonly Cleaner[];
    readonly after: readonly Cleaner[];
    readonly warn: (message: string) => void;
  },
): StartedTarget {
  let { before, after } = options;
  const run = async (cleaners: readonly Cleaner[]): Promise<void> => {
    for (const clean of cleaners) {
      for (const problem of await clean()) {
        options.warn(`rules of another mode are left: ${problem}`);
      }
    }
  };
  return {
    ...target,
    apply: async (view, model) => {
      await run(before);
      before = [];
      const applied = await target.apply(view, model);
      await run(after);
      after = [];
      return applied;
    },
  };
}

/** The target, and node ports on loopback beside it where they are asked for. */
function withLocalhost(facts: NodeFacts, target: StartedTarget): StartedTarget {
  const localhost = localhostNodePorts(facts);
  if (localhost === undefined) return target;
  return {
    ...target,
    apply: async (view, model) => {
      const applied = await target.apply(view, model);
      return { ...applied, rejected: [...applied.rejected, ...(await localhost.apply(model))] };
    },
    stop: async () => {
      await localhost.stop();
      await target.stop();
    },
  };
}

/** Removes the rules of every mode; gives what could not be removed. */
export async function cleanAll(): Promise<readonly string[]> {
  return [...(await cleanNft()), ...(await cleanIpvs()), ...(await cleanIptables())];
}

async function cleanNft(): Promise<readonly string[]> {
  // Without nft there is nothing of ours.
  const problem = await runNft(nftCleanup()).catch(() => null);
  return problem === null ? [] : [problem];
}

/** Lists or deletes flows of the kernel; gives what is said. Where there are none it fails: that is nothing. */
export async function runConntrack(args: readonly string[]): Promise<string> {
  return (await runCommand(['conntrack', ...args], '')).output;
}

/** Resolves with whether a command is there. */
export function hasCommand(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(name, ['--version'], { stdio: 'ignore' });
    child.once('error', () => resolve(false));
    child.once('close', () => resolve(true));
  });
}
