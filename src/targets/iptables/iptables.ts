// The iptables target at work: writes everything once, and then the common chains and the own chains of
// the ports that changed. When iptables refuses a text, the port of the Service that it refuses is found by
// halves and named; the others go through.

import type { Family } from '../../lib/cidr.ts';
import { FairwayError } from '../../lib/errors.ts';
import { runCommand } from '../../lib/run-command.ts';
import type { CommandRunner } from '../../lib/run-command.ts';
import type { Applied, Rejection } from '../target.ts';
import type { Hook, IptablesFamily, IptablesPort, IptablesProgram } from './program.ts';
import { countRules } from './count.ts';
import type { RuleCount } from './count.ts';
import { restoreText } from './text.ts';

export interface IptablesApplied extends Applied {
  /** Whether everything was written anew, or only what changed. */
  readonly sync: 'full' | 'partial';
  readonly rules: ReadonlyMap<Family, readonly RuleCount[]>;
}

/** Chains of ours, and of kube-proxy before us: what a clean-up looks for. */
const OURS =
  /^:?(KUBE-(?:SERVICES|EXTERNAL-SERVICES|NODEPORTS|POSTROUTING|MARK-MASQ|MARK-MASQ-OTHERS|FORWARD|PROXY-FIREWALL|PROXY-CANARY|(?:SVC|SVL|SEP|EXT|FW)-[A-Z2-7]{16}))$/;
const CANARY = 'KUBE-PROXY-CANARY';
const LOCK_SECONDS = '5';
const MESSAGE_CHARS_MAX = 500;

interface FamilyState {
  readonly ports: Map<string, IptablesPort>;
}

export class Iptables {
  readonly #run: CommandRunner;
  readonly #families = new Map<Family, FamilyState>();
  #generation = 0;
  #wantsFull = true;
  #queue: Promise<unknown> = Promise.resolve();
  /** What was written last, by family. */
  readonly #texts = new Map<Family, string>();

  constructor({ run = runCommand }: { readonly run?: CommandRunner } = {}) {
    this.#run = run;
  }

  /** Puts a program in force. Programs come in force in the order in which they were given. */
  apply(program: IptablesProgram): Promise<IptablesApplied> {
    const done = this.#queue.then(() => this.#apply(program));
    this.#queue = done.catch(() => undefined);
    return done;
  }

  /** The next program is written whole. */
  resync(): void {
    this.#wantsFull = true;
  }

  /** Whether nobody has flushed the tables: a chain that does nothing would be gone. */
  async isInPlace(): Promise<boolean> {
    for (const family of this.#families.keys()) {
      const { problem } = await this.#run([tool(family), ...WAIT, '-t', 'nat', '-nL', CANARY], '');
      if (problem !== null) return false;
    }
    return true;
  }

  async #apply(program: IptablesProgram): Promise<IptablesApplied> {
    const rejected: Rejection[] = [];
    const isFull = this.#wantsFull;
    this.#wantsFull = false;
    this.#texts.clear();
    for (const family of program.families) await this.#applyFamily(family, isFull, rejected);
    this.#generation++;
    if (rejected.length > 0) this.#wantsFull = true;
    const rules = new Map(
      program.families.map((family) => [
        family.family,
        countRules(family, this.#texts.get(family.family)),
      ]),
    );
    return { generation: this.#generation, rejected, sync: isFull ? 'full' : 'partial', rules };
  }

  async #applyFamily(
    family: IptablesFamily,
    isFull: boolean,
    rejected: Rejection[],
  ): Promise<void> {
    const known = this.#families.get(family.family);
    const before: ReadonlyMap<string, IptablesPort> = known?.ports ?? new Map();
    if (isFull) await this.#addCanary(family.family);
    const stale = isFull ? await this.#listOwnChains(family.family) : undefined;
    let { ports } = family;
    let problem = await this.#restore({ ...family, ports }, before, stale);
    if (problem !== null) {
      // Not even the common chains alone go through, or nobody is at fault alone: it is the machine.
      if ((await this.#test(family, [])) !== null) throw refused(problem);
      const bad = await this.#offenders(family, ports);
      if (bad.size === 0) throw refused(problem);
      ports = ports.flatMap((port) => {
        const message = bad.get(port);
        if (message === undefined) return [port];
        rejected.push(rejection(port, family.family, message));
        const last = before.get(port.id);
        return last === undefined ? [] : [last];
      });
      problem = await this.#restore({ ...family, ports }, before, stale);
      if (problem !== null) throw refused(problem);
    }
    if (isFull) await this.#addHooks(family);
    this.#families.set(family.family, { ports: new Map(ports.map((port) => [port.id, port])) });
  }

  async #restore(
    family: IptablesFamily,
    before: ReadonlyMap<string, IptablesPort>,
    stale: readonly string[] | undefined,
  ): Promise<string | null> {
    const isFull = stale !== undefined;
    const changed = new Set(family.ports.filter((p) => isFull || before.get(p.id) !== p));
    const kept = new Set(family.ports.flatMap((port) => port.chains.map(({ name }) => name)));
    const had = stale ?? [...before.values()].flatMap((p) => p.chains.map(({ name }) => name));
    const gone = [...new Set(had)].filter((name) => !kept.has(name));
    if (!isFull && changed.size === 0 && gone.length === 0 && before.size === family.ports.length) {
      return null;
    }
    const text = restoreText(family, { changed, gone });
    const { problem } = await this.#run(
      [`${tool(family.family)}-restore`, ...WAIT, '--noflush', '--counters'],
      text,
    );
    if (problem === null) this.#texts.set(family.family, text);
    return problem;
  }

  /** The ports that are refused even when they stand alone, with what is said about each. */
  async #offenders(
    family: IptablesFamily,
    ports: readonly IptablesPort[],
  ): Promise<Map<IptablesPort, string>> {
    if (ports.length === 0) return new Map();
    const problem = await this.#test(family, ports);
    if (problem === null) return new Map();
    if (ports.length === 1) return new Map([[ports[0]!, problem]]);
    const half = Math.ceil(ports.length / 2);
    return new Map([
      ...(await this.#offenders(family, ports.slice(0, half))),
      ...(await this.#offenders(family, ports.slice(half))),
    ]);
  }

  async #test(family: IptablesFamily, ports: readonly IptablesPort[]): Promise<string | null> {
    const { problem } = await this.#run(
      [`${tool(family.family)}-restore`, ...WAIT, '--noflush', '--test'],
      restoreText({ ...family, ports }),
    );
    return problem;
  }

  async #addCanary(family: Family): Promise<void> {
    await this.#run(
      [`${tool(family)}-restore`, ...WAIT, '--noflush'],
      `*nat\n:${CANARY} - [0:0]\nCOMMIT\n`,
    );
  }

  async #addHooks({ family, hooks }: IptablesFamily): Promise<void> {
    // Each is put before all others, so the last one first.
    for (const hook of hooks.toReversed()) {
      const { problem } = await this.#run(hookCommand(family, '-C', hook), '');
      if (problem === null) continue;
      const added = await this.#run(hookCommand(family, '-I', hook), '');
      if (added.problem !== null) throw refused(added.problem);
    }
  }

  async #listOwnChains(family: Family): Promise<readonly string[]> {
    const { output } = await this.#run([`${tool(family)}-save`, '-t', 'nat'], '');
    return ownChains(output).filter((name) => /^KUBE-(?:SVC|SVL|SEP|EXT|FW)-/.test(name));
  }
}

const WAIT = ['-w', LOCK_SECONDS];

function tool(family: Family): 'iptables' | 'ip6tables' {
  return family === 'ipv4' ? 'iptables' : 'ip6tables';
}

function hookCommand(family: Family, verb: '-C' | '-I' | '-D', hook: Hook): readonly string[] {
  const words = (hook.rule.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ''));
  return [tool(family), ...WAIT, '-t', hook.table, verb, hook.chain, ...words];
}

/** Names of chains of ours in what iptables-save says. */
function ownChains(saved: string): readonly string[] {
  return saved
    .split('\n')
    .map((line) => OURS.exec(line.split(' ')[0] ?? '')?.[1])
    .filter((name) => name !== undefined);
}

/** Removes every rule and chain of this target, whether it is there or not; says what was not possible. */
export async function cleanIptables(run: CommandRunner = runCommand): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const family of ['ipv4', 'ipv6'] as const) {
    for (const table of ['filter', 'nat'] as const) {
      const { output, problem } = await run([`${tool(family)}-save`, '-t', table], '');
      // Without the command, or without the table, there is nothing of ours.
      if (problem !== null) continue;
      const chains = ownChains(output);
      if (chains.length === 0) continue;
      const hooks = output
        .split('\n')
        .filter((line) => /^-A (?:PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING) /.test(line))
        .filter((line) => OURS.test(/ -j (\S+)/.exec(line)?.[1] ?? ''))
        .map((line) => line.replace(/^-A/, '-D'));
      const lines = [
        `*${table}`,
        ...chains.map((name) => `:${name} - [0:0]`),
        ...hooks,
        ...chains.map((name) => `-X ${name}`),
        'COMMIT',
      ];
      const done = await run(
        [`${tool(family)}-restore`, ...WAIT, '--noflush'],
        `${lines.join('\n')}\n`,
      );
      if (done.problem !== null) problems.push(done.problem);
    }
  }
  return problems;
}

function refused(problem: string): FairwayError {
  return new FairwayError(
    'FW_IPTABLES_REJECTED',
    `iptables refuses the rules: ${problem.slice(0, MESSAGE_CHARS_MAX)}`,
    { hint: 'the rules that were there before stay in force' },
  );
}

function rejection({ id }: IptablesPort, family: Family, problem: string): Rejection {
  return {
    id,
    reason: 'RefusedByKernel',
    message: `${tool(family)} refuses the rules of Service ${id}: ${problem.slice(0, MESSAGE_CHARS_MAX)}`,
    hint: 'it keeps the rules it had; all others are in force',
  };
}
