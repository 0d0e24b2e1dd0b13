// What the IPVS target needs of the host beside IPVS itself: whether it can be used here, the device, hooks of
// iptables; and the removal of everything.

import type { Family } from '../../lib/cidr.ts';
import { FairwayError } from '../../lib/errors.ts';
import { runCommand } from '../../lib/run-command.ts';
import type { CommandRunner } from '../../lib/run-command.ts';
import { DEVICE, hooksOf, isOwnSet, OWN_CHAINS } from './frame.ts';
import type { Hook } from './program.ts';
import { ownedIn, TEMPORARY } from './sets.ts';
import { parseServers, removeServer } from './state.ts';

export const WAIT = ['-w', '5'];

export function tool(family: Family): 'iptables' | 'ip6tables' {
  return family === 'ipv4' ? 'iptables' : 'ip6tables';
}

/** Throws what is missing for IPVS on this machine. */
export async function checkIpvs(run: CommandRunner = runCommand): Promise<void> {
  const needs = [
    { command: ['ipvsadm', '-Ln'], what: 'IPVS', hint: 'install ipvsadm, and load the module ip_vs' },
    { command: ['ipset', 'list', '-n'], what: 'ipset', hint: 'install ipset' },
    { command: ['ip', '-V'], what: 'ip', hint: 'install iproute2' },
  ];
  for (const { command, what, hint } of needs) {
    const { problem } = await run(command, '');
    if (problem === null) continue;
    throw new FairwayError('FW_IPVS_MISSING', `${what} cannot be used here: ${problem}`, {
      hint: `${hint}, or use another --mode`,
    });
  }
}

/** Addresses on the device; null when there is no device. */
export async function listDevice(run: CommandRunner): Promise<readonly string[] | null> {
  const { output, problem } = await run(['ip', '-o', 'address', 'show', 'dev', DEVICE], '');
  if (problem !== null) return null;
  return [...output.matchAll(/\sinet6?\s([^\s/]+)/g)]
    .map(([, address = '']) => address)
    .filter((address) => !address.startsWith('fe80:'));
}

function hookCommand(family: Family, verb: '-C' | '-I' | '-D', hook: Hook): readonly string[] {
  const words = (hook.rule.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ''));
  return [tool(family), ...WAIT, '-t', hook.table, verb, hook.chain, ...words];
}

/** Puts hooks before all other rules where they are missing; gives what was refused. */
export async function addHooks(
  run: CommandRunner,
  family: Family,
  hooks: readonly Hook[],
): Promise<string | null> {
  // Each is put before all others, so the last one first.
  for (const hook of hooks.toReversed()) {
    if ((await run(hookCommand(family, '-C', hook), '')).problem === null) continue;
    const { problem } = await run(hookCommand(family, '-I', hook), '');
    if (problem !== null) return problem;
  }
  return null;
}

/** Whether this target has its rules here, of this run or one before. */
export async function hasIpvsRules(run: CommandRunner = runCommand): Promise<boolean> {
  const listing = ['iptables', ...WAIT, '-t', 'filter', '-nL', 'KUBE-IPVS-FILTER'];
  return (await run(listing, '')).problem === null;
}

/** Chains that iptables mode has, too: they are emptied here, and removed with the rest of that mode. */
const SHARED_CHAINS = [
  'KUBE-SERVICES',
  'KUBE-POSTROUTING',
  'KUBE-MARK-MASQ',
  'KUBE-FORWARD',
  'KUBE-PROXY-FIREWALL',
];

/**
 * Removes everything of this target, whether it is there or not; says what was not possible. Does nothing where there
 * is nothing of IPVS mode.
 */
export async function cleanIpvs(run: CommandRunner = runCommand): Promise<readonly string[]> {
  const problems: string[] = [];
  const note = async (command: readonly string[], input: string): Promise<void> => {
    const { problem } = await run(command, input);
    if (problem !== null) problems.push(problem);
  };
  const device = await listDevice(run);
  const { output: saved } = await run(['ipset', 'save'], '');
  const names = [...saved.matchAll(/^create (\S+)/gm)].map(([, name = '']) => name);
  const sets = names.filter((name) => isOwnSet(name) || name.startsWith(TEMPORARY));
  if (device === null && sets.length === 0 && !(await hasIpvsRules(run))) return problems;
  const listing = await run(['ipvsadm', '-Ln'], '');
  if (listing.problem === null) {
    const isOurs = ownedIn(saved, device ?? []);
    const servers = [...parseServers(listing.output).values()].filter(isOurs);
    if (servers.length > 0) {
      await note(['ipvsadm', '-R'], `${servers.map(removeServer).join('\n')}\n`);
    }
  }
  if (device !== null) await note(['ip', 'link', 'del', DEVICE], '');
  for (const family of ['ipv4', 'ipv6'] as const) await cleanRules(run, family, note);
  if (sets.length > 0) {
    const lines = sets.map((name) => `destroy ${name}`);
    await note(['ipset', 'restore'], `${lines.join('\n')}\n`);
  }
  return problems;
}

async function cleanRules(
  run: CommandRunner,
  family: Family,
  note: (command: readonly string[], input: string) => Promise<void>,
): Promise<void> {
  for (const hook of hooksOf()) await run(hookCommand(family, '-D', hook), '');
  for (const table of ['mangle', 'nat', 'filter'] as const) {
    const { output, problem } = await run([`${tool(family)}-save`, '-t', table], '');
    if (problem !== null) continue;
    const there = [...output.matchAll(/^:(\S+)/gm)].map(([, name = '']) => name);
    // The mangle table is of this mode alone.
    const ownHere = table === 'mangle' ? [...OWN_CHAINS, ...SHARED_CHAINS] : OWN_CHAINS;
    const own = there.filter((name) => (ownHere as readonly string[]).includes(name));
    const shared = there.filter((name) => SHARED_CHAINS.includes(name) && !own.includes(name));
    if (own.length + shared.length === 0) continue;
    const lines = [
      `*${table}`,
      ...[...own, ...shared].map((name) => `:${name} - [0:0]`),
      ...own.map((name) => `-X ${name}`),
      'COMMIT',
    ];
    await note([`${tool(family)}-restore`, ...WAIT, '--noflush'], `${lines.join('\n')}\n`);
  }
}
