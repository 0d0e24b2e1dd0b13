// NftProgram + packet → what the kernel would make of it: the rules are followed, hook by hook, as nft
// follows them. Where a rule draws a number, every number is tried.

import { familyOf, isIn, joinHostPort } from '../../lib/cidr.ts';
import type { NodeFacts } from '../../model/node.ts';
import type { PacketFate, PacketProbe } from '../../model/packet.ts';
import type {
  Chain,
  FamilyProgram,
  Fields,
  Hook,
  MapName,
  NftProgram,
  Part,
  Rule,
  SlotMapName,
} from './program.ts';

/** A packet on its way; it is not changed but replaced. */
interface Packet {
  readonly source: string;
  readonly address: string;
  readonly port: number;
  readonly transport: string;
  readonly isMarked: boolean;
  readonly isTranslated: boolean;
  readonly affinitySeconds: number;
}

type Verdict = 'continue' | 'accept' | 'reject' | 'drop' | 'masquerade';

/** One way it may go. */
interface Way {
  readonly verdict: Verdict;
  readonly packet: Packet;
}

interface World {
  readonly chains: ReadonlyMap<string, Chain>;
  readonly maps: ReadonlyMap<string, string>;
  readonly allowed: readonly string[];
  readonly node: NodeFacts;
}

const LOOPBACK = ['127.0.0.0/8', '::1/128'];
/** Chains that call each other deeper than the kernel allows. */
const DEPTH_MAX = 16;

/** What the program makes of a packet on the node. */
export function traceNft(program: NftProgram, node: NodeFacts, probe: PacketProbe): PacketFate {
  const family = program.families.find((f) => f.family === familyOf(probe.address));
  if (family === undefined) return { kind: 'pass' };
  const world = worldOf(family, node);
  const start: Packet = {
    ...probe,
    isMarked: false,
    isTranslated: false,
    affinitySeconds: 0,
  };
  const first: Hook = isLocal(probe.source, node) ? 'output' : 'prerouting';
  return fateOf(through([start], first, family, world));
}

interface Ends {
  readonly refused: 'reject' | 'drop' | null;
  readonly out: readonly { readonly packet: Packet; readonly isMasqueraded: boolean }[];
}

/** All hooks: the first one, then input or forward, then, for what goes on, postrouting. */
function through(start: readonly Packet[], first: Hook, family: FamilyProgram, world: World): Ends {
  let refused: Ends['refused'] = null;
  const out: { packet: Packet; isMasqueraded: boolean }[] = [];
  const atHook = (packets: readonly Packet[], hook: Hook, end?: (way: Way) => void): Packet[] => {
    const chains = family.frame
      .filter((chain) => chain.hook?.hook === hook)
      .toSorted((a, b) => a.hook!.priority - b.hook!.priority);
    let ways: readonly Way[] = packets.map((packet) => ({ verdict: 'continue', packet }));
    for (const chain of chains) {
      ways = ways.flatMap((way) =>
        way.verdict === 'reject' || way.verdict === 'drop'
          ? [way]
          : runChain(chain, way.packet, world, 0),
      );
    }
    for (const way of ways) {
      if (way.verdict === 'reject' || way.verdict === 'drop') refused = way.verdict;
      else end?.(way);
    }
    return ways.filter((w) => w.verdict !== 'reject' && w.verdict !== 'drop').map((w) => w.packet);
  };
  const routed = atHook(start, first);
  const [own, others] = [
    routed.filter((p) => isLocal(p.address, world.node)),
    routed.filter((p) => !isLocal(p.address, world.node)),
  ];
  const leave = ({ packet, verdict }: Way): void =>
    void out.push({ packet, isMasqueraded: verdict === 'masquerade' });
  // What the node sends to itself leaves and arrives; what arrives from elsewhere never leaves.
  const arrived = atHook(own, 'input');
  if (first === 'output') atHook(arrived, 'postrouting', leave);
  else for (const packet of arrived) out.push({ packet, isMasqueraded: packet.isMarked });
  const onward = first === 'output' ? others : atHook(others, 'forward');
  atHook(onward, 'postrouting', leave);
  return { refused, out };
}

function fateOf({ refused, out }: Ends): PacketFate {
  if (refused !== null) return { kind: refused };
  const translated = out.filter(({ packet }) => packet.isTranslated);
  if (translated.length === 0) return { kind: 'pass' };
  const name = ({ packet }: (typeof out)[number]): string =>
    joinHostPort(packet.address, packet.port);
  return {
    kind: 'forward',
    endpoints: [...new Set(translated.map(name))].toSorted(),
    masqueraded: [...new Set(translated.filter((way) => way.isMasqueraded).map(name))].toSorted(),
    affinitySeconds: Math.max(...translated.map(({ packet }) => packet.affinitySeconds)),
  };
}

function worldOf(family: FamilyProgram, node: NodeFacts): World {
  const chains = new Map<string, Chain>(family.shared);
  for (const chain of family.frame) chains.set(chain.name, chain);
  const maps = new Map<string, string>();
  const allowed: string[] = [];
  for (const port of family.ports) {
    for (const chain of port.chains) chains.set(chain.name, chain);
    for (const { map, key, value } of port.elements) {
      maps.set(`${map} ${key}`, value);
      if (map === 'allowed') allowed.push(key);
    }
  }
  return { chains, maps, allowed, node };
}

function isLocal(address: string, node: NodeFacts): boolean {
  return node.addresses.includes(address) || isIn(address, LOOPBACK);
}

function runChain(chain: Chain, packet: Packet, world: World, depth: number): readonly Way[] {
  if (depth > DEPTH_MAX) throw new Error(`chain ${chain.name} is nested too deeply`);
  const done: Way[] = [];
  let going: readonly Packet[] = [packet];
  for (const rule of chain.rules) {
    const next: Packet[] = [];
    for (const one of going) {
      for (const way of runRule(rule, one, world, depth)) {
        if (way.verdict === 'continue') next.push(way.packet);
        else done.push(way);
      }
    }
    going = next;
  }
  return [...done, ...going.map((p): Way => ({ verdict: 'continue', packet: p }))];
}

function runRule(rule: Rule, start: Packet, world: World, depth: number): readonly Way[] {
  let packet = start;
  for (const part of rule) {
    switch (part.kind) {
      case 'mark':
        packet = { ...packet, isMarked: true };
        break;
      case 'unmark':
        packet = { ...packet, isMarked: false };
        break;
      case 'remember':
        packet = { ...packet, affinitySeconds: part.seconds };
        break;
      case 'look up': {
        const verdict = world.maps.get(`${part.map} ${keyOf(packet, part.by)}`);
        if (verdict === undefined) return [{ verdict: 'continue', packet }];
        if (verdict === 'drop') return [{ verdict: 'drop', packet }];
        return gone(verdict.replace('goto ', ''), packet, world, depth);
      }
      case 'any of':
        return part.chains.flatMap((chain) => gone(chain, packet, world, depth));
      case 'slot':
        // Rules that translate by a map are for the protocol of the map.
        if (protocolOf(part.map) !== packet.transport) return [{ verdict: 'continue', packet }];
        return Array.from({ length: part.of }, (_, slot) =>
          translated(packet, lookUpSlot(world, part.map, keyOf(packet, part.by), slot)),
        );
      case 'translate':
        if (packet.transport !== part.protocol) return [{ verdict: 'continue', packet }];
        return [translated(packet, part)];
      case 'goto':
        return gone(part.chain, packet, world, depth);
      case 'jump':
        return runChain(chainOf(part.chain, world), packet, world, depth + 1);
      case 'reset':
        return [{ verdict: packet.transport === 'tcp' ? 'reject' : 'continue', packet }];
      case 'reject':
      case 'drop':
      case 'masquerade':
        return [{ verdict: part.kind, packet }];
      default:
        if (!matches(part, packet, world)) return [{ verdict: 'continue', packet }];
    }
  }
  return [{ verdict: 'continue', packet }];
}

/** A goto does not come back: what falls out of the chain is accepted by its base chain. */
function gone(name: string, packet: Packet, world: World, depth: number): readonly Way[] {
  return runChain(chainOf(name, world), packet, world, depth + 1).map((way) =>
    way.verdict === 'continue' ? { ...way, verdict: 'accept' } : way,
  );
}

function chainOf(name: string, { chains }: World): Chain {
  const chain = chains.get(name);
  if (chain === undefined) throw new Error(`there is no chain ${name}`);
  return chain;
}

function protocolOf(map: SlotMapName): string {
  return map.startsWith('udp-') ? 'udp' : map.startsWith('sctp-') ? 'sctp' : 'tcp';
}

function lookUpSlot(
  { maps }: World,
  map: MapName,
  key: string,
  slot: number,
): { address: string; port: number } {
  const value = maps.get(`${map} ${key} . ${slot}`);
  if (value === undefined) throw new Error(`there is no slot ${slot} of ${key} in ${map}`);
  const [address = '', port = ''] = value.split(' . ');
  return { address, port: Number(port) };
}

function translated(packet: Packet, to: { address: string; port: number }): Way {
  const { address, port } = to;
  return { verdict: 'accept', packet: { ...packet, address, port, isTranslated: true } };
}

type Match = Extract<
  Part,
  {
    kind:
      | 'new'
      | 'translated'
      | 'marked'
      | 'source'
      | 'destination'
      | 'from node'
      | 'to node'
      | 'found'
      | 'stays';
  }
>;

function matches(part: Match, packet: Packet, { node, maps, allowed }: World): boolean {
  switch (part.kind) {
    case 'new':
      return true;
    case 'translated':
      return packet.isTranslated;
    case 'marked':
      return packet.isMarked;
    case 'source':
      return isIn(packet.source, part.networks) === part.isIn;
    case 'destination':
      return isIn(packet.address, part.networks) === part.isIn;
    case 'from node':
      return isLocal(packet.source, node);
    case 'to node':
      return isLocal(packet.address, node);
    case 'found':
      return (
        (part.by === 'frontend-source'
          ? isAllowed(allowed, packet)
          : maps.has(`${part.map} ${keyOf(packet, part.by)}`)) === part.isIn
      );
    case 'stays':
      // The first packet of a client: nobody is remembered yet.
      return false;
  }
}

function isAllowed(allowed: readonly string[], packet: Packet): boolean {
  const prefix = `${keyOf(packet, 'frontend')} . `;
  return allowed.some(
    (key) => key.startsWith(prefix) && isIn(packet.source, [key.slice(prefix.length)]),
  );
}

function keyOf({ source, address, port, transport }: Packet, by: Fields): string {
  const frontend = `${address} . ${transport} . ${port}`;
  switch (by) {
    case 'frontend':
      return frontend;
    case 'node-port':
      return `${transport} . ${port}`;
    case 'frontend-source':
      return `${frontend} . ${source}`;
    case 'flow':
      return `${source} . ${frontend}`;
  }
}
