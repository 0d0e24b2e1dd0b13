// fairway explain tcp://ADDRESS:PORT --from ADDRESS: what becomes of a packet on a node, and why; and
// whether the rules each kernel target would write say the same.

import { lowerPackets } from '../lower/packets.ts';
import { FairwayError } from '../lib/errors.ts';
import type { PacketFate, PacketProbe } from '../model/packet.ts';
import { tracePacket } from '../model/trace-packet.ts';
import { formatPosition } from '../pipeline/locate.ts';
import { compileIptables } from '../targets/iptables/compile.ts';
import { traceIptables } from '../targets/iptables/trace.ts';
import { compileIpvs } from '../targets/ipvs/compile.ts';
import { traceIpvs } from '../targets/ipvs/trace.ts';
import { compileNft } from '../targets/nftables/compile.ts';
import { traceNft } from '../targets/nftables/trace.ts';
import { evaluateFiles } from './explain.ts';
import { evaluatedNode } from './node-facts.ts';
import type { NetworkFlags } from './node-facts.ts';
import { print } from './terminal.ts';

interface PacketFlags extends NetworkFlags {
  readonly from: string;
}

/** Answers, and gives 0 when an endpoint would get the packet, 1 when none would. */
export async function explainPacket(
  [url = '', ...paths]: readonly string[],
  flags: PacketFlags,
): Promise<number> {
  const probe = parsePacket(url, flags.from);
  const { facts, serviceCidr } = await evaluatedNode(flags);
  const { resolution, locate } = await evaluateFiles(paths, flags, serviceCidr);
  const { model } = resolution;
  const { fate, steps } = tracePacket(model, facts, probe);
  print(`${url} from ${flags.from} on node ${facts.name}`);
  print('');
  for (const { what, because, origin } of steps) {
    const { field = '', ...object } = origin ?? {};
    const position =
      origin === undefined ? undefined : locate({ object: object as typeof origin, field });
    print(`${what}: ${because}${position === undefined ? '' : `   ${formatPosition(position)}`}`);
  }
  print('');
  print(describe(fate));
  const view = lowerPackets(model, facts);
  const answers = {
    nftables: traceNft(compileNft(view), facts, probe),
    iptables: traceIptables(compileIptables(view), facts, probe),
    ipvs: traceIpvs(compileIpvs(view, { node: facts, scheduler: 'rr' }), facts, probe),
  };
  for (const [name, answer] of Object.entries(answers)) {
    const agrees = JSON.stringify(answer) === JSON.stringify(fate);
    print(`  the rules of ${name} ${agrees ? 'say the same' : `say: ${describe(answer)}`}`);
  }
  return fate.kind === 'forward' ? 0 : 1;
}

function parsePacket(url: string, source: string): PacketProbe {
  const match = /^(tcp|udp|sctp):\/\/(?:\[([^\]]+)\]|([^:/]+)):(\d{1,5})$/.exec(url);
  if (match === null) {
    throw new FairwayError('FW_USAGE', `${url} is no packet`, {
      hint: 'write it as tcp://10.96.0.1:80, udp://[fd00::1]:53 or sctp://…',
    });
  }
  const [, transport, v6, v4, port] = match;
  return {
    transport: transport as PacketProbe['transport'],
    source,
    address: v6 ?? v4 ?? '',
    port: Number(port),
  };
}

function describe(fate: PacketFate): string {
  switch (fate.kind) {
    case 'reject':
      return 'refused';
    case 'drop':
      return 'dropped';
    case 'pass':
      return 'passed on: no Service has to do with it';
    case 'forward': {
      const { endpoints, masqueraded, affinitySeconds } = fate;
      const seen =
        masqueraded.length === 0 ? '' : `; ${masqueraded.join(', ')} see the node's address`;
      const stays = affinitySeconds === 0 ? '' : `; the client stays for ${affinitySeconds} s`;
      return `sent to one of ${endpoints.join(', ')}${seen}${stays}`;
    }
  }
}
