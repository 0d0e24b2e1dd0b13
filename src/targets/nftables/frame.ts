// What every table has, whatever Services there are: the maps, and the chains at the hooks of the
// kernel. README.md draws the way of a packet through them.

import type { Family } from '../../lib/cidr.ts';
import type { FamilyView } from '../../lower/packets.ts';
import type { Chain, Fields, MapName, Part, Rule } from './program.ts';

/** The bit of the mark that says: the endpoint is to see the node's address. */
export const MASQUERADE_MARK = '0x00004000';
/** Before anything is translated. */
const BEFORE_DNAT = -110;
const DNAT = -100;
const FILTER = 0;
const SNAT = 100;
const LOOPBACK: Readonly<Record<Family, string>> = { ipv4: '127.0.0.0/8', ipv6: '::1/128' };

/**
 * Each protocol has maps of its own. An endpoint is `ip daddr . PROTOCOL dport`, and nft 1.0.6 makes of a
 * lookup in such a map a rule for that protocol alone. With `th dport` in its place it takes no further
 * rule that translates by the map, once the map is in the kernel.
 */
const PROTOCOLS = [
  { prefix: '', name: 'tcp' },
  { prefix: 'udp-', name: 'udp' },
  { prefix: 'sctp-', name: 'sctp' },
] as const;

export interface MapShape {
  readonly kind: 'map' | 'set';
  readonly key: string;
  /** Of a map. */
  readonly value?: string;
  readonly flags?: string;
  readonly about: string;
}

/** `ip` or `ip6`, as nft names families. */
export function nftFamily(family: Family): 'ip' | 'ip6' {
  return family === 'ipv4' ? 'ip' : 'ip6';
}

/** What of a packet is looked up, as nft writes it. */
export function fieldsText(by: Fields, ip: string): string {
  switch (by) {
    case 'frontend':
      return `${ip} daddr . meta l4proto . th dport`;
    case 'node-port':
      return 'meta l4proto . th dport';
    case 'frontend-source':
      return `${ip} daddr . meta l4proto . th dport . ${ip} saddr`;
    case 'flow':
      return `${ip} saddr . ${ip} daddr . meta l4proto . th dport`;
  }
}

/** The maps and sets of a table, in the order in which they are made. */
export function mapShapes(family: Family): ReadonlyMap<MapName, MapShape> {
  const ip = nftFamily(family);
  const frontend = fieldsText('frontend', ip);
  const nodePort = fieldsText('node-port', ip);
  const slot = ' . numgen random mod 65536';
  const verdicts = { kind: 'map', value: 'verdict' } as const;
  return new Map<MapName, MapShape>([
    ['services', { ...verdicts, key: frontend, about: 'address . protocol . port of Services' }],
    ['node-ports', { ...verdicts, key: nodePort, about: 'protocol . port of Services on nodes' }],
    ...PROTOCOLS.flatMap(({ prefix, name }) => {
      const map = { kind: 'map', value: `${ip} daddr . ${name} dport` } as const;
      const slots = (key: string, about: string): MapShape => ({ ...map, key: key + slot, about });
      return [
        [`${prefix}slots`, slots(frontend, `the endpoints of each address (${name})`)],
        [`${prefix}local-slots`, slots(frontend, 'its endpoints on this node (policy Local)')],
        [`${prefix}node-port-slots`, slots(nodePort, 'the same for node ports')],
        [`${prefix}node-port-local-slots`, slots(nodePort, 'and on this node')],
      ] as const;
    }),
    ['closed', { ...verdicts, key: frontend, about: 'addresses with nowhere to go' }],
    ['closed-node-ports', { ...verdicts, key: nodePort, about: 'node ports with nowhere to go' }],
    ['guarded', { kind: 'set', key: frontend, about: 'addresses with source ranges' }],
    [
      'allowed',
      {
        kind: 'set',
        key: fieldsText('frontend-source', ip),
        flags: 'interval',
        about: 'and who may send to them',
      },
    ],
    [
      'hairpin',
      {
        kind: 'set',
        key: fieldsText('flow', ip),
        about: 'endpoints of this node, which may reach themselves',
      },
    ],
  ]);
}

/** The chains at the hooks, each after those it goes to. */
export function frameOf(view: FamilyView): readonly Chain[] {
  const toNodePorts: readonly Part[] = [
    { kind: 'to node' },
    { kind: 'destination', isIn: false, networks: [LOOPBACK[view.family]] },
    ...(view.nodePortAddresses === null
      ? []
      : [{ kind: 'destination', isIn: true, networks: view.nodePortAddresses } as const]),
  ];
  // An empty list of networks: node ports are not served in this family.
  const servesNodePorts = view.nodePortAddresses === null || view.nodePortAddresses.length > 0;
  const nodePorts = (map: MapName): readonly Rule[] =>
    servesNodePorts ? [[...toNodePorts, { kind: 'look up', map, by: 'node-port' }]] : [];
  const unknown: readonly Rule[] =
    view.serviceCidrs.length === 0
      ? []
      : [
          [
            { kind: 'destination', isIn: true, networks: view.serviceCidrs },
            { kind: 'goto', chain: 'refuse' },
          ],
        ];
  const newTo = (chain: string): readonly Rule[] => [[{ kind: 'new' }, { kind: 'jump', chain }]];
  const translate: readonly Rule[] = [[{ kind: 'jump', chain: 'find-service' }]];
  return [
    { name: 'refuse', rules: [[{ kind: 'reset' }], [{ kind: 'reject' }]] },
    {
      name: 'guard',
      comment: 'loadBalancerSourceRanges',
      rules: [
        [
          { kind: 'found', isIn: true, map: 'guarded', by: 'frontend' },
          { kind: 'found', isIn: false, map: 'allowed', by: 'frontend-source' },
          { kind: 'drop' },
        ],
      ],
    },
    {
      name: 'find-service',
      rules: [[{ kind: 'look up', map: 'services', by: 'frontend' }], ...nodePorts('node-ports')],
    },
    {
      name: 'untranslated',
      comment: 'what is still addressed to a Service has nowhere to go',
      rules: [
        [{ kind: 'look up', map: 'closed', by: 'frontend' }],
        ...nodePorts('closed-node-ports'),
        ...unknown,
      ],
    },
    hook('guard-prerouting', 'filter', 'prerouting', BEFORE_DNAT, newTo('guard')),
    hook('guard-output', 'filter', 'output', BEFORE_DNAT, newTo('guard')),
    hook('nat-prerouting', 'nat', 'prerouting', DNAT, translate),
    hook('nat-output', 'nat', 'output', DNAT, translate),
    hook('filter-input', 'filter', 'input', FILTER, newTo('untranslated')),
    hook('filter-forward', 'filter', 'forward', FILTER, newTo('untranslated')),
    hook('filter-output', 'filter', 'output', FILTER, newTo('untranslated')),
    hook('nat-postrouting', 'nat', 'postrouting', SNAT, [
      [{ kind: 'marked' }, { kind: 'unmark' }, { kind: 'masquerade' }],
      [
        { kind: 'translated' },
        { kind: 'found', isIn: true, map: 'hairpin', by: 'flow' },
        { kind: 'masquerade' },
      ],
    ]),
  ];
}

function hook(
  name: string,
  type: 'filter' | 'nat',
  at: 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting',
  priority: number,
  rules: readonly Rule[],
): Chain {
  return { name, hook: { type, hook: at, priority }, rules };
}
