// PacketView → IpvsProgram: for each address and port that clients dial a virtual server with its
// endpoints, and the sets that say what else becomes of a packet that is sent there. A virtual server has
// one list of endpoints, whoever dials it: under external policy Local those of this node, also for pods.

import { familyOf, isIn, joinHostPort } from '../../lib/cidr.ts';
import type { Family } from '../../lib/cidr.ts';
import type {
  FamilyView,
  PacketEndpoint,
  PacketFrontend,
  PacketView,
  PortView,
} from '../../lower/packets.ts';
import type { NodeFacts } from '../../model/node.ts';
import { chainsOf, hooksOf, setName, setsOf } from './frame.ts';
import type { SetKind } from './frame.ts';
import type {
  IpvsFamily,
  IpvsPort,
  IpvsProgram,
  IpvsScheduler,
  SetEntry,
  Transport,
  VirtualServer,
} from './program.ts';

/** What decides beside the view. */
export interface IpvsOptions {
  readonly node: Pick<NodeFacts, 'addresses' | 'masqueradeAll'>;
  readonly scheduler: IpvsScheduler;
}

const memo = new WeakMap<PortView, { readonly key: string; readonly port: IpvsPort }>();

/** Compiles a view. Ports that did not change give the same programs. */
export function compileIpvs(view: PacketView, options: IpvsOptions): IpvsProgram {
  return { families: view.families.map((family) => compileFamily(family, options)) };
}

function compileFamily(view: FamilyView, { node, scheduler }: IpvsOptions): IpvsFamily {
  const { family, nodePortAddresses } = view;
  const own = node.addresses.filter((address) => familyOf(address) === family);
  const serving = own.filter(
    (address) =>
      !isIn(address, LOOPBACK) && (nodePortAddresses === null || isIn(address, nodePortAddresses)),
  );
  const context: Context = { family, own, serving, taken: takenOf(view, own), scheduler };
  const key = [own.join(), serving.join(), [...context.taken].join(), scheduler].join(';');
  return {
    family,
    sets: setsOf(family),
    hooks: hooksOf(),
    chains: chainsOf(view, node.masqueradeAll),
    ports: view.ports.map((port) => {
      const known = memo.get(port);
      if (known !== undefined && known.key === key) return known.port;
      const compiled = compilePort(port, context);
      memo.set(port, { key, port: compiled });
      return compiled;
    }),
  };
}

const LOOPBACK = ['127.0.0.0/8', '::1/128'];

interface Context {
  readonly family: Family;
  /** Addresses of the node. */
  readonly own: readonly string[];
  /** Those of them that serve node ports. */
  readonly serving: readonly string[];
  /** What Services have of the node's addresses by another way than as node ports: that comes first. */
  readonly taken: ReadonlySet<string>;
  readonly scheduler: IpvsScheduler;
}

function takenOf({ ports }: FamilyView, own: readonly string[]): ReadonlySet<string> {
  const taken = new Set<string>();
  for (const { protocol, frontends } of ports) {
    for (const { kind, address, port } of frontends) {
      if (kind !== 'nodePort' && own.includes(address)) {
        taken.add(`${address},${protocol.toLowerCase()}:${port}`);
      }
    }
  }
  return taken;
}

function compilePort(port: PortView, context: Context): IpvsPort {
  const { family, own, serving, taken, scheduler } = context;
  const transport = port.protocol.toLowerCase() as Transport;
  const servers: VirtualServer[] = [];
  const entries = new Map<string, SetEntry>();
  const add = (kind: SetKind, entry: string): void => {
    entries.set(`${kind} ${entry}`, { set: setName(kind, family), entry });
  };
  const addresses = new Set<string>();
  for (const frontend of port.frontends) {
    const isNodePort = frontend.kind === 'nodePort';
    const list = destinationsOf(port, frontend);
    for (const address of isNodePort ? serving : [frontend.address]) {
      const key = `${address},${transport}:${frontend.port}`;
      if (isNodePort && taken.has(key)) continue;
      servers.push({
        transport,
        address,
        port: frontend.port,
        scheduler,
        persistSeconds: port.affinitySeconds,
        destinations: list.map((e) => ({ address: e.address, port: e.port })),
      });
      addEntries(frontend, key, transport, add);
      if (isNodePort || own.includes(address)) continue;
      addresses.add(address);
      add('IPVS-IPS', address);
    }
    for (const { isLocal, address, port: number } of list) {
      if (isLocal) add('LOOP-BACK', `${address},${transport}:${number},${address}`);
    }
  }
  if (port.healthCheckNodePort > 0) {
    add('HEALTH-CHECK-NODE-PORT', String(port.healthCheckNodePort));
  }
  return {
    id: port.id,
    origin: port.origin,
    servers,
    entries: [...entries.values()],
    addresses: [...addresses],
  };
}

/** With policy Local and no endpoint here, pods and the node still reach the others; a rule drops the rest. */
function destinationsOf(
  port: PortView,
  { kind, treatment }: PacketFrontend,
): readonly PacketEndpoint[] {
  const { to } = treatment.outside;
  if (to === 'reject') return [];
  if (to === 'drop') return kind === 'clusterIP' ? [] : port.cluster;
  return port[to];
}

function addEntries(
  { kind, port, sources, treatment }: PacketFrontend,
  key: string,
  transport: Transport,
  add: (kind: SetKind, entry: string) => void,
): void {
  const { outside } = treatment;
  if (outside.to === 'reject') return add('NO-ENDPOINTS', key);
  const isLocal = !outside.masquerade;
  if (outside.to === 'drop') {
    add(kind === 'clusterIP' ? 'NO-LOCAL-ENDPOINTS' : 'NO-LOCAL-FOR-OUTSIDE', key);
  }
  switch (kind) {
    case 'clusterIP':
      return add('CLUSTER-IP', key);
    case 'externalIP':
      return add(isLocal ? 'EXTERNAL-IP-LOCAL' : 'EXTERNAL-IP', key);
    case 'loadBalancer':
      add('LOAD-BALANCER', key);
      if (isLocal) add('LOAD-BALANCER-LOCAL', key);
      if (sources === null) return undefined;
      add('LOAD-BALANCER-FW', key);
      for (const source of sources) add('LOAD-BALANCER-SOURCE-CIDR', `${key},${source}`);
      return undefined;
    case 'nodePort': {
      if (transport === 'sctp') {
        return add(isLocal ? 'NODE-PORT-LOCAL-SCTP-HASH' : 'NODE-PORT-SCTP-HASH', key);
      }
      const protocol = transport === 'tcp' ? 'TCP' : 'UDP';
      return add(isLocal ? `NODE-PORT-LOCAL-${protocol}` : `NODE-PORT-${protocol}`, String(port));
    }
  }
}

/** `tcp 10.96.0.1:80`: what tells one virtual server from another. */
export function serverKey({
  transport,
  address,
  port,
}: Pick<VirtualServer, 'transport' | 'address' | 'port'>): string {
  return `${transport} ${joinHostPort(address, port)}`;
}
