// What the kernel of a node would do with packets → what relays in user space do in its place. A relay is who an
// endpoint sees, and it knows its clients by their addresses alone: under external policy Local it serves
// everybody from the endpoints of this node, or, where there are none, pods and the node from all.

import { familyOf, isIn } from '../lib/cidr.ts';
import type { NodeFacts } from '../model/node.ts';
import type { FamilyView, PacketFrontend, PacketView, PortView } from './packets.ts';
import type { FrontendView, ServiceView } from './view.ts';

const LOOPBACK = ['127.0.0.0/8', '::1/128'];
const memo = new WeakMap<PortView, { readonly node: NodeFacts; readonly service: ServiceView }>();

/** Services as relays carry them; what did not change is the same object. */
export function relayServices(view: PacketView, node: NodeFacts): readonly ServiceView[] {
  return view.families.flatMap((family) =>
    family.ports.map((port) => {
      const known = memo.get(port);
      if (known?.node === node) return known.service;
      const service: ServiceView = {
        id: port.id,
        service: port.service,
        protocol: port.protocol,
        affinitySeconds: port.affinitySeconds,
        frontends: port.frontends.flatMap((frontend) => frontendsOf(port, frontend, family, node)),
        origin: port.origin,
      };
      memo.set(port, { node, service });
      return service;
    }),
  );
}

function frontendsOf(
  port: PortView,
  frontend: PacketFrontend,
  { family, nodePortAddresses }: FamilyView,
  node: NodeFacts,
): readonly FrontendView[] {
  const { kind, address, sources } = frontend;
  const { outside, pod } = frontend.treatment;
  const isForInside = outside.to === 'drop' && pod.to === 'cluster';
  const to = isForInside ? 'cluster' : outside.to;
  const inside = [...node.podCidrs, ...node.addresses, ...LOOPBACK];
  const own = node.addresses.filter(
    (a) => familyOf(a) === family && (nodePortAddresses === null || isIn(a, nodePortAddresses)),
  );
  return (kind === 'nodePort' ? own : [address]).map((at) => ({
    kind,
    address: at,
    port: frontend.port,
    fate: to === 'reject' || to === 'drop' ? to : 'forward',
    endpoints: to === 'reject' || to === 'drop' ? [] : port[to],
    sources: [...(sources === null ? [] : [sources]), ...(isForInside ? [inside] : [])],
  }));
}
