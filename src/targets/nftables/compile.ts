// PacketView → NftProgram. A port of a Service becomes elements of maps: one that says which chain its
// address goes to, and one for each endpoint, under `address . protocol . port . slot`. A chain draws a
// slot below the number of endpoints and looks it up, so all Services with as many endpoints share it.
// Session affinity remembers clients, which a map of slots cannot: there a port has chains of its own.

import { createHash } from 'node:crypto';
import type {
  FamilyView,
  PacketEndpoint,
  PacketFrontend,
  PacketView,
  PortView,
} from '../../lower/packets.ts';
import type { Frontend } from '../../model/model.ts';
import { frameOf } from './frame.ts';
import type {
  AffinitySet,
  Chain,
  Element,
  FamilyProgram,
  Fields,
  NftProgram,
  Part,
  PortProgram,
  Rule,
  SlotMapName,
} from './program.ts';

const memo = new WeakMap<PortView, { readonly pods: string; readonly program: PortProgram }>();

/** Compiles a view. Ports that did not change give the same programs. */
export function compileNft(view: PacketView): NftProgram {
  return { families: view.families.map(compileFamily) };
}

function compileFamily(view: FamilyView): FamilyProgram {
  const pods = view.podCidrs.join();
  const ports = view.ports.map((port) => {
    const known = memo.get(port);
    if (known !== undefined && known.pods === pods) return known.program;
    const program = compilePort(port, view.podCidrs);
    memo.set(port, { pods, program });
    return program;
  });
  const shared = new Map<string, Chain>();
  for (const { uses } of ports) for (const chain of uses) shared.set(chain.name, chain);
  return {
    family: view.family,
    podCidrs: view.podCidrs,
    isUsed: ports.length > 0 || view.serviceCidrs.length > 0,
    frame: frameOf(view),
    shared: new Map([...shared].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    ports,
  };
}

/** Where the packets of one address go: chains that pick an endpoint, and what their names end in. */
interface Ways {
  /** Absent without endpoints. */
  readonly cluster?: string;
  readonly local?: string;
  /** What names chains in front of those: the numbers of endpoints, or the port itself. */
  readonly shape: { readonly cluster: string; readonly local: string };
}

function compilePort(port: PortView, podCidrs: readonly string[]): PortProgram {
  const elements = new Map<string, Element>();
  const chains = new Map<string, Chain>();
  const uses = new Map<string, Chain>();
  const affinities: AffinitySet[] = [];
  const add = (element: Element): void =>
    void elements.set(`${element.map} ${element.key}`, element);
  const own = port.affinitySeconds > 0 ? affinityChains(port, chains, affinities) : undefined;
  for (const frontend of port.frontends) {
    const ways = own ?? slotWays(port, frontend, uses, add);
    const into = own === undefined ? uses : chains;
    const entry = entryChain(frontend, ways, podCidrs, into);
    const isNodePort = frontend.kind === 'nodePort';
    const key = frontendKey(frontend, port.protocol);
    if (entry !== undefined) {
      const map = isNodePort ? 'node-ports' : 'services';
      add({ map, key, value: `goto ${entry}`, comment: `${port.id} ${frontend.kind}` });
    }
    const { to } = frontend.treatment.outside;
    if (to === 'reject' || to === 'drop') {
      const map = isNodePort ? 'closed-node-ports' : 'closed';
      const value = to === 'drop' ? 'drop' : 'goto refuse';
      add({ map, key, value, comment: `${port.id} ${frontend.kind}` });
    }
    if (frontend.sources !== null && to !== 'reject') {
      add({ map: 'guarded', key, value: '', comment: port.id });
      for (const source of frontend.sources) {
        add({ map: 'allowed', key: `${key} . ${source}`, value: '' });
      }
    }
  }
  for (const endpoint of [...port.cluster, ...port.local]) {
    if (endpoint.isLocal) add({ map: 'hairpin', key: flowKey(endpoint, port.protocol), value: '' });
  }
  return {
    id: port.id,
    origin: port.origin,
    elements: [...elements.values()],
    chains: [...chains.values()],
    affinities,
    uses: [...uses.values()],
  };
}

/** `10.96.0.1 . tcp . 80`; of a node port `tcp . 30080`. */
function frontendKey({ kind, address, port }: Frontend, protocol: string): string {
  const rest = `${protocol.toLowerCase()} . ${port}`;
  return kind === 'nodePort' ? rest : `${address} . ${rest}`;
}

function flowKey({ address, port }: PacketEndpoint, protocol: string): string {
  return `${address} . ${address} . ${protocol.toLowerCase()} . ${port}`;
}

/** Slots for the endpoints of an address, and the shared chains that draw one. */
function slotWays(
  port: PortView,
  frontend: PacketFrontend,
  uses: Map<string, Chain>,
  add: (element: Element) => void,
): Ways {
  const isNodePort = frontend.kind === 'nodePort';
  const of = port.protocol === 'UDP' ? 'udp-' : port.protocol === 'SCTP' ? 'sctp-' : '';
  const by: Fields = isNodePort ? 'node-port' : 'frontend';
  const key = frontendKey(frontend, port.protocol);
  const targets = new Set(Object.values(frontend.treatment).map((t) => t.to));
  const draw = (list: 'cluster' | 'local'): string | undefined => {
    const endpoints = port[list];
    if (!targets.has(list)) return undefined;
    const map: SlotMapName = `${of}${isNodePort ? 'node-port-' : ''}${list === 'local' ? 'local-' : ''}slots`;
    for (const [slot, { address, port: number }] of endpoints.entries()) {
      add({ map, key: `${key} . ${slot}`, value: `${address} . ${number}` });
    }
    const name = `${map.replace('slots', 'pick')}-${endpoints.length}`;
    uses.set(name, { name, rules: [[{ kind: 'slot', map, by, of: endpoints.length }]] });
    return name;
  };
  const cluster = draw('cluster');
  const local = draw('local');
  const prefix = `${of}${isNodePort ? 'node-port-' : ''}`;
  return {
    ...(cluster === undefined ? {} : { cluster }),
    ...(local === undefined ? {} : { local }),
    shape: {
      cluster: `${prefix}${port.cluster.length}`,
      local: `${prefix}local-${port.local.length}`,
    },
  };
}

/** Chains of a port with session affinity: one for each endpoint, and one that picks for each list. */
function affinityChains(
  port: PortView,
  chains: Map<string, Chain>,
  affinities: AffinitySet[],
): Ways {
  const label = labelOf(port.id);
  const seconds = port.affinitySeconds;
  const known = new Map<string, { readonly chain: string; readonly set: string }>();
  for (const { address, port: number } of [...port.cluster, ...port.local]) {
    const endpoint = `${address}:${number}`;
    if (known.has(endpoint)) continue;
    const suffix = `${label}/${endpoint.replaceAll(':', '.')}`;
    const at = { chain: `endpoint-${suffix}`, set: `affinity-${suffix}` };
    known.set(endpoint, at);
    affinities.push({ name: at.set, seconds });
    chains.set(at.chain, {
      name: at.chain,
      rules: [
        [{ kind: 'remember', set: at.set, seconds }],
        [
          {
            kind: 'translate',
            protocol: port.protocol.toLowerCase(),
            address,
            port: number,
          },
        ],
      ],
    });
  }
  const picker = (list: 'cluster' | 'local'): string => {
    const name = `${list}-${label}`;
    const ends = port[list].map((e) => known.get(`${e.address}:${e.port}`)!);
    const stays = ends.map((end): Rule => [
      { kind: 'stays', set: end.set },
      { kind: 'goto', chain: end.chain },
    ]);
    const anew: Rule = [{ kind: 'any of', chains: ends.map((end) => end.chain) }];
    chains.set(name, { name, comment: port.id, rules: [...stays, anew] });
    return name;
  };
  return {
    ...(port.cluster.length === 0 ? {} : { cluster: picker('cluster') }),
    ...(port.local.length === 0 ? {} : { local: picker('local') }),
    shape: { cluster: label, local: `local-${label}` },
  };
}

/** The chain an address goes to, with what masquerading needs in front; undefined with none to go to. */
function entryChain(
  { treatment }: PacketFrontend,
  { cluster, local, shape }: Ways,
  podCidrs: readonly string[],
  chains: Map<string, Chain>,
): string | undefined {
  const { pod, outside } = treatment;
  const chainTo = (to: string): string | undefined =>
    to === 'cluster' ? cluster : to === 'local' ? local : undefined;
  const make = (name: string, rules: readonly Rule[]): string => {
    chains.set(name, { name, rules });
    return name;
  };
  const fromPods: Part = { kind: 'source', isIn: true, networks: podCidrs };
  const goto = (chain: string): Part => ({ kind: 'goto', chain });
  if (pod.to !== outside.to) return localEntry();
  const chain = chainTo(outside.to);
  if (chain === undefined) return undefined;
  const ending = outside.to === 'local' ? shape.local : shape.cluster;
  if (pod.masquerade) return make(`masquerade-${ending}`, [[{ kind: 'mark' }], [goto(chain)]]);
  if (!outside.masquerade) return chain;
  const others: Part = { kind: 'source', isIn: false, networks: podCidrs };
  return make(`cluster-ip-${ending}`, [[others, { kind: 'mark' }], [goto(chain)]]);

  /** externalTrafficPolicy Local: pods and the node have all endpoints, everybody else the local ones. */
  function localEntry(): string | undefined {
    if (cluster === undefined) return undefined;
    const outsideChain = chainTo(outside.to);
    const rest = outsideChain === undefined ? 'none' : shape.local;
    return make(`external-local-${shape.cluster}-${rest}`, [
      ...(podCidrs.length === 0 ? [] : [[fromPods, goto(cluster)]]),
      [{ kind: 'from node' }, { kind: 'mark' }, goto(cluster)],
      ...(outsideChain === undefined ? [] : [[goto(outsideChain)]]),
    ]);
  }
}

/** nft takes names of 255 bytes; the longest prefix and an IPv6 endpoint take 70. */
const LABEL_CHARS_MAX = 160;

/** `c4k2x1aa-shop/cart/80/tcp`: unlike any other, and tells which Service it is of. */
function labelOf(id: string): string {
  const hash = createHash('sha256').update(id).digest('hex').slice(0, 8);
  return `${hash}-${id.replaceAll(':', '/').toLowerCase()}`.slice(0, LABEL_CHARS_MAX);
}
