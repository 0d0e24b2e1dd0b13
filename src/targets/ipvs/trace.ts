// IpvsProgram + packet → what the kernel would make of it: the rules are read back from their text and
// followed, sets are looked into, and where the kernel hands a packet to IPVS, the virtual server is asked.
// IPVS comes before the filter table for what the node itself sends, and after it for everybody else.

import { familyOf, isIn, joinHostPort, parseAddress } from '../../lib/cidr.ts';
import type { NodeFacts } from '../../model/node.ts';
import type { PacketFate, PacketProbe } from '../../model/packet.ts';
import { serverKey } from './compile.ts';
import type { IpvsFamily, IpvsProgram, Table, VirtualServer } from './program.ts';

interface Packet {
  readonly source: string;
  readonly address: string;
  readonly port: number;
  readonly transport: string;
  readonly mark: number;
}

type Verdict = 'CONTINUE' | 'RETURN' | 'ACCEPT' | 'REJECT' | 'DROP' | 'MASQUERADE';

interface Way {
  readonly verdict: Verdict;
  readonly packet: Packet;
}

interface Condition {
  readonly name: string;
  /** Of `--match-set NAME dst,dst`: the name. */
  readonly value: string;
  readonly by: string;
  readonly isNegated: boolean;
}

interface ParsedRule {
  readonly conditions: readonly Condition[];
  readonly target: string;
  readonly isGoto: boolean;
  readonly options: Readonly<Record<string, string>>;
}

interface World {
  readonly chains: ReadonlyMap<string, readonly ParsedRule[]>;
  readonly sets: ReadonlyMap<string, ReadonlySet<string>>;
  /** Of sets whose entries end in a network: those of each address. */
  readonly networks: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;
  readonly servers: ReadonlyMap<string, VirtualServer>;
  readonly bound: ReadonlySet<string>;
}

const LOOPBACK = ['127.0.0.0/8', '::1/128'];
const DEPTH_MAX = 16;

/** What the program makes of a packet on the node. */
export function traceIpvs(program: IpvsProgram, node: NodeFacts, probe: PacketProbe): PacketFate {
  const family = program.families.find((f) => f.family === familyOf(probe.address));
  if (family === undefined || parseAddress(probe.address) === undefined) return { kind: 'pass' };
  const walk = new Walk(worldOf(family), node);
  const start: Packet = { ...probe, mark: 0 };
  return walk.isLocal(probe.source) ? walk.fromNode(start) : walk.fromElsewhere(start);
}

const worlds = new WeakMap<IpvsFamily, World>();

function worldOf(family: IpvsFamily): World {
  const known = worlds.get(family);
  if (known !== undefined) return known;
  const chains = new Map<string, ParsedRule[]>();
  const add = (table: Table, chain: string, rules: readonly string[]): void => {
    const key = `${table} ${chain}`;
    chains.set(key, [...(chains.get(key) ?? []), ...rules.map(parseRule)]);
  };
  for (const { table, chain, rule } of family.hooks) add(table, chain, [rule]);
  for (const { table, name, rules } of family.chains) add(table, name, rules);
  const sets = new Map(family.sets.map(({ name }) => [name, new Set<string>()]));
  const networks = new Map<string, Map<string, string[]>>();
  for (const { set, entry } of family.ports.flatMap((port) => port.entries)) {
    sets.get(set)!.add(entry);
    const [address = '', port = '', network] = entry.split(',');
    if (network === undefined) continue;
    const ofSet = networks.get(set) ?? new Map<string, string[]>();
    networks.set(set, ofSet);
    const key = `${address},${port}`;
    ofSet.set(key, [...(ofSet.get(key) ?? []), network]);
  }
  const servers = family.ports.flatMap((port) => port.servers);
  const world: World = {
    chains,
    sets,
    networks,
    servers: new Map(servers.map((server) => [serverKey(server), server])),
    bound: new Set(family.ports.flatMap((port) => port.addresses)),
  };
  worlds.set(family, world);
  return world;
}

/** Options that stand alone. */
const FLAGS = new Set(['--random-fully']);

function parseRule(text: string): ParsedRule {
  const words = text.match(/"[^"]*"|\S+/g) ?? [];
  const conditions: Condition[] = [];
  const options: Record<string, string> = {};
  let target = '';
  let isGoto = false;
  let isNegated = false;
  for (let i = 0; i < words.length; i++) {
    const name = words[i]!;
    if (name === '!') {
      isNegated = true;
      continue;
    }
    const value = FLAGS.has(name) ? '' : (words[++i] ?? '').replaceAll('"', '');
    const by = name === '--match-set' ? (words[++i] ?? '') : '';
    if (name === '-j' || name === '-g') {
      target = value;
      isGoto = name === '-g';
    } else if (target !== '') options[name] = value;
    else conditions.push({ name, value, by, isNegated });
    isNegated = false;
  }
  return { conditions, target, isGoto, options };
}

class Walk {
  readonly #world: World;
  readonly #node: NodeFacts;

  constructor(world: World, node: NodeFacts) {
    this.#world = world;
    this.#node = node;
  }

  /** Addresses on the dummy device are the node's own, too. */
  isLocal(address: string): boolean {
    return (
      this.#node.addresses.includes(address) ||
      this.#world.bound.has(address) ||
      isIn(address, LOOPBACK)
    );
  }

  fromElsewhere(start: Packet): PacketFate {
    const entered = this.#through(['mangle PREROUTING', 'nat PREROUTING'], start);
    if ('kind' in entered) return entered;
    const arrives = this.isLocal(entered.address);
    const filtered = this.#through([arrives ? 'filter INPUT' : 'filter FORWARD'], entered);
    if ('kind' in filtered) return filtered;
    return arrives ? this.#schedule(filtered) : { kind: 'pass' };
  }

  fromNode(start: Packet): PacketFate {
    const left = this.#through(['mangle OUTPUT', 'nat OUTPUT'], start);
    if ('kind' in left) return left;
    const fate = this.#schedule(left);
    if (fate.kind !== 'pass') return fate;
    const rest = ['filter OUTPUT', ...(this.isLocal(left.address) ? ['filter INPUT'] : [])];
    const filtered = this.#through(rest, left);
    return 'kind' in filtered ? filtered : { kind: 'pass' };
  }

  #through(chains: readonly string[], start: Packet): Packet | PacketFate {
    let packet = start;
    for (const chain of chains) {
      const way = this.#run(chain, packet, 0);
      if (way.verdict === 'REJECT') return { kind: 'reject' };
      if (way.verdict === 'DROP') return { kind: 'drop' };
      packet = way.packet;
    }
    return packet;
  }

  #schedule(packet: Packet): PacketFate {
    const key = `${packet.transport} ${joinHostPort(packet.address, packet.port)}`;
    const server = this.#world.servers.get(key);
    if (server === undefined) return { kind: 'pass' };
    // Without a destination IPVS itself refuses, by ICMP.
    if (server.destinations.length === 0) return { kind: 'reject' };
    const endpoints: string[] = [];
    const masqueraded: string[] = [];
    for (const { address, port } of server.destinations) {
      const name = joinHostPort(address, port);
      endpoints.push(name);
      const { verdict } = this.#run('nat POSTROUTING', { ...packet, address, port }, 0);
      if (verdict === 'MASQUERADE') masqueraded.push(name);
    }
    return {
      kind: 'forward',
      endpoints: endpoints.toSorted(),
      masqueraded: masqueraded.toSorted(),
      affinitySeconds: server.persistSeconds,
    };
  }

  #run(chain: string, start: Packet, depth: number): Way {
    if (depth > DEPTH_MAX) throw new Error(`chain ${chain} is nested too deeply`);
    let packet = start;
    const [table = ''] = chain.split(' ');
    for (const rule of this.#world.chains.get(chain) ?? []) {
      if (!rule.conditions.every((condition) => this.#holds(condition, packet))) continue;
      const way = this.#act(table, rule, packet, depth);
      packet = way.packet;
      if (way.verdict === 'RETURN') return { verdict: 'CONTINUE', packet };
      if (way.verdict !== 'CONTINUE') return way;
    }
    return { verdict: 'CONTINUE', packet };
  }

  #act(table: string, rule: ParsedRule, packet: Packet, depth: number): Way {
    const { target, isGoto, options } = rule;
    switch (target) {
      case 'MARK': {
        const or = Number(options['--or-mark'] ?? 0);
        const xor = Number(options['--xor-mark'] ?? 0);
        return { verdict: 'CONTINUE', packet: { ...packet, mark: (packet.mark | or) ^ xor } };
      }
      case 'RETURN':
      case 'ACCEPT':
      case 'DROP':
      case 'REJECT':
      case 'MASQUERADE':
        return { verdict: target, packet };
      default: {
        const next = `${table} ${target}`;
        if (!this.#world.chains.has(next)) throw new Error(`there is no chain ${next}`);
        const way = this.#run(next, packet, depth + 1);
        // Who is sent on by goto does not come back.
        return isGoto && way.verdict === 'CONTINUE' ? { ...way, verdict: 'RETURN' } : way;
      }
    }
  }

  #holds({ name, value, by, isNegated }: Condition, packet: Packet): boolean {
    const when = (matched: boolean): boolean => matched !== isNegated;
    switch (name) {
      case '-p':
        return when(packet.transport === value);
      case '-s':
        return when(isIn(packet.source, [value]));
      case '-d':
        return when(isIn(packet.address, [value]));
      case '--dst-type':
        return when(this.isLocal(packet.address));
      case '--src-type':
        return when(this.isLocal(packet.source));
      case '--mark': {
        const [wanted = 0, mask = 0] = value.split('/').map(Number);
        return when((packet.mark & mask) === wanted);
      }
      // The first packet of a connection.
      case '--ctstate':
        return when(value === 'NEW');
      case '--match-set':
        return when(this.#isInSet(value, by, packet));
      case '-m':
      case '--comment':
        return true;
      default:
        throw new Error(`the condition ${name} is not known`);
    }
  }

  #isInSet(name: string, by: string, { source, address, transport, port }: Packet): boolean {
    const set = this.#world.sets.get(name);
    if (set === undefined) throw new Error(`there is no set ${name}`);
    const at = `${transport}:${port}`;
    switch (by) {
      case 'dst':
        return set.has(address) || set.has(String(port));
      case 'dst,dst':
        return set.has(`${address},${at}`);
      case 'src':
        return set.has(source);
      case 'dst,dst,src':
        return isIn(source, this.#world.networks.get(name)?.get(`${address},${at}`) ?? []);
      default:
        throw new Error(`a set cannot be asked by ${by}`);
    }
  }
}
