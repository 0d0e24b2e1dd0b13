// The ruleset that kube-proxy 1.36 writes in nftables mode, for comparison: a chain for each port of a
// Service with an anonymous map of its endpoints, a verdict map of addresses, and a set of hairpins of
// endpoints on the node. Written one element a line, as kube-proxy's library does.

export interface BenchService {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly endpoints: readonly { readonly address: string; readonly isLocal: boolean }[];
}

const TARGET_PORT = 8080;

function chainOf({ name, port }: BenchService): string {
  return `service-ABCDEFGH-default/${name}/tcp/p${port}`;
}

/** The whole table. */
export function peerTable(services: readonly BenchService[]): string {
  const t = 'ip kube-proxy';
  return [
    `add table ${t}`,
    `add set ${t} cluster-ips { type ipv4_addr ; }`,
    `add set ${t} nodeport-ips { type ipv4_addr ; }`,
    `add set ${t} hairpin-connections { type ipv4_addr . ipv4_addr . inet_proto . inet_service ; }`,
    `add map ${t} service-ips { type ipv4_addr . inet_proto . inet_service : verdict ; }`,
    `add map ${t} service-nodeports { type inet_proto . inet_service : verdict ; }`,
    `add map ${t} no-endpoint-services { type ipv4_addr . inet_proto . inet_service : verdict ; }`,
    `add map ${t} firewall-ips { type ipv4_addr . inet_proto . inet_service : verdict ; }`,
    ...[
      'services',
      'masquerading',
      'reject-chain',
      'cluster-ips-check',
      'service-endpoints-check',
    ].map((name) => `add chain ${t} ${name}`),
    `add chain ${t} nat-prerouting { type nat hook prerouting priority -100 ; }`,
    `add chain ${t} nat-output { type nat hook output priority -100 ; }`,
    `add chain ${t} nat-postrouting { type nat hook postrouting priority 100 ; }`,
    `add chain ${t} filter-forward { type filter hook forward priority 0 ; }`,
    `add rule ${t} nat-prerouting jump services`,
    `add rule ${t} nat-output jump services`,
    `add rule ${t} nat-postrouting jump masquerading`,
    `add rule ${t} filter-forward ct state new jump service-endpoints-check`,
    `add rule ${t} filter-forward ct state new jump cluster-ips-check`,
    `add rule ${t} service-endpoints-check ip daddr . meta l4proto . th dport vmap @no-endpoint-services`,
    `add rule ${t} cluster-ips-check ip daddr @cluster-ips reject`,
    `add rule ${t} masquerading mark and 0x4000 != 0 mark set mark xor 0x4000 masquerade fully-random`,
    `add rule ${t} masquerading ct status dnat ip saddr . ip daddr . meta l4proto . th dport @hairpin-connections masquerade fully-random`,
    `add rule ${t} services ip daddr @cluster-ips ip saddr != 10.128.0.0/9 mark set mark or 0x4000`,
    `add rule ${t} services ip daddr . meta l4proto . th dport vmap @service-ips`,
    ...services.map((service) => `add chain ${t} ${chainOf(service)}`),
    ...services.flatMap((service) => [peerRule(service), ...peerElements(service)]),
  ].join('\n');
}

function peerRule(service: BenchService): string {
  const { endpoints } = service;
  const [only] = endpoints;
  const to =
    endpoints.length === 1 && only !== undefined
      ? `to ${only.address}:${TARGET_PORT}`
      : `ip to numgen random mod ${endpoints.length} map { ${endpoints
          .map(({ address }, i) => `${i} : ${address} . ${TARGET_PORT}`)
          .join(', ')} }`;
  return `add rule ip kube-proxy ${chainOf(service)} meta l4proto tcp dnat ${to}`;
}

function peerElements(service: BenchService): readonly string[] {
  const { address, port, endpoints } = service;
  return [
    `add element ip kube-proxy cluster-ips { ${address} }`,
    `add element ip kube-proxy service-ips { ${address} . tcp . ${port} : goto ${chainOf(service)} }`,
    ...endpoints
      .filter(({ isLocal }) => isLocal)
      .map(
        ({ address: own }) =>
          `add element ip kube-proxy hairpin-connections { ${own} . ${own} . tcp . ${TARGET_PORT} }`,
      ),
  ];
}

/** What it writes when the endpoints of some Services change: their chains anew. */
export function peerUpdate(services: readonly BenchService[]): string {
  return services
    .flatMap((service) => [`flush chain ip kube-proxy ${chainOf(service)}`, peerRule(service)])
    .join('\n');
}
