// Flows of UDP that the kernel goes on sending to where nobody is any more: what `conntrack` lists, beside
// the endpoints that serve → what it has to forget. TCP ends by itself. Every round compares with what
// there is, not with the round before, so flows from before a restart are found as well.

import type { Family } from '../lib/cidr.ts';
import { joinHostPort } from '../lib/cidr.ts';
import type { FamilyView } from '../lower/packets.ts';

/** Arguments of `conntrack` that list the flows of UDP. */
export function listArguments(family: Family): readonly string[] {
  return ['-L', '-f', family, '-p', 'udp'];
}

/** Whether flows may have become stale between two views: whether anything of UDP is not as it was. */
export function concernsUdp(before: FamilyView | undefined, after: FamilyView): boolean {
  const known = new Set(before?.ports.filter(({ protocol }) => protocol === 'UDP'));
  const now = after.ports.filter(({ protocol }) => protocol === 'UDP');
  return now.length !== known.size || now.some((port) => !known.has(port));
}

/**
 * Arguments of `conntrack`, one list for all flows of one address that go to one place. Of Services without
 * an endpoint nothing is forgotten: there is nowhere else to go.
 */
export function staleFlows(
  { family, ports }: FamilyView,
  listed: string,
  nodeAddresses: readonly string[],
): readonly (readonly string[])[] {
  const serving = new Map<string, ReadonlySet<string>>();
  for (const port of ports) {
    if (port.protocol !== 'UDP' || port.serving.length === 0) continue;
    const ends = new Set(port.serving.map((e) => joinHostPort(e.address, e.port)));
    for (const frontend of port.frontends) {
      const addresses = frontend.address === '' ? nodeAddresses : [frontend.address];
      for (const address of addresses) serving.set(joinHostPort(address, frontend.port), ends);
    }
  }
  const stale = new Map<string, readonly string[]>();
  for (const line of listed.split('\n')) {
    const flow = flowIn(line);
    if (flow === undefined) continue;
    const ends = serving.get(joinHostPort(flow.address, flow.port));
    const end = joinHostPort(flow.end, flow.endPort);
    if (ends === undefined || ends.has(end)) continue;
    stale.set(`${flow.address} ${flow.port} ${end}`, [
      '-D',
      '-f',
      family,
      '-p',
      'udp',
      '--orig-dst',
      flow.address,
      '--orig-port-dst',
      String(flow.port),
      '--reply-src',
      flow.end,
      '--reply-port-src',
      String(flow.endPort),
    ]);
  }
  return [...stale.values()];
}

interface Flow {
  /** Who was dialled. */
  readonly address: string;
  readonly port: number;
  /** Who answers. */
  readonly end: string;
  readonly endPort: number;
}

/** `udp 17 29 src=A dst=VIP sport=1 dport=53 [UNREPLIED] src=POD dst=A sport=53 dport=1 …` */
function flowIn(line: string): Flow | undefined {
  if (!line.startsWith('udp')) return undefined;
  const values = (name: string): readonly string[] =>
    Array.from(line.matchAll(new RegExp(`\\b${name}=(\\S+)`, 'g')), ([, value = '']) => value);
  const [address] = values('dst');
  const [port] = values('dport');
  const [, end] = values('src');
  const [, endPort] = values('sport');
  if (address === undefined || port === undefined) return undefined;
  if (end === undefined || endPort === undefined) return undefined;
  return { address, port: Number(port), end, endPort: Number(endPort) };
}
