// The nftables target at work: keeps in mind what the kernel has, and brings it from one program to the
// next in one transaction of what changed. When the kernel refuses a transaction, the halves of it are
// tried, until the port of the Service that it refuses stands alone: that one is named and keeps what it
// had, and the others go through.

import { spawn } from 'node:child_process';
import type { Family } from '../../lib/cidr.ts';
import { FairwayError } from '../../lib/errors.ts';
import { COMMAND_MS_MAX, killAfter, runCommand } from '../../lib/run-command.ts';
import type { Applied, Rejection } from '../target.ts';
import { baseChains } from './base-chains.ts';
import { changeCommands, changesOf, chainCommands, frameCommands, goneChains } from './commands.ts';
import type { PortChange } from './commands.ts';
import { nftFamily } from './frame.ts';
import type { FamilyProgram, NftProgram, PortProgram } from './program.ts';
import { ruleText } from './text.ts';

/** Runs a script of nft; gives what it complains about, or null when it was carried out whole. */
export type NftRunner = (script: string) => Promise<string | null>;

export interface NftablesOptions {
  /** The command; `nft` when absent. */
  readonly run?: NftRunner;
  /** What `nft list chains` says of a family; asked of `nft` when both are absent. */
  readonly chains?: (family: Family) => Promise<string>;
}

export interface NftApplied extends Applied {
  /** Whether everything was written anew, or only what changed. */
  readonly sync: 'full' | 'partial';
  /** Families where chains that are not needed could not be deleted; the next round tries it again. */
  readonly uncleaned: readonly Family[];
}

export const NFT_TABLE = 'fairway';
/** Below this, maps of verdicts with several fields do not work. */
const NFT_VERSION_MIN = [1, 0, 1] as const;
const MESSAGE_CHARS_MAX = 500;

interface FamilyState {
  /** The frame as text: when it changes, everything is written anew. */
  readonly frame: string;
  /** Names of the chains at hooks. */
  readonly hooks: readonly string[];
  readonly ports: Map<string, PortProgram>;
  /** How many ports need each key of the set of hairpins: two may have the same endpoint. */
  readonly hairpins: Map<string, number>;
  /** Rules of shared chains that are there, by name. */
  readonly shared: Map<string, string>;
  /** Chains that are empty and are to be deleted. */
  readonly stale: Set<string>;
}

export class Nftables {
  readonly #run: NftRunner;
  readonly #chains: ((family: Family) => Promise<string>) | undefined;
  readonly #families = new Map<Family, FamilyState>();
  readonly #uncleaned = new Set<Family>();
  #generation = 0;
  #wantsFull = true;
  #queue: Promise<unknown> = Promise.resolve();

  constructor({ run, chains }: NftablesOptions = {}) {
    this.#run = run ?? runNft;
    this.#chains = chains ?? (run === undefined ? listChains : undefined);
  }

  /** Puts a program in force. Programs come in force in the order in which they were given. */
  apply(program: NftProgram): Promise<NftApplied> {
    const done = this.#queue.then(() => this.#apply(program));
    this.#queue = done.catch(() => undefined);
    return done;
  }

  /** The next program is written whole: it mends what somebody else has deleted or changed. */
  resync(): void {
    this.#wantsFull = true;
  }

  /** Whether our chains at hooks are still there, and no others in our table. */
  async isInPlace(): Promise<boolean> {
    for (const [family, { hooks }] of this.#families) {
      const listed = await this.#listed(family);
      if (listed !== undefined) {
        if (listed.toSorted().join() !== hooks.toSorted().join()) return false;
        continue;
      }
      // One at a time: of two lists in one script nft 1.0.6 sees one family only.
      const script = `list chain ${nftFamily(family)} ${NFT_TABLE} nat-prerouting`;
      if ((await this.#run(script)) !== null) return false;
    }
    return true;
  }

  /** The chains at hooks that are in our table; undefined when they cannot be listed. */
  async #listed(family: Family): Promise<readonly string[] | undefined> {
    if (this.#chains === undefined) return undefined;
    const text = await this.#chains(family);
    return text === '' ? undefined : baseChains(text, NFT_TABLE);
  }

  /** Chains that somebody else has put at hooks of our table go; nobody can go to such a chain. */
  async #removeStrangers(family: Family, { hooks }: FamilyState): Promise<void> {
    const listed = (await this.#listed(family)) ?? [];
    const at = `${nftFamily(family)} ${NFT_TABLE}`;
    for (const name of listed.filter((one) => !hooks.includes(one))) {
      const problem = await this.#run(`flush chain ${at} ${name}\ndelete chain ${at} ${name}`);
      // The table is made anew then.
      if (problem !== null) this.#families.delete(family);
    }
  }

  async #apply(program: NftProgram): Promise<NftApplied> {
    const rejected: Rejection[] = [];
    let isFull = this.#wantsFull;
    this.#wantsFull = false;
    const strange = program.families.filter(({ family }) => !this.#families.has(family));
    const left = isFull ? await this.#left(strange) : new Set<Family>();
    if (isFull) {
      for (const [family, state] of this.#families) await this.#removeStrangers(family, state);
    }
    for (const family of program.families) {
      if (!family.isUsed && !this.#families.has(family.family)) {
        // Somebody before us may have used it.
        if (left.has(family.family)) await this.#run(removal(family.family));
        continue;
      }
      const isStrange = strange.includes(family);
      const isNew = isFull && isStrange && !left.has(family.family);
      const wasFull = await this.#applyFamily(family, { isFull, isNew }, rejected);
      isFull ||= wasFull;
    }
    this.#generation++;
    // What was refused is tried again with everything else, and so is not forgotten.
    if (rejected.length > 0) this.#wantsFull = true;
    const uncleaned = [...this.#uncleaned];
    this.#uncleaned.clear();
    return { generation: this.#generation, rejected, sync: isFull ? 'full' : 'partial', uncleaned };
  }

  /** Families that have a table of ours, of somebody before us. In doubt they have. */
  async #left(families: readonly FamilyProgram[]): Promise<ReadonlySet<Family>> {
    // Of all lists that name a table this is the shortest: there are no counters.
    const query = ({ family }: FamilyProgram): string =>
      `list counters table ${nftFamily(family)} ${NFT_TABLE}`;
    if (families.length === 0) return new Set();
    const problem = (await this.#run(families.map(query).join('\n'))) ?? '';
    // It repeats each line that names what is not there.
    const missing = new Set(problem.split('\n'));
    return new Set(families.filter((f) => !missing.has(query(f))).map(({ family }) => family));
  }

  /** Gives whether everything of the family was written anew. */
  async #applyFamily(
    program: FamilyProgram,
    { isFull, isNew }: { readonly isFull: boolean; readonly isNew: boolean },
    rejected: Rejection[],
  ): Promise<boolean> {
    const { family, ports } = program;
    const frame = frameCommands(program, { start: 'mend', table: NFT_TABLE }).join('\n');
    const state = this.#families.get(family);
    if (isFull || state?.frame !== frame) {
      await this.#writeWhole(program, { frame, isNew }, rejected);
      return true;
    }
    await this.#sweep(family, state);
    const changes = changesOf(family, state.ports, ports);
    if (changes.length > 0) await this.#change(program, state, changes, rejected);
    return false;
  }

  /** Everything in one transaction; when that fails, the frame first and then the ports by halves. */
  async #writeWhole(
    program: FamilyProgram,
    { frame, isNew }: { readonly frame: string; readonly isNew: boolean },
    rejected: Rejection[],
  ): Promise<void> {
    const { family, ports } = program;
    const known = this.#families.get(family);
    const state: FamilyState = {
      frame,
      hooks: program.frame.flatMap(({ name, hook }) => (hook === undefined ? [] : [name])),
      ports: new Map(),
      hairpins: new Map(),
      shared: new Map(),
      stale: new Set(),
    };
    // Who stays with which endpoint is remembered in sets of the table: they stay while it can be mended.
    const sets = new Map(ports.map((port) => [port.id, withoutSets(port, known)]));
    const changes = changesOf(family, state.ports, ports);
    const mend = changes.map((change) => ({ ...change, before: sets.get(change.id) }));
    const script = (lines: readonly string[], list: readonly PortChange[]): string =>
      [
        ...lines,
        ...chainCommands(program.shared.values(), family, NFT_TABLE),
        ...changeCommands(list, { table: NFT_TABLE, isShared: () => false }),
      ].join('\n');
    const whole = (start: 'mend' | 'rebuild' | 'nothing there'): readonly string[] =>
      frameCommands(program, { start, table: NFT_TABLE });
    const leftOver = [...(known?.ports.values() ?? [])].flatMap((port) =>
      goneChains(
        port,
        ports.find((p) => p.id === port.id),
      ),
    );
    const isMended = known !== undefined && (await this.#run(script(whole('mend'), mend))) === null;
    if (isMended) {
      for (const chain of leftOver) state.stale.add(chain);
    }
    const isWritten =
      isMended ||
      (await this.#run(script(whole(isNew ? 'nothing there' : 'rebuild'), changes))) === null;
    this.#families.set(family, state);
    if (isWritten) {
      for (const port of ports) {
        state.ports.set(port.id, port);
        countHairpins(state, port, 1);
      }
      remember(program, state);
      return;
    }
    const problem = await this.#run(whole('rebuild').join('\n'));
    if (problem !== null) {
      this.#families.delete(family);
      throw refused(`nft refuses the table: ${problem}`);
    }
    await this.#change(program, state, changes, rejected);
  }

  /** One transaction; when it is refused, its halves, down to the port that is at fault. */
  async #change(
    program: FamilyProgram,
    state: FamilyState,
    changes: readonly PortChange[],
    rejected: Rejection[],
  ): Promise<void> {
    const { family } = program;
    const needed = new Map(
      changes.flatMap(({ after }) => after?.uses ?? []).map((chain) => [chain.name, chain]),
    );
    const missing = [...needed.values()].filter(
      (chain) => state.shared.get(chain.name) !== rulesText(chain, family),
    );
    const script = [
      ...chainCommands(missing, family, NFT_TABLE),
      ...changeCommands(changes, { table: NFT_TABLE, isShared: sharedKeys(state, changes) }),
    ].join('\n');
    const problem = script === '' ? null : await this.#run(script);
    if (problem === null) {
      for (const chain of missing) state.shared.set(chain.name, rulesText(chain, family));
      for (const { id, before, after } of changes) {
        for (const chain of goneChains(before, after)) state.stale.add(chain);
        for (const chain of after?.chains ?? []) state.stale.delete(chain.name);
        countHairpins(state, state.ports.get(id), -1);
        countHairpins(state, after, 1);
        if (after === undefined) state.ports.delete(id);
        else state.ports.set(id, after);
      }
      return;
    }
    await this.#checkMachine(family, problem);
    const [first] = changes;
    if (changes.length === 1 && first !== undefined) {
      rejected.push(rejection(first, problem));
      return;
    }
    const half = Math.ceil(changes.length / 2);
    await this.#change(program, state, changes.slice(0, half), rejected);
    await this.#change(program, state, changes.slice(half), rejected);
  }

  /** Rejects when not even what changes nothing is carried out: then no Service is at fault. */
  async #checkMachine(family: Family, problem: string): Promise<void> {
    if ((await this.#run(`add table ${nftFamily(family)} ${NFT_TABLE}`)) === null) return;
    throw refused(`nft fails: ${problem.slice(0, MESSAGE_CHARS_MAX)}`);
  }

  /** Deletes chains that the transaction before has emptied. What cannot be deleted yet is tried again. */
  async #sweep(family: Family, { stale }: FamilyState): Promise<void> {
    if (stale.size === 0) return;
    const names = [...stale];
    const commands = names.map((name) => `delete chain ${nftFamily(family)} ${NFT_TABLE} ${name}`);
    // A chain goes only after those that go to it are gone; all of these are empty.
    if ((await this.#run(commands.join('\n'))) === null) stale.clear();
    else this.#uncleaned.add(family);
  }
}

function refused(message: string): FairwayError {
  return new FairwayError('FW_NFT_REJECTED', message, {
    hint: 'the rules that were there before stay in force',
  });
}

function rejection({ id, family }: PortChange, problem: string): Rejection {
  return {
    id,
    reason: 'RefusedByKernel',
    message: `nft refuses the rules of Service ${id} (${family}): ${problem.slice(0, MESSAGE_CHARS_MAX)}`,
    hint: 'it keeps the rules it had; all others are in force',
  };
}

/** Of a port that was there: its affinity sets, and nothing else. */
function withoutSets(port: PortProgram, known: FamilyState | undefined): PortProgram | undefined {
  const before = known?.ports.get(port.id);
  if (before === undefined) return undefined;
  return { ...before, elements: [], chains: [] };
}

function remember({ shared, family }: FamilyProgram, state: FamilyState): void {
  for (const chain of shared.values()) state.shared.set(chain.name, rulesText(chain, family));
}

function rulesText(
  chain: { readonly rules: FamilyProgram['frame'][number]['rules'] },
  family: Family,
) {
  return chain.rules.map((rule) => ruleText(rule, family)).join('\n');
}

function countHairpins({ hairpins }: FamilyState, port: PortProgram | undefined, by: number): void {
  for (const { map, key } of port?.elements ?? []) {
    if (map !== 'hairpin') continue;
    const count = (hairpins.get(key) ?? 0) + by;
    if (count > 0) hairpins.set(key, count);
    else hairpins.delete(key);
  }
}

/** Whether an endpoint of a port that does not change needs a key of the set of hairpins. */
function sharedKeys(
  { hairpins }: FamilyState,
  changes: readonly PortChange[],
): (key: string) => boolean {
  let changing: Map<string, number> | undefined;
  return (key) => {
    if (changing === undefined) {
      changing = new Map();
      for (const { before } of changes) {
        for (const e of before?.elements ?? []) {
          if (e.map === 'hairpin') changing.set(e.key, (changing.get(e.key) ?? 0) + 1);
        }
      }
    }
    return (hairpins.get(key) ?? 0) > (changing.get(key) ?? 0);
  };
}

/** Runs the system's nft on a script. Rejects when there is none, and when it does not end in time. */
export function runNft(script: string, limitMs = COMMAND_MS_MAX): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const child = spawn('nft', ['-f', '-'], { stdio: ['pipe', 'ignore', 'pipe'] });
    killAfter(child, { name: 'nft', limitMs }, reject);
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (said.length < MESSAGE_CHARS_MAX * 4) said += text;
    });
    child.once('error', (error: NodeJS.ErrnoException) => reject(cannotRun(error)));
    child.once('close', (code, signal) => {
      const end = signal === null ? `status ${code}` : `ended by ${signal}`;
      resolve(code === 0 ? null : said.trim() || end);
    });
    // It may end before it has read everything; its status says why.
    child.stdin.on('error', () => undefined);
    child.stdin.end(`${script}\n`);
  });
}

async function listChains(family: Family): Promise<string> {
  return (await runCommand(['nft', 'list', 'chains', nftFamily(family)], '')).output;
}

function cannotRun(error: NodeJS.ErrnoException): FairwayError {
  return new FairwayError('FW_NFT_MISSING', `nft cannot be run: ${error.message}`, {
    hint: 'install the package nftables, or use another --mode',
    cause: error,
  });
}

/** Rejects when there is no nft, or one that is too old. */
export async function checkNft(): Promise<void> {
  const text = await new Promise<string>((resolve, reject) => {
    const child = spawn('nft', ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] });
    killAfter(child, { name: 'nft', limitMs: COMMAND_MS_MAX }, reject);
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => (said += part));
    child.once('error', (error: NodeJS.ErrnoException) => reject(cannotRun(error)));
    child.once('close', () => resolve(said));
  });
  const version =
    /v(\d+)\.(\d+)(?:\.(\d+))?/
      .exec(text)
      ?.slice(1)
      .map((n) => Number(n ?? 0)) ?? [];
  for (const [i, least] of NFT_VERSION_MIN.entries()) {
    const have = version[i] ?? 0;
    if (have > least) return;
    if (have < least) {
      throw new FairwayError('FW_NFT_TOO_OLD', `nft is too old: ${text.trim() || 'no version'}`, {
        hint: `nftables ${NFT_VERSION_MIN.join('.')} or newer is needed`,
      });
    }
  }
}

/** What removes every rule of this target, whether it is there or not. */
export function nftCleanup(): string {
  return (['ipv4', 'ipv6'] as const).map(removal).join('\n');
}

function removal(family: Family): string {
  const table = `${nftFamily(family)} ${NFT_TABLE}`;
  // Deleting what is not there is an error, and making what is there is none.
  return `add table ${table}\ndelete table ${table}`;
}
