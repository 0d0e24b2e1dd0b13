// The targets that program a kernel, as tests that ask all of them want them.

import { familyOf, isIn, joinHostPort } from '../../src/lib/cidr.ts';
import type { PacketFrontend, PacketView } from '../../src/lower/packets.ts';
import type { NodeFacts } from '../../src/model/node.ts';
import type { PacketFate, PacketProbe } from '../../src/model/packet.ts';
import { compileIptables } from '../../src/targets/iptables/compile.ts';
import { traceIptables } from '../../src/targets/iptables/trace.ts';
import { compileIpvs } from '../../src/targets/ipvs/compile.ts';
import { traceIpvs } from '../../src/targets/ipvs/trace.ts';
import { compileNft } from '../../src/targets/nftables/compile.ts';
import { traceNft } from '../../src/targets/nftables/trace.ts';

export interface KernelTarget {
  readonly name: string;
  readonly trace: (view: PacketView, node: NodeFacts, probe: PacketProbe) => PacketFate;
  /** Where this target is another thing than the reference: its fate; null for what cannot be asked of it. */
  readonly instead?: (reference: PacketFate, question: Question) => PacketFate | null;
}

interface Question {
  readonly view: PacketView;
  readonly node: NodeFacts;
  readonly probe: PacketProbe;
}

export const KERNEL_TARGETS: readonly KernelTarget[] = [
  { name: 'nftables', trace: (view, node, probe) => traceNft(compileNft(view), node, probe) },
  {
    name: 'iptables',
    trace: (view, node, probe) => traceIptables(compileIptables(view), node, probe),
  },
  {
    name: 'ipvs',
    trace: (view, node, probe) =>
      traceIpvs(compileIpvs(view, { node, scheduler: 'rr' }), node, probe),
    instead: insteadByIpvs,
  },
];

/**
 * IPVS takes what is sent to the node itself, so the node has the addresses of Services, and a virtual server
 * has one list of endpoints for everybody who dials it.
 */
function insteadByIpvs(reference: PacketFate, { view, node, probe }: Question): PacketFate | null {
  const { ports } = view.families.find((f) => f.family === familyOf(probe.address))!;
  const bound = ports
    .flatMap(({ frontends }) => frontends.map((f) => f.address))
    .filter((address) => address !== '' && !node.addresses.includes(address));
  // Nobody else sends from an address that the node has.
  if (bound.includes(probe.source)) return null;
  // Other ports of an address of a Service do not get past the node.
  if (reference.kind === 'pass' && bound.includes(probe.address)) return { kind: 'reject' };
  if (reference.kind !== 'forward') return reference;
  const isAt = ({ kind, address, port }: PacketFrontend, protocol: string): boolean =>
    port === probe.port &&
    protocol.toLowerCase() === probe.transport &&
    (kind === 'nodePort' ? node.addresses.includes(probe.address) : address === probe.address);
  const found = ports
    .flatMap((port) => port.frontends.map((frontend) => ({ port, frontend })))
    .find(({ port, frontend }) => isAt(frontend, port.protocol))!;
  const { pod, outside } = found.frontend.treatment;
  const isPod = isIn(probe.source, node.podCidrs);
  const isOutside = !isPod && !node.addresses.includes(probe.source);
  if (isOutside || outside.to !== 'local' || pod.to !== 'cluster') return reference;
  // External policy Local, where the node has endpoints: pods and the node, too, reach these alone.
  const endpoints = found.port.local.map((e) => joinHostPort(e.address, e.port)).toSorted();
  const own = joinHostPort(probe.source, 0).slice(0, -1);
  const masqueraded = isPod ? endpoints.filter((e) => e.startsWith(own)) : endpoints;
  return { ...reference, endpoints, masqueraded };
}
