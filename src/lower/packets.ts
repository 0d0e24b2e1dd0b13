// The Services of the model as the kernel of one node has to treat their packets, one family of
// addresses at a time: which endpoints count here, and for each address what happens to packets of
// pods, of the node itself, and of everybody else. Targets compile this and decide nothing more.

import { familyOf, isIn, outermost } from '../lib/cidr.ts';
import type { Family } from '../lib/cidr.ts';
import type { Endpoint, Frontend, Model, Origin, ServicePort } from '../model/model.ts';
import type { NodeFacts, SourceKind } from '../model/node.ts';
import type { EndpointAddress } from './view.ts';

export interface PacketView {
  /** IPv4, then IPv6. */
  readonly families: readonly FamilyView[];
  /** Addresses that two Services claim: who has it, and who does not get it. */
  readonly conflicts: readonly Conflict[];
}

export interface FamilyView {
  readonly family: Family;
  readonly podCidrs: readonly string[];
  readonly serviceCidrs: readonly string[];
  /** Networks whose local addresses serve node ports; null: every local address but loopback. */
  readonly nodePortAddresses: readonly string[] | null;
  /** Sorted by id. */
  readonly ports: readonly PortView[];
}

export interface Conflict {
  /** As `10.0.0.1:80/TCP`. */
  readonly claim: string;
  readonly kept: string;
  readonly lost: string;
  readonly origin: Origin;
}

/** One port of one Service, in one family. */
export interface PortView {
  /** As of the model: `shop/cart:80/TCP`. */
  readonly id: string;
  readonly service: string;
  readonly portName: string;
  readonly protocol: ServicePort['protocol'];
  readonly affinitySeconds: number;
  /** Endpoints under policy Cluster, after topology. */
  readonly cluster: readonly PacketEndpoint[];
  /** Endpoints of this node. */
  readonly local: readonly PacketEndpoint[];
  /** Of UDP: every endpoint that answers, wherever it is; flows to it stay. Empty for other protocols. */
  readonly serving: readonly EndpointAddress[];
  readonly frontends: readonly PacketFrontend[];
  /** 0 when load balancers do not ask. */
  readonly healthCheckNodePort: number;
  /** Endpoints of this node that are ready: what load balancers are told. */
  readonly localReady: number;
  readonly origin: Origin;
}

export interface PacketEndpoint extends EndpointAddress {
  /** Runs on this node. */
  readonly isLocal: boolean;
}

/** An address clients dial. Empty for node ports. */
export interface PacketFrontend extends Frontend {
  /** Networks that may send to it; null: everybody. */
  readonly sources: readonly string[] | null;
  readonly treatment: Readonly<Record<SourceKind, Treatment>>;
}

export interface Treatment {
  /** To one of the endpoints of that list; or refused; or dropped. */
  readonly to: 'cluster' | 'local' | 'reject' | 'drop';
  /** Whether the endpoint sees the node's address in place of the client's. */
  readonly masquerade: boolean;
}

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];
const states = new WeakMap<NodeFacts, Lowering>();

/** Lowers the Services of a model for the kernel of a node. What did not change gives the same views. */
export function lowerPackets(model: Model, node: NodeFacts): PacketView {
  let state = states.get(node);
  if (state === undefined) states.set(node, (state = new Lowering(node)));
  return state.lower(model.services);
}

/** What was lowered last for a node: a change of the model costs what changed. */
class Lowering {
  readonly #node: NodeFacts;
  readonly #claims = FAMILIES.map(() => new Claims());
  readonly #views = new WeakMap<ServicePort, readonly PortView[]>();
  #services: readonly ServicePort[] = [];
  #view: PacketView | undefined;

  constructor(node: NodeFacts) {
    this.#node = node;
  }

  lower(services: readonly ServicePort[]): PacketView {
    if (this.#view !== undefined && services === this.#services) return this.#view;
    const { gone, come } = difference(this.#services, services);
    for (const [i, claims] of this.#claims.entries()) {
      for (const service of gone) claims.remove(this.#viewsOf(service)[i]!);
      for (const service of come) claims.add(this.#viewsOf(service)[i]!);
    }
    this.#services = services;
    const conflicts: Conflict[] = [];
    const families = FAMILIES.map((family, i) => this.#family(family, i, conflicts));
    this.#view = { families, conflicts };
    return this.#view;
  }

  /** The views of a port in both families; of one without addresses in a family, without frontends. */
  #viewsOf(service: ServicePort): readonly PortView[] {
    let views = this.#views.get(service);
    if (views === undefined) {
      views = FAMILIES.map((family) => portView(service, this.#node, family));
      this.#views.set(service, views);
    }
    return views;
  }

  #family(family: Family, i: number, conflicts: Conflict[]): FamilyView {
    const node = this.#node;
    const lost = this.#claims[i]!.lost(conflicts);
    const ports: PortView[] = [];
    for (const service of this.#services) {
      const port = this.#viewsOf(service)[i]!;
      const view = lost.get(port) ?? port;
      if (view.frontends.length > 0) ports.push(view);
    }
    const ofFamily = (networks: readonly string[]): readonly string[] =>
      outermost(networks.filter((network) => familyOf(network) === family));
    return {
      family,
      podCidrs: ofFamily(node.podCidrs),
      serviceCidrs: ofFamily(node.serviceCidrs),
      nodePortAddresses:
        node.nodePortAddresses.length === 0 ? null : ofFamily(node.nodePortAddresses),
      ports,
    };
  }
}

/** What is only in the one list, and what is only in the other; most of both is the same. */
function difference<T>(
  before: readonly T[],
  after: readonly T[],
): { readonly gone: readonly T[]; readonly come: readonly T[] } {
  let start = 0;
  while (start < before.length && before[start] === after[start]) start++;
  let end = 0;
  const most = Math.min(before.length, after.length) - start;
  while (end < most && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  const [old, fresh] = [
    before.slice(start, before.length - end),
    after.slice(start, after.length - end),
  ];
  const [had, has] = [new Set(old), new Set(fresh)];
  return { gone: old.filter((x) => !has.has(x)), come: fresh.filter((x) => !had.has(x)) };
}

function portView(service: ServicePort, node: NodeFacts, family: Family): PortView {
  const endpoints = service.endpoints.filter((e) => familyOf(e.address) === family);
  const own = endpoints.filter((e) => e.node === node.name);
  const usable = usableOf(endpoints);
  const local = usableOf(own);
  const toPacket = (e: Endpoint): PacketEndpoint => ({
    address: e.address,
    port: e.port,
    isLocal: e.node === node.name,
  });
  const addresses = service.frontends.filter((f) =>
    f.kind === 'nodePort' ? serves(service, node, family) : familyOf(f.address) === family,
  );
  return {
    id: service.id,
    service: service.service,
    portName: service.portName,
    protocol: service.protocol,
    affinitySeconds: service.affinitySeconds,
    cluster: byTopology(usable, node).map(toPacket),
    local: local.map(toPacket),
    serving: service.protocol === 'UDP' ? endpoints.filter((e) => e.ready || e.serving) : [],
    frontends: addresses.map((frontend) => ({
      ...frontend,
      sources: sourcesOf(service, frontend, node, family),
      treatment: treatmentOf(service, frontend, node, {
        any: usable.length > 0,
        local: local.length > 0,
        pods: node.podCidrs.some((cidr) => familyOf(cidr) === family),
      }),
    })),
    healthCheckNodePort: service.healthCheckNodePort ?? 0,
    localReady: own.filter((e) => e.ready).length,
    origin: service.origin,
  };
}

/** Node ports are served in the families that the Service has cluster IPs of; without one, in both. */
function serves(service: ServicePort, node: NodeFacts, family: Family): boolean {
  const clusterIPs = service.frontends.filter((f) => f.kind === 'clusterIP');
  const inFamily = (text: string): boolean => familyOf(text) === family;
  return (
    (clusterIPs.length === 0 || clusterIPs.some((f) => inFamily(f.address))) &&
    (node.nodePortAddresses.length === 0 || node.nodePortAddresses.some(inFamily))
  );
}

function sourcesOf(
  { sourceRanges }: ServicePort,
  { kind, address }: Frontend,
  node: NodeFacts,
  family: Family,
): readonly string[] | null {
  if (kind !== 'loadBalancer' || sourceRanges === undefined) return null;
  const ranges = sourceRanges.filter((range) => familyOf(range) === family);
  if (ranges.some((range) => range.endsWith('/0'))) return null;
  // A node that has the address itself dials it from that very address.
  const own = node.addresses.some((a) => isIn(a, ranges)) ? [address] : [];
  return outermost([...ranges, ...own]);
}

function treatmentOf(
  service: ServicePort,
  { kind }: Frontend,
  node: NodeFacts,
  has: { readonly any: boolean; readonly local: boolean; readonly pods: boolean },
): PacketFrontend['treatment'] {
  const all = (treatment: Treatment): PacketFrontend['treatment'] => ({
    pod: treatment,
    node: treatment,
    outside: treatment,
  });
  if (!has.any) return all({ to: 'reject', masquerade: false });
  const local = has.local ? 'local' : 'drop';
  if (kind === 'clusterIP') {
    const to = service.internalPolicy === 'Local' ? local : 'cluster';
    const masquerade = to !== 'drop' && (node.masqueradeAll || has.pods);
    const pod = { to, masquerade: to !== 'drop' && node.masqueradeAll } as const;
    return { ...all({ to, masquerade }), pod };
  }
  if (service.externalPolicy === 'Cluster') return all({ to: 'cluster', masquerade: true });
  return {
    pod: { to: 'cluster', masquerade: false },
    node: { to: 'cluster', masquerade: true },
    outside: { to: local, masquerade: false },
  };
}

function usableOf(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const ready = endpoints.filter((e) => e.ready);
  return ready.length > 0 ? ready : endpoints.filter((e) => e.serving && e.terminating);
}

/** Same node, else same zone, else all: each only when every endpoint says whom it is for. */
function byTopology(endpoints: readonly Endpoint[], node: NodeFacts): readonly Endpoint[] {
  const forNode = hinted(endpoints, 'nodes', node.name);
  return forNode ?? hinted(endpoints, 'zones', node.zone) ?? endpoints;
}

function hinted(
  endpoints: readonly Endpoint[],
  kind: 'nodes' | 'zones',
  own: string,
): readonly Endpoint[] | undefined {
  if (own === '') return undefined;
  const mine: Endpoint[] = [];
  for (const endpoint of endpoints) {
    const hints = endpoint.hints?.[kind] ?? [];
    if (hints.length === 0) return undefined;
    if (hints.includes(own)) mine.push(endpoint);
  }
  return mine.length > 0 ? mine : undefined;
}

/** A cluster IP is never taken away from its owner by somebody's external address. */
const PRECEDENCE: Readonly<Record<Frontend['kind'], number>> = {
  clusterIP: 0,
  loadBalancer: 1,
  externalIP: 2,
  nodePort: 3,
};

interface Claim {
  readonly port: PortView;
  readonly frontend: PacketFrontend;
}

/** Who claims which address, port and protocol; and who does not get what two claim. */
class Claims {
  readonly #all = new Map<string, Claim | Claim[]>();
  /** Keys that more than one claims. */
  readonly #contested = new Set<string>();
  /** What a port is without what it does not get, as long as that stays the same. */
  readonly #views = new WeakMap<PortView, { readonly lost: string; readonly view: PortView }>();

  add(port: PortView): void {
    for (const frontend of port.frontends) {
      const key = claimKey(frontend, port.protocol);
      const claim = { port, frontend };
      const others = this.#all.get(key);
      if (others === undefined) {
        this.#all.set(key, claim);
        continue;
      }
      this.#all.set(key, Array.isArray(others) ? [...others, claim] : [others, claim]);
      this.#contested.add(key);
    }
  }

  remove(port: PortView): void {
    for (const frontend of port.frontends) {
      const key = claimKey(frontend, port.protocol);
      const claims = this.#all.get(key);
      const left = Array.isArray(claims) ? claims.filter((c) => c.port !== port) : [];
      if (left.length < 2) this.#contested.delete(key);
      if (left.length === 0) this.#all.delete(key);
      else this.#all.set(key, left.length === 1 ? left[0]! : left);
    }
  }

  /** Ports that do not get all they claim → what is left of them. Says so in `conflicts`. */
  lost(conflicts: Conflict[]): ReadonlyMap<PortView, PortView> {
    const losses = new Map<PortView, Map<PacketFrontend, Claim>>();
    for (const key of this.#contested) {
      const claims = (this.#all.get(key) as readonly Claim[]).toSorted(byRight);
      const [winner, ...losers] = claims;
      for (const { port, frontend } of losers) {
        let own = losses.get(port);
        if (own === undefined) losses.set(port, (own = new Map()));
        own.set(frontend, winner!);
      }
    }
    const views = new Map<PortView, PortView>();
    for (const [port, own] of [...losses].toSorted(([a], [b]) => compareIds(a, b))) {
      for (const frontend of port.frontends) {
        const kept = own.get(frontend)?.port.id;
        if (kept === undefined || kept === port.id) continue;
        const claim = claimKey(frontend, port.protocol);
        conflicts.push({ claim, kept, lost: port.id, origin: port.origin });
      }
      views.set(port, this.#without(port, own));
    }
    return views;
  }

  #without(port: PortView, lost: ReadonlyMap<PacketFrontend, Claim>): PortView {
    const frontends = port.frontends.filter((frontend) => !lost.has(frontend));
    const name = frontends.map((f) => `${f.kind} ${claimKey(f, port.protocol)}`).join();
    const known = this.#views.get(port);
    if (known?.lost === name) return known.view;
    const view = { ...port, frontends };
    this.#views.set(port, { lost: name, view });
    return view;
  }
}

function claimKey({ address, port }: Frontend, protocol: string): string {
  return `${address}:${port}/${protocol}`;
}

function byRight(a: Claim, b: Claim): number {
  return PRECEDENCE[a.frontend.kind] - PRECEDENCE[b.frontend.kind] || compareIds(a.port, b.port);
}

function compareIds(a: PortView, b: PortView): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
