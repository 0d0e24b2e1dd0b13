// The sets and the rules that are there whatever Services there are. Rules ask sets; Services are entries
// of sets. README.md draws the way of a packet through them.

import type { Family } from '../../lib/cidr.ts';
import type { FamilyView } from '../../lower/packets.ts';
import type { AddressSet, Chain, Hook } from './program.ts';

/** The device that holds the addresses of Services: what is sent there comes in, and IPVS sees it. */
export const DEVICE = 'kube-ipvs0';
const MARK = '0x4000';
const NEW = '-m conntrack --ctstate NEW';
/** Names of sets are cut at this length by kernels. */
const NAME_CHARS_MAX = 31;
const ENTRIES_MAX = 1_048_576;

/** Sets that kube-proxy made known, and three of our own at the end, by what is in their entries. */
const SET_KINDS = {
  'IPVS-IPS': 'hash:ip',
  'CLUSTER-IP': 'hash:ip,port',
  'EXTERNAL-IP': 'hash:ip,port',
  'EXTERNAL-IP-LOCAL': 'hash:ip,port',
  'LOAD-BALANCER': 'hash:ip,port',
  'LOAD-BALANCER-LOCAL': 'hash:ip,port',
  'LOAD-BALANCER-FW': 'hash:ip,port',
  'LOAD-BALANCER-SOURCE-CIDR': 'hash:ip,port,net',
  'NODE-PORT-TCP': 'bitmap:port',
  'NODE-PORT-LOCAL-TCP': 'bitmap:port',
  'NODE-PORT-UDP': 'bitmap:port',
  'NODE-PORT-LOCAL-UDP': 'bitmap:port',
  // Sets of bare numbers do not know SCTP.
  'NODE-PORT-SCTP-HASH': 'hash:ip,port',
  'NODE-PORT-LOCAL-SCTP-HASH': 'hash:ip,port',
  'LOOP-BACK': 'hash:ip,port,ip',
  'HEALTH-CHECK-NODE-PORT': 'bitmap:port',
  'NO-ENDPOINTS': 'hash:ip,port',
  'NO-LOCAL-ENDPOINTS': 'hash:ip,port',
  'NO-LOCAL-FOR-OUTSIDE': 'hash:ip,port',
} as const;
export type SetKind = keyof typeof SET_KINDS;

/** `KUBE-CLUSTER-IP`, and `KUBE-6-CLUSTER-IP` of IPv6. */
export function setName(kind: SetKind, family: Family): string {
  return `KUBE-${family === 'ipv4' ? '' : '6-'}${kind}`.slice(0, NAME_CHARS_MAX);
}

const SET_NAMES = new Set(
  (Object.keys(SET_KINDS) as SetKind[]).flatMap((kind) => [
    setName(kind, 'ipv4'),
    setName(kind, 'ipv6'),
  ]),
);

/** Whether a set is one of this target, or of kube-proxy before it. */
export function isOwnSet(name: string): boolean {
  return SET_NAMES.has(name) || /^KUBE-(?:6-)?LOAD-BALANCER-SOURCE-IP$/.test(name);
}

/** All sets of a family, empty ones too: rules look into them. */
export function setsOf(family: Family): readonly AddressSet[] {
  return (Object.entries(SET_KINDS) as [SetKind, string][]).map(([kind, type]) => ({
    name: setName(kind, family),
    type:
      type === 'bitmap:port'
        ? 'bitmap:port range 0-65535 comment'
        : `${type} family ${family === 'ipv4' ? 'inet' : 'inet6'} maxelem ${ENTRIES_MAX} comment`,
  }));
}

function about(text: string): string {
  return `-m comment --comment "${text}"`;
}

/** Chains that only this target has: they go with it. Others it shares with iptables mode. */
export const OWN_CHAINS = [
  'KUBE-IPVS-FILTER',
  'KUBE-IPVS-OUT-FILTER',
  'KUBE-NODE-PORT',
  'KUBE-LOAD-BALANCER',
  'KUBE-EXTERNAL-LOCAL',
  'KUBE-SOURCE-RANGES-FIREWALL',
  'KUBE-OUTSIDE-FIREWALL',
] as const;

/** Rules of the kernel's own chains. They are put before what is there, in this order. */
export function hooksOf(): readonly Hook[] {
  const services = `${about('kubernetes service portals')} -j KUBE-SERVICES`;
  const firewall = `${NEW} ${about('kube-proxy firewall rules')} -j KUBE-PROXY-FIREWALL`;
  const access = `${NEW} ${about('kubernetes ipvs access filter')} -j KUBE-IPVS-FILTER`;
  return [
    { table: 'mangle', chain: 'PREROUTING', rule: firewall },
    { table: 'mangle', chain: 'OUTPUT', rule: firewall },
    { table: 'nat', chain: 'PREROUTING', rule: services },
    { table: 'nat', chain: 'OUTPUT', rule: services },
    {
      table: 'nat',
      chain: 'POSTROUTING',
      rule: `${about('kubernetes postrouting rules')} -j KUBE-POSTROUTING`,
    },
    {
      table: 'filter',
      chain: 'INPUT',
      rule: `${about('kubernetes health check rules')} -j KUBE-NODE-PORT`,
    },
    { table: 'filter', chain: 'INPUT', rule: access },
    { table: 'filter', chain: 'FORWARD', rule: access },
    { table: 'filter', chain: 'OUTPUT', rule: access },
    {
      table: 'filter',
      chain: 'FORWARD',
      rule: `${about('kubernetes forwarding rules')} -j KUBE-FORWARD`,
    },
  ];
}

/** The chains, each after those it goes to. */
export function chainsOf(view: FamilyView, masqueradeAll: boolean): readonly Chain[] {
  const { family, podCidrs } = view;
  const set = (kind: SetKind, by: string): string =>
    `-m set --match-set ${setName(kind, family)} ${by}`;
  const at = (kind: SetKind): string => set(kind, 'dst,dst');
  return [
    { table: 'mangle', name: 'KUBE-SOURCE-RANGES-FIREWALL', rules: sourceRules(set) },
    {
      table: 'mangle',
      name: 'KUBE-OUTSIDE-FIREWALL',
      rules: [
        ...podCidrs.map((cidr) => `-s ${cidr} -j RETURN`),
        '-m addrtype --src-type LOCAL -j RETURN',
        '-j DROP',
      ],
    },
    {
      table: 'mangle',
      name: 'KUBE-PROXY-FIREWALL',
      rules: [
        `${about('load balancers with source ranges')} ${at('LOAD-BALANCER-FW')} -j KUBE-SOURCE-RANGES-FIREWALL`,
        `${about('internal policy Local, no endpoint here')} ${at('NO-LOCAL-ENDPOINTS')} -j DROP`,
        `${about('external policy Local, no endpoint here')} ${at('NO-LOCAL-FOR-OUTSIDE')} -j KUBE-OUTSIDE-FIREWALL`,
      ],
    },
    { table: 'nat', name: 'KUBE-MARK-MASQ', rules: [`-j MARK --or-mark ${MARK}`] },
    {
      table: 'nat',
      name: 'KUBE-EXTERNAL-LOCAL',
      rules: [
        ...podCidrs.map((cidr) => `-s ${cidr} -j RETURN`),
        `${about('the node itself')} -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ`,
      ],
    },
    { table: 'nat', name: 'KUBE-NODE-PORT', rules: nodePortRules(at, set) },
    { table: 'nat', name: 'KUBE-SERVICES', rules: serviceRules(view, masqueradeAll, at, set) },
    {
      table: 'nat',
      name: 'KUBE-POSTROUTING',
      rules: [
        `${about('an endpoint that reaches itself')} ${set('LOOP-BACK', 'dst,dst,src')} -j MASQUERADE`,
        `-m mark ! --mark ${MARK}/${MARK} -j RETURN`,
        `-j MARK --xor-mark ${MARK}`,
        `${about('kubernetes service traffic requiring SNAT')} -j MASQUERADE --random-fully`,
      ],
    },
    {
      table: 'filter',
      name: 'KUBE-NODE-PORT',
      rules: [`-p tcp ${set('HEALTH-CHECK-NODE-PORT', 'dst')} -j ACCEPT`],
    },
    { table: 'filter', name: 'KUBE-IPVS-FILTER', rules: accessRules(view, at, set) },
    {
      table: 'filter',
      name: 'KUBE-FORWARD',
      rules: [
        '-m conntrack --ctstate INVALID -j DROP',
        `-m mark --mark ${MARK}/${MARK} -j ACCEPT`,
        '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
      ],
    },
  ];
}

type SetMatch = (kind: SetKind, by: string) => string;
type AddressMatch = (kind: SetKind) => string;

function sourceRules(set: SetMatch): readonly string[] {
  return [`${set('LOAD-BALANCER-SOURCE-CIDR', 'dst,dst,src')} -j RETURN`, '-j DROP'];
}

/** Who is marked leaves under the address of the node. */
function serviceRules(
  { podCidrs }: FamilyView,
  masqueradeAll: boolean,
  at: AddressMatch,
  set: SetMatch,
): readonly string[] {
  const cluster = at('CLUSTER-IP');
  const [only, ...others] = podCidrs;
  const toClusterIPs = masqueradeAll
    ? [`${cluster} -g KUBE-MARK-MASQ`]
    : only === undefined
      ? []
      : others.length === 0
        ? [`! -s ${only} ${cluster} -g KUBE-MARK-MASQ`]
        : [
            ...podCidrs.map((cidr) => `-s ${cidr} ${cluster} -j RETURN`),
            `${cluster} -g KUBE-MARK-MASQ`,
          ];
  return [
    ...toClusterIPs,
    // The node dials an address it has itself from that very address: nobody could answer.
    `${about('the node itself, by an address of a Service')} ${set('IPVS-IPS', 'src')} ${cluster} -g KUBE-MARK-MASQ`,
    `${cluster} -j RETURN`,
    `${at('LOAD-BALANCER-LOCAL')} -g KUBE-EXTERNAL-LOCAL`,
    `${at('LOAD-BALANCER')} -g KUBE-MARK-MASQ`,
    `${at('EXTERNAL-IP-LOCAL')} -g KUBE-EXTERNAL-LOCAL`,
    `${at('EXTERNAL-IP')} -g KUBE-MARK-MASQ`,
    `${set('IPVS-IPS', 'dst')} -j RETURN`,
    '-m addrtype --dst-type LOCAL -j KUBE-NODE-PORT',
  ];
}

function nodePortRules(at: AddressMatch, set: SetMatch): readonly string[] {
  const bare = (['TCP', 'UDP'] as const).flatMap((protocol) => {
    const transport = `-p ${protocol.toLowerCase()}`;
    return [
      `${transport} ${set(`NODE-PORT-LOCAL-${protocol}`, 'dst')} -g KUBE-EXTERNAL-LOCAL`,
      `${transport} ${set(`NODE-PORT-${protocol}`, 'dst')} -j KUBE-MARK-MASQ`,
    ];
  });
  return [
    ...bare,
    `${at('NODE-PORT-LOCAL-SCTP-HASH')} -g KUBE-EXTERNAL-LOCAL`,
    `${at('NODE-PORT-SCTP-HASH')} -j KUBE-MARK-MASQ`,
  ];
}

/** The addresses of Services are the node's own here: without this, whatever listens on it would answer. */
function accessRules(
  { family, serviceCidrs }: FamilyView,
  at: AddressMatch,
  set: SetMatch,
): readonly string[] {
  const refuse = (condition: string): readonly string[] => [
    `-p tcp ${condition} -j REJECT --reject-with tcp-reset`,
    `${condition} -j REJECT`,
  ];
  return [
    `-p ${family === 'ipv4' ? 'icmp' : 'ipv6-icmp'} -j RETURN`,
    ...refuse(at('NO-ENDPOINTS')),
    ...(['CLUSTER-IP', 'LOAD-BALANCER', 'EXTERNAL-IP', 'EXTERNAL-IP-LOCAL'] as const).map(
      (kind) => `${at(kind)} -j RETURN`,
    ),
    ...refuse(set('IPVS-IPS', 'dst')),
    ...serviceCidrs.flatMap((cidr) => refuse(`-d ${cidr}`)),
  ];
}
