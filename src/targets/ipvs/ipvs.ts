// The IPVS target at work: sets by ipset, a device that holds the addresses of Services by ip, virtual servers
// by ipvsadm, and a constant number of rules by iptables-restore. It writes everything once, and then
// what changed. A Service that one of the tools refuses is found by halves and named; the others go through.

import { familyOf } from '../../lib/cidr.ts';
import type { Family } from '../../lib/cidr.ts';
import { FairwayError } from '../../lib/errors.ts';
import { runCommand } from '../../lib/run-command.ts';
import type { CommandRunner } from '../../lib/run-command.ts';
import type { Applied, Rejection } from '../target.ts';
import { serverKey } from './compile.ts';
import { DEVICE } from './frame.ts';
import { addHooks, listDevice, tool, WAIT } from './host.ts';
import type { Hook, IpvsFamily, IpvsPort, IpvsProgram } from './program.ts';
import { ownedIn, setChanges, stageLines, swapLines, TEMPORARY } from './sets.ts';
import {
  changeServer,
  hasEnding,
  parseServers,
  removeServer,
  stateKey,
  sweepLines,
} from './state.ts';
import type { ServerState, ServerStates } from './state.ts';
import { createLine, entriesOf, hostPrefix, restoreText } from './text.ts';

export interface IpvsRunOptions {
  readonly run?: CommandRunner;
  /** Answers ARP for an address of a Service only where the device has it: what MetalLB needs. */
  readonly strictArp?: boolean;
}

export interface IpvsApplied extends Applied {
  /** Whether everything was written anew, or only what changed. */
  readonly sync: 'full' | 'partial';
}

const MESSAGE_CHARS_MAX = 500;
const LISTING = ['ipvsadm', '-Ln'];

interface FamilyState {
  /** The rules as text: when they change, everything is written anew. */
  readonly frame: string;
  /** Entries and their comments; undefined when nobody knows what is in the sets. */
  sets: ReadonlyMap<string, ReadonlyMap<string, string>> | undefined;
  addresses: ReadonlySet<string>;
  servers: ServerStates;
  ports: ReadonlyMap<string, IpvsPort>;
}

interface PortChange {
  readonly id: string;
  readonly before: IpvsPort | undefined;
  readonly after: IpvsPort | undefined;
}

export class Ipvs {
  readonly #run: CommandRunner;
  readonly #strictArp: boolean;
  readonly #families = new Map<Family, FamilyState>();
  #generation = 0;
  #wantsFull = true;
  #queue: Promise<unknown> = Promise.resolve();

  constructor({ run = runCommand, strictArp = false }: IpvsRunOptions = {}) {
    this.#run = run;
    this.#strictArp = strictArp;
  }

  /** Puts a program in force. Programs come in force in the order in which they were given. */
  apply(program: IpvsProgram): Promise<IpvsApplied> {
    return this.#inTurn(() => this.#apply(program));
  }

  /** The next program is written whole. */
  resync(): void {
    this.#wantsFull = true;
  }

  /** Whether rules, device and virtual servers are still there. */
  isInPlace(): Promise<boolean> {
    return this.#inTurn(async () => {
      if ((await listDevice(this.#run)) === null) return false;
      for (const [family, { servers }] of this.#families) {
        const chain = [tool(family), ...WAIT, '-t', 'filter', '-nL', 'KUBE-IPVS-FILTER'];
        if ((await this.#run(chain, '')).problem !== null) return false;
        const there = await this.#readServers(family);
        if ([...servers.keys()].some((key) => !there.has(key))) return false;
      }
      return true;
    });
  }

  /** Removes endpoints that were left to finish what they had and have nothing left. */
  sweep(): Promise<void> {
    return this.#inTurn(async () => {
      for (const [family, state] of this.#families) {
        if (!hasEnding(state.servers)) continue;
        const there = await this.#readServers(family);
        const lines = sweepLines(there, (key) => state.servers.has(key));
        for (const key of state.servers.keys()) {
          const server = there.get(key);
          if (server !== undefined) state.servers.set(key, server);
        }
        if (lines.length === 0) continue;
        if ((await this.#ipvsadm(lines)) !== null) this.#wantsFull = true;
      }
    });
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(action);
    this.#queue = done.catch(() => undefined);
    return done;
  }

  async #apply(program: IpvsProgram): Promise<IpvsApplied> {
    const rejected: Rejection[] = [];
    let isFull = this.#wantsFull;
    if (isFull) await this.#prepare();
    for (const family of program.families) {
      isFull = (await this.#applyFamily(family, isFull, rejected)) || isFull;
    }
    this.#generation++;
    // What was refused is tried again with everything else, and so is not forgotten.
    this.#wantsFull = rejected.length > 0;
    return { generation: this.#generation, rejected, sync: isFull ? 'full' : 'partial' };
  }

  /** The device, and what IPVS has to be told about connections. */
  async #prepare(): Promise<void> {
    if ((await listDevice(this.#run)) === null) {
      const { problem } = await this.#run(['ip', 'link', 'add', DEVICE, 'type', 'dummy'], '');
      if (problem !== null) throw refused('ip', problem);
    }
    const settings: Readonly<Record<string, number>> = {
      // Connections through IPVS are seen by iptables, which masquerades them.
      'ipv4/vs/conntrack': 1,
      'ipv4/vs/conn_reuse_mode': 0,
      // What belonged to an endpoint that is gone is chosen anew.
      'ipv4/vs/expire_nodest_conn': 1,
      'ipv4/vs/expire_quiescent_template': 1,
      ...(this.#strictArp
        ? { 'ipv4/conf/all/arp_ignore': 1, 'ipv4/conf/all/arp_announce': 2 }
        : {}),
    };
    for (const [name, value] of Object.entries(settings)) {
      const { problem } = await this.#run(['tee', `/proc/sys/net/${name}`], `${value}\n`);
      if (problem !== null) throw refused('the kernel', problem);
    }
  }

  /** Gives whether everything of the family was written anew. */
  async #applyFamily(
    program: IpvsFamily,
    wantsFull: boolean,
    rejected: Rejection[],
  ): Promise<boolean> {
    const frame = [...program.sets.map(createLine), restoreText(program)].join('\n');
    const known = this.#families.get(program.family);
    const isFull = wantsFull || known?.frame !== frame;
    const state = isFull ? await this.#begin(program, frame, known) : known;
    const refusals: Rejection[] = [];
    const ports = await this.#fillSets(program, state, refusals);
    const wanted = new Set(ports.flatMap((port) => port.addresses));
    await this.#bind(
      state,
      [...wanted].filter((address) => !state.addresses.has(address)),
      'add',
    );
    const served = await this.#serveAll(program.family, state, ports, { isFull, refusals });
    await this.#bind(
      state,
      [...state.addresses].filter((address) => !wanted.has(address)),
      'del',
    );
    state.ports = served;
    this.#families.set(program.family, state);
    rejected.push(...refusals);
    return isFull;
  }

  /** Sets that are empty at first, and the rules that look into them; then what the kernel has already. */
  async #begin(
    program: IpvsFamily,
    frame: string,
    known: FamilyState | undefined,
  ): Promise<FamilyState> {
    const { family, sets, hooks } = program;
    const names = new Set((await this.#run(['ipset', 'list', '-n'], '')).output.split('\n'));
    const missing = sets.filter(({ name }) => !names.has(name));
    if (missing.length > 0) {
      const problem = await this.#ipset(missing.map(createLine));
      if (problem !== null) throw refused('ipset', problem);
    }
    const left = (await this.#run(['ipset', 'save'], '')).output;
    const restore = [`${tool(family)}-restore`, ...WAIT, '--noflush', '--counters'];
    const { problem } = await this.#run(restore, restoreText(program));
    if (problem !== null) throw refused(tool(family), problem);
    await this.#addHooks(family, hooks);
    const addresses = ((await listDevice(this.#run)) ?? []).filter((a) => familyOf(a) === family);
    const servers = await this.#readServers(family);
    const isOurs = ownedIn(left, addresses);
    const wanted = new Set(program.ports.flatMap((port) => port.servers.map(stateKey)));
    return {
      frame,
      sets: undefined,
      addresses: new Set(addresses),
      servers: new Map(
        [...servers].filter(
          ([key, server]) => isOurs(server) || wanted.has(key) || known?.servers.has(key) === true,
        ),
      ),
      ports: known?.ports ?? new Map(),
    };
  }

  async #addHooks(family: Family, hooks: readonly Hook[]): Promise<void> {
    const problem = await addHooks(this.#run, family, hooks);
    if (problem !== null) throw refused(tool(family), problem);
  }

  /** Brings the sets to what the ports need; gives the ports that are in force then. */
  async #fillSets(
    program: IpvsFamily,
    state: FamilyState,
    rejected: Rejection[],
  ): Promise<readonly IpvsPort[]> {
    const wanted = entriesOf(program.ports);
    if (state.sets !== undefined) {
      const lines = setChanges(state.sets, wanted);
      if (lines.length === 0 || (await this.#ipset(lines)) === null) {
        state.sets = wanted;
        return program.ports;
      }
    }
    // Everything in sets that nobody asks yet; then these take the place of those that are asked.
    let { ports } = program;
    let problem = await this.#stage(program, ports);
    if (problem !== null) {
      const bad = await this.#offenders(program, ports);
      if (bad.size === 0) throw refused('ipset', problem);
      ports = ports.flatMap((port) => {
        const message = bad.get(port);
        if (message === undefined) return [port];
        rejected.push(rejection(port.id, 'ipset', message));
        const last = state.ports.get(port.id);
        return last === undefined || last === port ? [] : [last];
      });
      problem = await this.#stage(program, ports);
      if (problem !== null) throw refused('ipset', problem);
    }
    problem = await this.#ipset(swapLines(program.sets));
    if (problem !== null) throw refused('ipset', problem);
    state.sets = entriesOf(ports);
    return ports;
  }

  async #stage(program: IpvsFamily, ports: readonly IpvsPort[]): Promise<string | null> {
    const { output } = await this.#run(['ipset', 'list', '-n'], '');
    const left = output.split('\n').filter((name) => name.startsWith(TEMPORARY));
    return this.#ipset([
      ...left.map((name) => `destroy ${name}`),
      ...stageLines(program.sets, entriesOf(ports)),
    ]);
  }

  /** The ports that are refused even when they stand alone, with what is said about each. */
  async #offenders(
    program: IpvsFamily,
    ports: readonly IpvsPort[],
  ): Promise<Map<IpvsPort, string>> {
    if (ports.length === 0) return new Map();
    const problem = await this.#stage(program, ports);
    if (problem === null) return new Map();
    if (ports.length === 1) return new Map([[ports[0]!, problem]]);
    const half = Math.ceil(ports.length / 2);
    return new Map([
      ...(await this.#offenders(program, ports.slice(0, half))),
      ...(await this.#offenders(program, ports.slice(half))),
    ]);
  }

  async #bind(
    state: FamilyState,
    addresses: readonly string[],
    verb: 'add' | 'del',
  ): Promise<void> {
    if (addresses.length === 0) return;
    const lines = addresses.map((a) => `address ${verb} ${hostPrefix(a)} dev ${DEVICE}`);
    const { problem } = await this.#run(['ip', '-batch', '-'], `${lines.join('\n')}\n`);
    if (problem !== null) throw refused('ip', problem);
    const bound = new Set(state.addresses);
    for (const address of addresses) {
      if (verb === 'add') bound.add(address);
      else bound.delete(address);
    }
    state.addresses = bound;
  }

  /** Virtual servers of the ports; gives the ports that are in force then. */
  async #serveAll(
    family: Family,
    state: FamilyState,
    ports: readonly IpvsPort[],
    { isFull, refusals }: { readonly isFull: boolean; readonly refusals: Rejection[] },
  ): Promise<ReadonlyMap<string, IpvsPort>> {
    const wanted = new Set(ports.flatMap((port) => port.servers.map(stateKey)));
    const orphans = isFull ? [...state.servers].filter(([key]) => !wanted.has(key)) : [];
    if (orphans.length > 0) {
      const problem = await this.#ipvsadm(orphans.map(([, server]) => removeServer(server)));
      if (problem !== null) throw refused('ipvsadm', problem);
      for (const [key] of orphans) state.servers.delete(key);
    }
    const inForce = new Map(ports.map((port) => [port.id, port]));
    const changes: PortChange[] = [];
    for (const after of ports) {
      const before = state.ports.get(after.id);
      if (isFull || before !== after) changes.push({ id: after.id, before, after });
    }
    for (const [id, before] of state.ports) {
      if (!inForce.has(id)) changes.push({ id, before, after: undefined });
    }
    await this.#serve(family, state, changes, { wanted, refusals, inForce });
    return inForce;
  }

  /** One text for ipvsadm; when it is refused, its halves, down to the port that is at fault. */
  async #serve(
    family: Family,
    state: FamilyState,
    changes: readonly PortChange[],
    context: {
      readonly wanted: ReadonlySet<string>;
      readonly refusals: Rejection[];
      readonly inForce: Map<string, IpvsPort>;
    },
  ): Promise<void> {
    const [first] = changes;
    if (first === undefined) return;
    const { lines, changed, removed } = serverChanges(state.servers, changes, context.wanted);
    const problem = lines.length === 0 ? null : await this.#ipvsadm(lines);
    if (problem === null) {
      for (const key of removed) state.servers.delete(key);
      for (const server of changed) state.servers.set(serverKey(server), server);
      return;
    }
    // A part of it has been carried out.
    state.servers = await this.#readServers(family, state.servers, context.wanted);
    if (changes.length === 1) {
      context.refusals.push(rejection(first.id, 'ipvsadm', problem));
      await this.#putBack(family, state, first, context.wanted);
      if (first.before === undefined) context.inForce.delete(first.id);
      else context.inForce.set(first.id, first.before);
      return;
    }
    const half = Math.ceil(changes.length / 2);
    await this.#serve(family, state, changes.slice(0, half), context);
    await this.#serve(family, state, changes.slice(half), context);
  }

  /** What a port had before it was refused. */
  async #putBack(
    family: Family,
    state: FamilyState,
    { id, before, after }: PortChange,
    wanted: ReadonlySet<string>,
  ): Promise<void> {
    const had = new Set(before?.servers.map(stateKey));
    const own = new Set(after?.servers.map(stateKey));
    const others = new Set([...wanted].filter((key) => !own.has(key)).concat(...had));
    const back = [{ id, before: after, after: before }];
    const { lines } = serverChanges(state.servers, back, others);
    if (lines.length > 0) await this.#ipvsadm(lines);
    state.servers = await this.#readServers(family, state.servers, others);
  }

  /** Virtual servers the kernel has in a family; only those of these keys, where keys are given. */
  async #readServers(
    family: Family,
    known?: ServerStates,
    wanted?: ReadonlySet<string>,
  ): Promise<ServerStates> {
    const { output, problem } = await this.#run(LISTING, '');
    if (problem !== null) throw refused('ipvsadm', problem);
    const states = [...parseServers(output)].filter(
      ([key, { address }]) =>
        familyOf(address) === family &&
        (known === undefined || known.has(key) || wanted?.has(key) === true),
    );
    return new Map(states);
  }

  async #ipset(lines: readonly string[]): Promise<string | null> {
    return (await this.#run(['ipset', 'restore', '-exist'], `${lines.join('\n')}\n`)).problem;
  }

  async #ipvsadm(lines: readonly string[]): Promise<string | null> {
    return (await this.#run(['ipvsadm', '-R'], `${lines.join('\n')}\n`)).problem;
  }
}

/** Lines for ipvsadm that carry out changes of ports, and what there is afterwards. */
function serverChanges(
  states: ServerStates,
  changes: readonly PortChange[],
  wanted: ReadonlySet<string>,
): {
  readonly lines: readonly string[];
  readonly changed: readonly ServerState[];
  readonly removed: readonly string[];
} {
  const lines: string[] = [];
  const changed: ServerState[] = [];
  const removed: string[] = [];
  for (const server of changes.flatMap(({ after }) => after?.servers ?? [])) {
    const change = changeServer(states, server);
    lines.push(...change.lines);
    changed.push(change.after);
  }
  // Last: what is refused before keeps them.
  for (const server of changes.flatMap(({ before }) => before?.servers ?? [])) {
    const key = stateKey(server);
    const there = states.get(key);
    if (there === undefined || wanted.has(key)) continue;
    lines.push(removeServer(there));
    removed.push(key);
  }
  return { lines, changed, removed };
}

function refused(program: string, problem: string): FairwayError {
  return new FairwayError(
    'FW_IPVS_REJECTED',
    `${program} refuses what IPVS needs: ${problem.slice(0, MESSAGE_CHARS_MAX)}`,
    { hint: 'what was there before stays in force' },
  );
}

function rejection(id: string, program: string, problem: string): Rejection {
  return {
    id,
    reason: 'RefusedByKernel',
    message: `${program} refuses what Service ${id} needs: ${problem.slice(0, MESSAGE_CHARS_MAX)}`,
    hint: 'it keeps what it had; all others are in force',
  };
}
