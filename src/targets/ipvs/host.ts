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
    {
      command: ['ipvsadm', '-Ln'],
      what: 'IPVS',
      hint: 'install ipvsadm, and load the module ip_vs',
    },
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

/** Lines of `iptables-save` by table. */
async function savedRules(
  run: CommandRunner,
  family: Family,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { output } = await run([`${tool(family)}-save`], '');
  return new Map(
    output
      .split(/^\*/m)
      .slice(1)
      .map((part): [string, readonly string[]] => {
        const [table = '', ...lines] = part.split('\n');
        return [table, lines];
      }),
  );
}

/** Whether a line is a hook of ours: of a chain of the kernel, to the chain that the hook goes to. */
function isHook(line: string, { chain, rule }: Hook): boolean {
  const target = rule.slice(rule.lastIndexOf(' -j '));
  return line.startsWith(`-A ${chain} `) && line.endsWith(target);
}

/** Puts hooks before all other rules where they are missing; gives what was refused. */
export async function addHooks(
  run: CommandRunner,
  family: Family,
  hooks: readonly Hook[],
): Promise<string | null> {
  const saved = await savedRules(run, family);
  const missing = hooks.filter(
    (hook) => saved.get(hook.table)?.some((line) => isHook(line, hook)) !== true,
  );
  if (missing.length === 0) return null;
  // Each is put before all others, so the last one first.
  const lines = (['mangle', 'nat', 'filter'] as const).flatMap((table) => [
    `*${table}`,
    ...missing
      .filter((hook) => hook.table === table)
      .toReversed()
      .map(({ chain, rule }) => `-I ${chain} ${rule}`),
    'COMMIT',
  ]);
  const command = [`${tool(family)}-restore`, ...WAIT, '--noflush'];
  return (await run(command, `${lines.join('\n')}\n`)).problem;
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
  const saved = await savedRules(run, family);
  for (const [table, lines] of saved) {
    const there = lines
      .map((line) => /^:(\S+)/.exec(line)?.[1])
      .filter((name) => name !== undefined);
    // The mangle table is of this mode alone.
    const ownHere = table === 'mangle' ? [...OWN_CHAINS, ...SHARED_CHAINS] : OWN_CHAINS;
    const own = there.filter((name) => (ownHere as readonly string[]).includes(name));
    const shared = there.filter((name) => SHARED_CHAINS.includes(name) && !own.includes(name));
    if (own.length + shared.length === 0) continue;
    const hooks = hooksOf().filter((hook) => hook.table === table);
    const commands = [
      `*${table}`,
      ...[...own, ...shared].map((name) => `:${name} - [0:0]`),
      ...lines
        .filter((line) => hooks.some((hook) => isHook(line, hook)))
        .map((line) => line.replace(/^-A/, '-D')),
      ...own.map((name) => `-X ${name}`),
      'COMMIT',
    ];
    await note([`${tool(family)}-restore`, ...WAIT, '--noflush'], `${commands.join('\n')}\n`);
  }
}
