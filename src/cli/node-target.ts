// The ways in which `fairway node` can carry packets, and what removes each of them.

import { spawn } from 'node:child_process';
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

/** Gets a mode ready, and removes what another mode may have left. */
export async function startTarget(
  mode: NodeMode,
  facts: NodeFacts,
  flags: IpvsFlags = {},
): Promise<StartedTarget> {
  switch (mode) {
    case 'nftables': {
      await checkNft();
      await cleanIpvs();
      await cleanIptables();
      const nft = new Nftables();
      return {
        mode,
        apply: (view) => nft.apply(compileNft(view)),
        resync: () => nft.resync(),
        isInPlace: () => nft.isInPlace(),
        stop: () => Promise.resolve(),
      };
    }
    case 'iptables': {
      await runNft(nftCleanup()).catch(() => null);
      await cleanIpvs();
      const iptables = new Iptables();
      return {
        mode,
        apply: (view) => iptables.apply(compileIptables(view)),
        resync: () => iptables.resync(),
        isInPlace: () => iptables.isInPlace(),
        stop: () => Promise.resolve(),
      };
    }
    case 'ipvs': {
      await checkIpvs();
      await runNft(nftCleanup()).catch(() => null);
      // Both have chains of the same names: where this mode was the last one, they are its own.
      if (!(await hasIpvsRules())) await cleanIptables();
      const { ipvsScheduler: scheduler = 'rr', ipvsStrictArp: strictArp = false } = flags;
      const ipvs = new Ipvs({ strictArp });
      return {
        mode,
        apply: (view) => ipvs.apply(compileIpvs(view, { node: facts, scheduler })),
        resync: () => ipvs.resync(),
        isInPlace: async () => {
          await ipvs.sweep();
          return ipvs.isInPlace();
        },
        stop: () => Promise.resolve(),
      };
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
      return {
        mode,
        apply: async (view, model) => {
          const nothing = lower(
            { ...model, services: [], entryPoints: [], backends: new Map() },
            '',
          );
          const services = relayServices(view, facts);
          const { rejected } = await proxy.apply(compileProxy({ ...nothing, services }));
          return { rejected, sync: 'partial' };
        },
        resync: () => undefined,
        isInPlace: () => Promise.resolve(true),
        stop: () => proxy.stop(DRAIN_MS),
      };
    }
  }
}

/** Removes the rules of every mode; gives what could not be removed. */
export async function cleanAll(): Promise<readonly string[]> {
  const nft = await runNft(nftCleanup()).catch(() => null);
  return [...(nft === null ? [] : [nft]), ...(await cleanIpvs()), ...(await cleanIptables())];
}

/** Makes the kernel forget a flow. There may be none of it, or no such command: then nothing is stale. */
export async function forgetFlow(flow: readonly string[]): Promise<void> {
  await runCommand(['conntrack', ...flow], '');
}

/** Resolves with whether a command is there. */
export function hasCommand(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(name, ['--version'], { stdio: 'ignore' });
    child.once('error', () => resolve(false));
    child.once('close', () => resolve(true));
  });
}
