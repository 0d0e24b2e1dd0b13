// The targets that program a kernel, as tests that ask all of them want them.

import { familyOf, isIn } from '../../src/lib/cidr.ts';
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
  /** Why the answer of this target is another one than the reference gives, by the nature of the target. */
  readonly differs?: (view: PacketView, node: NodeFacts, probe: PacketProbe) => string | null;
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
    differs: ipvsDiffers,
  },
];

/**
 * IPVS takes what is sent to the node itself, so the node has the addresses of Services, and a virtual server
 * has one list of endpoints for everybody who dials it.
 */
function ipvsDiffers(view: PacketView, node: NodeFacts, probe: PacketProbe): string | null {
  const family = view.families.find((f) => f.family === familyOf(probe.address))!;
  const addresses = family.ports
    .flatMap(({ frontends }) => frontends.map((f) => f.address))
    .filter((address) => address !== '' && !node.addresses.includes(address));
  if (addresses.includes(probe.source)) {
    return 'an address of a Service is of the node itself: nobody else sends from it';
  }
  const isAt = ({ kind, address, port }: PacketFrontend, protocol: string): boolean =>
    port === probe.port &&
    protocol.toLowerCase() === probe.transport &&
    (kind === 'nodePort' ? node.addresses.includes(probe.address) : address === probe.address);
  const found = family.ports
    .flatMap((port) => port.frontends.map((frontend) => ({ port, frontend })))
    .find(({ port, frontend }) => isAt(frontend, port.protocol));
  if (found === undefined) {
    return addresses.includes(probe.address)
      ? 'an address of a Service is of the node itself: other ports of it are refused'
      : null;
  }
  const { pod, outside } = found.frontend.treatment;
  const comesFromInside =
    isIn(probe.source, [...node.podCidrs, '127.0.0.0/8']) || node.addresses.includes(probe.source);
  return outside.to === 'local' && pod.to === 'cluster' && comesFromInside
    ? 'external policy Local binds pods and the node too, where the node has endpoints'
    : null;
}
