// The chains that are there whatever Services there are, and the places where packets enter them. README.md
// draws the way of a packet through them.

import type { FamilyView } from '../../lower/packets.ts';
import type { CommonChain, Hook } from './program.ts';

/** Marks what comes from no pod; only there when pods live in several networks. */
export const MASQUERADE_OTHERS = 'KUBE-MARK-MASQ-OTHERS';
const MARK = '0x4000';

const NEW = '-m conntrack --ctstate NEW';

function about(text: string): string {
  return `-m comment --comment "${text}"`;
}

/** Rules of the kernel's own chains. They are put before what is there, in this order. */
export function hooksOf(): readonly Hook[] {
  const services = about('kubernetes service portals');
  const external = about('kubernetes externally-visible service portals');
  const firewall = about('kubernetes load balancer firewall');
  const filter = (chain: 'INPUT' | 'FORWARD' | 'OUTPUT', rule: string): Hook => ({
    table: 'filter',
    chain,
    rule,
  });
  return [
    { table: 'nat', chain: 'PREROUTING', rule: `${services} -j KUBE-SERVICES` },
    { table: 'nat', chain: 'OUTPUT', rule: `${services} -j KUBE-SERVICES` },
    {
      table: 'nat',
      chain: 'POSTROUTING',
      rule: `${about('kubernetes postrouting rules')} -j KUBE-POSTROUTING`,
    },
    ...(['INPUT', 'FORWARD', 'OUTPUT'] as const).flatMap((chain) => [
      filter(chain, `${NEW} ${firewall} -j KUBE-PROXY-FIREWALL`),
      filter(chain, `${NEW} ${external} -j KUBE-EXTERNAL-SERVICES`),
      filter(chain, `${NEW} ${services} -j KUBE-SERVICES`),
    ]),
    filter('INPUT', `${about('kubernetes health check service ports')} -j KUBE-NODEPORTS`),
    filter('FORWARD', `${about('kubernetes forwarding rules')} -j KUBE-FORWARD`),
  ];
}

/** The common chains, those first that others go to. Rules of Services stand between `first` and `last`. */
export function frameOf(view: FamilyView): readonly CommonChain[] {
  const { podCidrs, serviceCidrs } = view;
  const chain = (
    table: CommonChain['table'],
    name: string,
    first: readonly string[] = [],
    last: readonly string[] = [],
  ): CommonChain => ({ table, name, first, last });
  const unknown = serviceCidrs.flatMap((cidr) => [
    `${about('no Service has this address')} -d ${cidr} -p tcp -j REJECT --reject-with tcp-reset`,
    `${about('no Service has this address')} -d ${cidr} -j REJECT`,
  ]);
  const healthChecks = view.ports
    .filter((port) => port.healthCheckNodePort > 0)
    .map(
      ({ service, healthCheckNodePort }) =>
        `${about(`${service} health check node port`)} -p tcp -m tcp --dport ${healthCheckNodePort} -j ACCEPT`,
    );
  return [
    chain('filter', 'KUBE-NODEPORTS', [...new Set(healthChecks)]),
    chain('filter', 'KUBE-FORWARD', [
      '-m conntrack --ctstate INVALID -j DROP',
      `${about('kubernetes forwarding rules')} -m mark --mark ${MARK}/${MARK} -j ACCEPT`,
      `${about('kubernetes forwarding conntrack rule')} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
    ]),
    chain('filter', 'KUBE-SERVICES', [], unknown),
    chain('filter', 'KUBE-EXTERNAL-SERVICES'),
    chain('filter', 'KUBE-PROXY-FIREWALL'),
    chain('nat', 'KUBE-MARK-MASQ', [`-j MARK --or-mark ${MARK}`]),
    ...(podCidrs.length > 1
      ? [
          chain('nat', MASQUERADE_OTHERS, [
            ...podCidrs.map((cidr) => `-s ${cidr} -j RETURN`),
            '-j KUBE-MARK-MASQ',
          ]),
        ]
      : []),
    chain('nat', 'KUBE-POSTROUTING', [
      `-m mark ! --mark ${MARK}/${MARK} -j RETURN`,
      `-j MARK --xor-mark ${MARK}`,
      `${about('kubernetes service traffic requiring SNAT')} -j MASQUERADE --random-fully`,
    ]),
    chain('nat', 'KUBE-NODEPORTS'),
    chain('nat', 'KUBE-SERVICES', [], toNodePorts(view)),
  ];
}

/** Last of all, what is addressed to the node itself. Node ports on loopback are not for the kernel. */
function toNodePorts({ family, nodePortAddresses }: FamilyView): readonly string[] {
  const note = about(
    'kubernetes service nodeports; NOTE: this must be the last rule in this chain',
  );
  const networks =
    nodePortAddresses === null
      ? [`! -d ${family === 'ipv4' ? '127.0.0.0/8' : '::1/128'}`]
      : nodePortAddresses.map((network) => `-d ${network}`);
  return networks.map(
    (network) => `${note} ${network} -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS`,
  );
}
