// Flows of UDP that the kernel goes on sending to where nobody is any more: when endpoints go, and when
// the first one comes, what is remembered of a Service's datagrams has to be forgotten. TCP ends by itself.

import type { PacketView, PortView } from '../lower/packets.ts';

/** Arguments of `conntrack`, one list for each kind of flow to be forgotten. */
export function staleFlows(
  before: PacketView | undefined,
  after: PacketView,
  nodeAddresses: readonly string[],
): readonly (readonly string[])[] {
  const commands: (readonly string[])[] = [];
  for (const family of after.families) {
    const old = before?.families.find((f) => f.family === family.family);
    const known = new Map(old?.ports.map((port) => [port.id, port]));
    for (const port of family.ports) {
      const last = known.get(port.id);
      known.delete(port.id);
      if (port.protocol !== 'UDP' || last === port) continue;
      commands.push(...forget(last, port, nodeAddresses, family.family));
    }
    for (const gone of known.values()) {
      if (gone.protocol === 'UDP') {
        commands.push(
          ...forget(gone, { ...gone, cluster: [], local: [] }, nodeAddresses, family.family),
        );
      }
    }
  }
  return commands;
}

function forget(
  before: PortView | undefined,
  after: PortView,
  nodeAddresses: readonly string[],
  family: 'ipv4' | 'ipv6',
): readonly (readonly string[])[] {
  const serving = new Set([...after.cluster, ...after.local].map((e) => e.address));
  const had = new Set([...(before?.cluster ?? []), ...(before?.local ?? [])].map((e) => e.address));
  const gone = [...had].filter((address) => !serving.has(address));
  const frontends = new Map(
    [...after.frontends, ...(before?.frontends ?? [])].flatMap(({ address, port }) => {
      const isOfFamily = (a: string): boolean => a.includes(':') === (family === 'ipv6');
      const addresses = address === '' ? nodeAddresses.filter(isOfFamily) : [address];
      return addresses.map((a) => [`${a} ${port}`, { address: a, port }] as const);
    }),
  );
  const base = ['-D', '-f', family, '-p', 'udp'];
  return [...frontends.values()].flatMap(({ address, port }) => {
    const dialled = [...base, '--orig-dst', address, '--orig-port-dst', String(port)];
    // Until now there was nobody, so what is remembered leads nowhere.
    if (had.size === 0 && serving.size > 0) return [dialled];
    return gone.map((endpoint) => [...dialled, '--reply-src', endpoint]);
  });
}
