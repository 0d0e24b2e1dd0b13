// PacketView → IptablesProgram, in the chains kube-proxy made known: KUBE-SERVICES finds the Service,
// KUBE-EXT and KUBE-FW treat what comes from outside, KUBE-SVC and KUBE-SVL pick an endpoint, KUBE-SEP
// translates. Names of chains are the same as kube-proxy's for the same Services.

import { createHash } from 'node:crypto';
import { joinHostPort } from '../../lib/cidr.ts';
import type {
  FamilyView,
  PacketEndpoint,
  PacketFrontend,
  PacketView,
  PortView,
} from '../../lower/packets.ts';
import { frameOf, hooksOf, MASQUERADE_OTHERS } from './frame.ts';
import type {
  CommonRule,
  IptablesFamily,
  IptablesPort,
  IptablesProgram,
  OwnChain,
} from './program.ts';

const memo = new WeakMap<PortView, { readonly key: string; readonly port: IptablesPort }>();

/** Compiles a view. Ports that did not change give the same programs. */
export function compileIptables(view: PacketView): IptablesProgram {
  return { families: view.families.map(compileFamily) };
}

function compileFamily(view: FamilyView): IptablesFamily {
  const key = view.podCidrs.join();
  return {
    family: view.family,
    hooks: hooksOf(),
    frame: frameOf(view),
    ports: view.ports.map((port) => {
      const known = memo.get(port);
      if (known !== undefined && known.key === key) return known.port;
      const compiled = compilePort(port, view);
      memo.set(port, { key, port: compiled });
      return compiled;
    }),
  };
}

/** Name of a port as kube-proxy writes it: `shop/cart:web`, or `shop/cart` when the port has none. */
function nameOf({ service, portName }: PortView): string {
  return portName === '' ? service : `${service}:${portName}`;
}

function compilePort(port: PortView, view: FamilyView): IptablesPort {
  const protocol = port.protocol.toLowerCase();
  const name = nameOf(port);
  const hash = hashOf(`${name}${protocol}`);
  const chains = new Map<string, OwnChain>();
  const rules: CommonRule[] = [];
  const svc = `KUBE-SVC-${hash}`;
  const svl = `KUBE-SVL-${hash}`;
  const ext = `KUBE-EXT-${hash}`;
  const to: Destinations = { svc, svl, ext, fw: `KUBE-FW-${hash}` };
  const context: Context = { port, view, name, protocol, to, chains, rules };
  const marks = { svc: [] as string[], svl: [] as string[] };
  for (const frontend of port.frontends) {
    if (frontend.kind === 'clusterIP') clusterIPRules(context, frontend, marks);
    else externalRules(context, frontend);
  }
  const lists = new Set(port.frontends.flatMap((f) => Object.values(f.treatment).map((t) => t.to)));
  const own: OwnChain[] = [];
  const seps = new Map<string, OwnChain>();
  for (const list of ['cluster', 'local'] as const) {
    if (!lists.has(list)) continue;
    const marked = list === 'cluster' ? marks.svc : marks.svl;
    const picked = pickerRules(context, port[list], seps);
    own.push({ name: list === 'cluster' ? svc : svl, rules: [...marked, ...picked] });
  }
  return {
    id: port.id,
    origin: port.origin,
    chains: [...seps.values(), ...own, ...chains.values()],
    rules,
  };
}

interface Destinations {
  readonly svc: string;
  readonly svl: string;
  readonly ext: string;
  readonly fw: string;
}

interface Context {
  readonly port: PortView;
  readonly view: FamilyView;
  readonly name: string;
  readonly protocol: string;
  readonly to: Destinations;
  /** KUBE-EXT and KUBE-FW, when something needs them. */
  readonly chains: Map<string, OwnChain>;
  readonly rules: CommonRule[];
}

function clusterIPRules(
  { view, name, protocol, to, rules }: Context,
  { address, port: number, treatment }: PacketFrontend,
  marks: { readonly svc: string[]; readonly svl: string[] },
): void {
  const { pod, outside } = treatment;
  const at = `-p ${protocol} -m ${protocol} -d ${host(address)} --dport ${number}`;
  if (outside.to === 'reject' || outside.to === 'drop') {
    const why = outside.to === 'reject' ? 'has no endpoints' : 'has no local endpoints';
    const rule = `${comment(`${name} ${why}`)} ${at} ${refuse(outside.to, protocol)}`;
    rules.push({ table: 'filter', chain: 'KUBE-SERVICES', rule });
    return;
  }
  const about = comment(`${name} cluster IP`);
  const target = outside.to === 'local' ? to.svl : to.svc;
  rules.push({ table: 'nat', chain: 'KUBE-SERVICES', rule: `${about} ${at} -j ${target}` });
  const list = outside.to === 'local' ? marks.svl : marks.svc;
  const [only, ...others] = view.podCidrs;
  if (pod.masquerade) list.push(`${about} ${at} -j KUBE-MARK-MASQ`);
  else if (outside.masquerade && only !== undefined) {
    list.push(
      others.length === 0
        ? `${about} ${at} ! -s ${only} -j KUBE-MARK-MASQ`
        : `${about} ${at} -j ${MASQUERADE_OTHERS}`,
    );
  }
}

const KIND_TEXT = {
  nodePort: 'node port',
  loadBalancer: 'loadbalancer IP',
  externalIP: 'external IP',
  clusterIP: 'cluster IP',
} as const;

function externalRules(context: Context, frontend: PacketFrontend): void {
  const { view, name, protocol, to, chains, rules } = context;
  const { kind, address, port: number, treatment, sources } = frontend;
  const isNodePort = kind === 'nodePort';
  if (isNodePort && view.nodePortAddresses?.length === 0) return;
  const about = comment(`${name} ${KIND_TEXT[kind]}`);
  const transport = `-p ${protocol} -m ${protocol}`;
  const where = isNodePort ? '-m addrtype --dst-type LOCAL' : `-d ${host(address)}`;
  const { outside, pod } = treatment;
  if (outside.to === 'reject' || outside.to === 'drop') {
    const why = outside.to === 'reject' ? 'has no endpoints' : 'has no local endpoints';
    const limits = isNodePort ? nodePortLimits(view) : [''];
    for (const limit of limits) {
      const rule = `${comment(`${name} ${why}`)} ${transport} ${limit}${where} --dport ${number} ${refuse(outside.to, protocol)}`;
      rules.push({ table: 'filter', chain: 'KUBE-EXTERNAL-SERVICES', rule });
    }
  }
  if (pod.to !== 'cluster') return;
  chains.set(to.ext, { name: to.ext, rules: extRules(context, frontend) });
  if (isNodePort) {
    const rule = `${comment(name)} ${transport} --dport ${number} -j ${to.ext}`;
    rules.push({ table: 'nat', chain: 'KUBE-NODEPORTS', rule });
    return;
  }
  const at = `${transport} -d ${host(address)} --dport ${number}`;
  const target = sources === null ? to.ext : to.fw;
  rules.push({ table: 'nat', chain: 'KUBE-SERVICES', rule: `${about} ${at} -j ${target}` });
  if (sources === null) return;
  const known = chains.get(to.fw)?.rules ?? [];
  const allowed = sources.map((source) => {
    // An address that may dial itself may dial no other.
    const itself = source === address ? `-d ${host(address)} ` : '';
    return `${about} ${itself}-s ${source} -j ${to.ext}`;
  });
  chains.set(to.fw, { name: to.fw, rules: [...new Set([...known, ...allowed])] });
  const dropped = comment(`${name} traffic not accepted by ${to.fw}`);
  rules.push({ table: 'filter', chain: 'KUBE-PROXY-FIREWALL', rule: `${dropped} ${at} -j DROP` });
}

/** Networks whose addresses of the node serve node ports, as the beginnings of matches. */
function nodePortLimits({ family, nodePortAddresses }: FamilyView): readonly string[] {
  if (nodePortAddresses !== null) return nodePortAddresses.map((network) => `-d ${network} `);
  return [`! -d ${family === 'ipv4' ? '127.0.0.0/8' : '::1/128'} `];
}

function extRules({ name, view, to }: Context, { treatment }: PacketFrontend): readonly string[] {
  const { outside, pod } = treatment;
  if (pod.to === outside.to) {
    const masquerade = comment(`masquerade traffic for ${name} external destinations`);
    return [`${masquerade} -j KUBE-MARK-MASQ`, `-j ${to.svc}`];
  }
  return [
    ...view.podCidrs.map(
      (cidr) =>
        `${comment(`pod traffic for ${name} external destinations`)} -s ${cidr} -j ${to.svc}`,
    ),
    `${comment(`masquerade LOCAL traffic for ${name} external destinations`)} -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ`,
    `${comment(`route LOCAL traffic for ${name} external destinations`)} -m addrtype --src-type LOCAL -j ${to.svc}`,
    ...(outside.to === 'local' ? [`-j ${to.svl}`] : []),
  ];
}

function pickerRules(
  { port, name, protocol }: Context,
  endpoints: readonly PacketEndpoint[],
  seps: Map<string, OwnChain>,
): readonly string[] {
  const about = comment(name);
  const ends = endpoints.map((endpoint) => {
    const text = joinHostPort(endpoint.address, endpoint.port);
    const chain = `KUBE-SEP-${hashOf(`${name}${protocol}${text}`)}`;
    const stays = `-m recent --name ${chain}`;
    seps.set(chain, {
      name: chain,
      rules: [
        ...(endpoint.isLocal ? [`${about} -s ${host(endpoint.address)} -j KUBE-MARK-MASQ`] : []),
        `${about} ${port.affinitySeconds > 0 ? `${stays} --set ` : ''}-p ${protocol} -m ${protocol} -j DNAT --to-destination ${text}`,
      ],
    });
    return { chain, stays };
  });
  const remembered =
    port.affinitySeconds === 0
      ? []
      : ends.map(
          ({ chain, stays }) =>
            `${about} ${stays} --rcheck --seconds ${port.affinitySeconds} --reap -j ${chain}`,
        );
  const chosen = ends.map(({ chain }, i) => {
    const left = ends.length - i;
    const chance =
      left === 1 ? '' : `-m statistic --mode random --probability ${probability(left)} `;
    return `${about} ${chance}-j ${chain}`;
  });
  return [...remembered, ...chosen];
}

function probability(left: number): string {
  return (1 / left).toFixed(10);
}

function refuse(to: 'reject' | 'drop', protocol: string): string {
  if (to === 'drop') return '-j DROP';
  return protocol === 'tcp' ? '-j REJECT --reject-with tcp-reset' : '-j REJECT';
}

function host(address: string): string {
  return address.includes(':') ? `${address}/128` : `${address}/32`;
}

/** iptables takes comments of 255 bytes. */
const COMMENT_CHARS_MAX = 250;

function comment(text: string): string {
  return `-m comment --comment "${text.slice(0, COMMENT_CHARS_MAX)}"`;
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const HASH_CHARS = 16;

/** The first 16 characters of the hash in base 32, as in the names of kube-proxy's chains. */
export function hashOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest();
  let out = '';
  for (let i = 0; i < HASH_CHARS; i++) {
    const bit = i * 5;
    const pair = bytes.readUInt16BE(bit >> 3);
    out += BASE32[(pair >> (11 - (bit & 7))) & 31]!;
  }
  return out;
}
