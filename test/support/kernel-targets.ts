// The targets that program a kernel, as tests that ask all of them want them.

import type { PacketView } from '../../src/lower/packets.ts';
import type { NodeFacts } from '../../src/model/node.ts';
import type { PacketFate, PacketProbe } from '../../src/model/packet.ts';
import { compileIptables } from '../../src/targets/iptables/compile.ts';
import { traceIptables } from '../../src/targets/iptables/trace.ts';
import { compileNft } from '../../src/targets/nftables/compile.ts';
import { traceNft } from '../../src/targets/nftables/trace.ts';

export interface KernelTarget {
  readonly name: string;
  readonly trace: (view: PacketView, node: NodeFacts, probe: PacketProbe) => PacketFate;
}

export const KERNEL_TARGETS: readonly KernelTarget[] = [
  { name: 'nftables', trace: (view, node, probe) => traceNft(compileNft(view), node, probe) },
  {
    name: 'iptables',
    trace: (view, node, probe) => traceIptables(compileIptables(view), node, probe),
  },
];
