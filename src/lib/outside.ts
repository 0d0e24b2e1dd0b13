// What counts as outside: names and addresses that somebody who writes objects may send a gateway to.
// A gateway reaches more than those who configure it may: itself, the machine, what a cloud tells its
// machines, the cluster. Those are never outside unless the one who runs the gateway says so.

import { isIn } from './cidr.ts';

/** What the one who runs a gateway says of networks. */
export interface OutsideRules {
  /** Outside, whatever else is said. */
  readonly allow: readonly string[];
  /** Not outside, besides those that never are: the networks of the cluster. */
  readonly deny: readonly string[];
}

/** Networks that are somebody's own (RFC 6890), by what is there. The first that fits says it best. */
const NEVER_OUTSIDE: readonly (readonly [string, readonly string[]])[] = [
  [
    'where a cloud tells its machines their secrets',
    // Several clouds, Alibaba Cloud, Oracle Cloud, the host agent of Azure, AWS.
    [
      '169.254.169.254/32',
      '100.100.100.200/32',
      '192.0.0.192/32',
      '168.63.129.16/32',
      'fd00:ec2::254/128',
    ],
  ],
  ['the machine itself', ['0.0.0.0/8', '127.0.0.0/8', '::/128', '::1/128']],
  ['of the local link or site', ['169.254.0.0/16', 'fe80::/10', 'fec0::/10']],
  ['of many at once, or of nobody', ['224.0.0.0/4', '240.0.0.0/4', 'ff00::/8']],
  [
    // What it leads to depends on who translates.
    'an IPv4 address in disguise',
    ['64:ff9b::/96', '64:ff9b:1::/48', '2001::/32', '2002::/16'],
  ],
];

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const MAPPED_NETWORK = ['::ffff:0:0/96'];

/** Whether requests may be sent to an address that a name has led to. */
export function isOutside(address: string, rules: OutsideRules): boolean {
  return whyInside(address, rules) === undefined;
}

/** What an address is that is not outside, to follow `127.0.0.1 is `; undefined when it is outside. */
export function whyInside(address: string, { allow, deny }: OutsideRules): string | undefined {
  const plain = MAPPED.exec(address)?.[1] ?? address;
  if (isIn(plain, MAPPED_NETWORK)) return 'an IPv4 address in disguise';
  if (isIn(plain, allow)) return undefined;
  if (isIn(plain, deny)) return 'in a network of the cluster, or one that is denied';
  return NEVER_OUTSIDE.find(([, networks]) => isIn(plain, networks))?.[0];
}

const LABEL = /^[a-z0-9_](?:[-a-z0-9_]{0,61}[a-z0-9_])?$/;

/** Why a name cannot be that of a host outside; undefined when it can. In lower case, without a last dot. */
export function nameTrouble(name: string): string | undefined {
  const labels = name.split('.');
  if (name.length > 253 || labels.some((label) => !LABEL.test(label))) {
    return 'it is no DNS name';
  }
  if (/^\d+$/.test(labels.at(-1) ?? '')) return 'it is an address, not a name';
  if (labels.at(-1) === 'localhost') return 'it is the machine itself';
  if (name.endsWith('.cluster.local') || labels.at(-1) === 'svc') {
    return 'it is a name of the cluster: use the Service itself';
  }
  return undefined;
}

/** As names are compared: lower case, without the dot at the end. */
export function normalizeName(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}
