// IptablesProgram + packet → what the kernel would make of it. The rules are read back from their text
// and followed, chain by chain, as iptables does. Where a rule leaves it to chance, both ways are tried.

import { familyOf, isIn, joinHostPort } from '../../lib/cidr.ts';
import type { NodeFacts } from '../../model/node.ts';
import type { PacketFate, PacketProbe } from '../../model/packet.ts';
import type { IptablesFamily, IptablesProgram, Table } from './program.ts';

interface Packet {
  readonly source: string;
  readonly address: string;
  readonly port: number;
  readonly transport: string;
  readonly mark: number;
  readonly isTranslated: boolean;
  readonly affinitySeconds: number;
}

type Verdict = 'CONTINUE' | 'RETURN' | 'ACCEPT' | 'REJECT' | 'DROP' | 'MASQUERADE';

interface Way {
  readonly verdict: Verdict;
  readonly packet: Packet;
}

/** A rule taken apart: conditions, and what it does. */
interface ParsedRule {
  readonly conditions: readonly Condition[];
  readonly target: string;
  readonly options: Readonly<Record<string, string>>;
}

interface Condition {
  readonly name: string;
  readonly value: string;
  readonly isNegated: boolean;
}

interface World {
  readonly chains: ReadonlyMap<string, readonly ParsedRule[]>;
  readonly node: NodeFacts;
}

const LOOPBACK = ['127.0.0.0/8', '::1/128'];
const DEPTH_MAX = 16;

/** What the program makes of a packet on the node. */
export function traceIptables(
  program: IptablesProgram,
  node: NodeFacts,
  probe: PacketProbe,
): PacketFate {
  const family = program.families.find((f) => f.family === familyOf(probe.address));
  if (family === undefined) return { kind: 'pass' };
  const world: World = { chains: chainsOf(family), node };
  const start: Packet = { ...probe, mark: 0, isTranslated: false, affinitySeconds: 0 };
  const isOwn = isLocal(probe.source, node);
  const out: { packet: Packet; isMasqueraded: boolean }[] = [];
  for (const { packet } of run('nat', isOwn ? 'OUTPUT' : 'PREROUTING', start, world)) {
    const arrives = isLocal(packet.address, node);
    const filters = isOwn
      ? ['OUTPUT', ...(arrives ? ['INPUT'] : [])]
      : [arrives ? 'INPUT' : 'FORWARD'];
    for (const hook of filters) {
      const [way] = run('filter', hook, packet, world);
      if (way?.verdict === 'REJECT') return { kind: 'reject' };
      if (way?.verdict === 'DROP') return { kind: 'drop' };
    }
    for (const way of run('nat', 'POSTROUTING', packet, world)) {
      out.push({ packet: way.packet, isMasqueraded: way.verdict === 'MASQUERADE' });
    }
  }
  return fateOf(out);
}

function fateOf(
  out: readonly { readonly packet: Packet; readonly isMasqueraded: boolean }[],
): PacketFate {
  const translated = out.filter(({ packet }) => packet.isTranslated);
  if (translated.length === 0) return { kind: 'pass' };
  const name = ({ packet }: (typeof out)[number]): string =>
    joinHostPort(packet.address, packet.port);
  return {
    kind: 'forward',
    endpoints: [...new Set(translated.map(name))].toSorted(),
    masqueraded: [...new Set(translated.filter((w) => w.isMasqueraded).map(name))].toSorted(),
    affinitySeconds: Math.max(...translated.map(({ packet }) => packet.affinitySeconds)),
  };
}

const parsedChains = new WeakMap<IptablesFamily, World['chains']>();

function chainsOf(family: IptablesFamily): World['chains'] {
  const known = parsedChains.get(family);
  if (known !== undefined) return known;
  const chains = new Map<string, ParsedRule[]>();
  const add = (table: Table, chain: string, rules: readonly string[]): void => {
    const key = `${table} ${chain}`;
    const list = chains.get(key) ?? [];
    list.push(...rules.map(parseRule));
    chains.set(key, list);
  };
  for (const { table, chain, rule } of family.hooks) add(table, chain, [rule]);
  for (const { table, name, first } of family.frame) add(table, name, first);
  for (const port of family.ports) {
    for (const { table, chain, rule } of port.rules) add(table, chain, [rule]);
    for (const { name, rules } of port.chains) add('nat', name, rules);
  }
  for (const { table, name, last } of family.frame) add(table, name, last);
  parsedChains.set(family, chains);
  return chains;
}

/** Options that stand alone. */
const FLAGS = new Set(['--reap', '--set', '--rcheck', '--random-fully']);

function parseRule(text: string): ParsedRule {
  const words = text.match(/"[^"]*"|\S+/g) ?? [];
  const conditions: Condition[] = [];
  const options: Record<string, string> = {};
  let target = '';
  let isNegated = false;
  for (let i = 0; i < words.length; i++) {
    const name = words[i]!;
    if (name === '!') {
      isNegated = true;
      continue;
    }
    const value = FLAGS.has(name) ? '' : (words[++i] ?? '').replaceAll('"', '');
    if (value === '!') {
      // As in `--mark ! …`: written before the option everywhere here.
      throw new Error(`cannot read the rule: ${text}`);
    }
    if (name === '-j') target = value;
    else if (target !== '') options[name] = value;
    else conditions.push({ name, value, isNegated });
    isNegated = false;
  }
  return { conditions, target, options };
}

function isLocal(address: string, node: NodeFacts): boolean {
  return node.addresses.includes(address) || isIn(address, LOOPBACK);
}

function run(table: string, chain: string, start: Packet, world: World, depth = 0): readonly Way[] {
  if (depth > DEPTH_MAX) throw new Error(`chain ${chain} is nested too deeply`);
  const done: Way[] = [];
  let going: readonly Packet[] = [start];
  for (const rule of world.chains.get(`${table} ${chain}`) ?? []) {
    const next: Packet[] = [];
    for (const packet of going) {
      const chance = chanceOf(rule, packet, world);
      if (chance !== 'always') next.push(packet);
      if (chance === 'never') continue;
      for (const way of act(table, rule, remembering(rule, packet, world, table), world, depth)) {
        if (way.verdict === 'CONTINUE') {
          if (chance === 'always') next.push(way.packet);
        } else done.push(way);
      }
    }
    going = next;
  }
  const returned = (way: Way): Way =>
    way.verdict === 'RETURN' ? { ...way, verdict: 'CONTINUE' } : way;
  return [...done.map(returned), ...going.map((packet): Way => ({ verdict: 'CONTINUE', packet }))];
}

/** A rule with `--set` remembers the client; for how long, the rules that look for it say. */
function remembering(rule: ParsedRule, packet: Packet, { chains }: World, table: string): Packet {
  if (!rule.conditions.some(({ name }) => name === '--set')) return packet;
  const sep = rule.conditions.find(({ name }) => name === '--name')?.value;
  for (const [key, rules] of chains) {
    if (!key.startsWith(`${table} KUBE-SV`)) continue;
    for (const { conditions } of rules) {
      const looksFor = conditions.some((c) => c.name === '--name' && c.value === sep);
      const seconds = conditions.find(({ name }) => name === '--seconds');
      if (looksFor && seconds !== undefined) {
        return { ...packet, affinitySeconds: Number(seconds.value) };
      }
    }
  }
  return packet;
}

type Chance = 'always' | 'never' | 'maybe';

function chanceOf(rule: ParsedRule, packet: Packet, world: World): Chance {
  let chance: Chance = 'always';
  for (const condition of rule.conditions) {
    const one = check(condition, packet, world);
    if (one === 'never') return 'never';
    if (one === 'maybe') chance = 'maybe';
  }
  return chance;
}

function check({ name, value, isNegated }: Condition, packet: Packet, { node }: World): Chance {
  const when = (matched: boolean): Chance => (matched === isNegated ? 'never' : 'always');
  switch (name) {
    case '-p':
      return when(packet.transport === value);
    case '-s':
      return when(isIn(packet.source, [value]));
    case '-d':
      return when(isIn(packet.address, [value]));
    case '--dport':
      return when(packet.port === Number(value));
    case '--dst-type':
      return when(isLocal(packet.address, node));
    case '--src-type':
      return when(isLocal(packet.source, node));
    case '--mark': {
      const [wanted = 0, mask = 0] = value.split('/').map(Number);
      return when((packet.mark & mask) === wanted);
    }
    case '--ctstate':
      return when(value === 'NEW');
    case '--probability':
      return 'maybe';
    // The first packet of a client: nobody is remembered yet.
    case '--rcheck':
      return 'never';
    case '-m':
    case '--comment':
    case '--mode':
    case '--name':
    case '--set':
    case '--seconds':
    case '--reap':
      return 'always';
    default:
      throw new Error(`the condition ${name} is not known`);
  }
}

function act(
  table: string,
  { target, options }: ParsedRule,
  packet: Packet,
  world: World,
  depth: number,
): readonly Way[] {
  switch (target) {
    case 'MARK':
      return [{ verdict: 'CONTINUE', packet: { ...packet, mark: marked(packet.mark, options) } }];
    case 'DNAT': {
      const to = options['--to-destination'] ?? '';
      const colon = to.lastIndexOf(':');
      const address = to.slice(0, colon).replace(/^\[|\]$/g, '');
      const port = Number(to.slice(colon + 1));
      return [{ verdict: 'ACCEPT', packet: { ...packet, address, port, isTranslated: true } }];
    }
    case 'RETURN':
    case 'ACCEPT':
    case 'DROP':
    case 'REJECT':
    case 'MASQUERADE':
      return [{ verdict: target, packet }];
    default:
      if (!world.chains.has(`${table} ${target}`)) throw new Error(`there is no chain ${target}`);
      return run(table, target, packet, world, depth + 1);
  }
}

function marked(mark: number, options: ParsedRule['options']): number {
  if (options['--or-mark'] !== undefined) return mark | Number(options['--or-mark']);
  return mark ^ Number(options['--xor-mark']);
}
