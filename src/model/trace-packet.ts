// The reference answer for packets: what Kubernetes says becomes of one on a node, worked out from the
// model alone, one packet at a time. Slow and plain on purpose: every target is measured by it.

import { familyOf, isIn, joinHostPort } from '../lib/cidr.ts';
import type { Step } from './answer.ts';
import type { Endpoint, Frontend, Model, ServicePort } from './model.ts';
import type { NodeFacts, SourceKind } from './node.ts';
import type { PacketAnswer, PacketFate, PacketProbe } from './packet.ts';

const LOOPBACK = ['127.0.0.0/8', '::1/128'];
/** Where two Services claim the same address and port: a cluster IP is never taken away from its owner. */
const PRECEDENCE: readonly Frontend['kind'][] = [
  'clusterIP',
  'loadBalancer',
  'externalIP',
  'nodePort',
];

/** What becomes of a packet on a node, and why. */
export function tracePacket(model: Model, node: NodeFacts, probe: PacketProbe): PacketAnswer {
  const steps: Step[] = [];
  const note = (stage: Step['stage'], what: string, because: string, port?: ServicePort): void =>
    void steps.push({
      stage,
      verdict: 'taken',
      what,
      because,
      ...(port === undefined ? {} : { origin: port.origin }),
    });
  const found = findFrontend(model, node, probe);
  if (found === undefined) {
    if (isIn(probe.address, node.serviceCidrs)) {
      note('result', 'refused', `no Service has ${joinHostPort(probe.address, probe.port)}`);
      return { fate: { kind: 'reject' }, steps };
    }
    note('result', 'passed on', 'no Service has to do with it');
    return { fate: { kind: 'pass' }, steps };
  }
  const { port, frontend } = found;
  note('entry point', `${frontend.kind} of Service ${port.id}`, 'it has the address dialled', port);
  const fate = decide(port, frontend, node, probe, note);
  return { fate, steps };
}

type Note = (stage: Step['stage'], what: string, because: string, port?: ServicePort) => void;

function decide(
  port: ServicePort,
  frontend: Frontend,
  node: NodeFacts,
  probe: PacketProbe,
  note: Note,
): PacketFate {
  const family = familyOf(probe.address);
  const ofFamily = port.endpoints.filter((e) => familyOf(e.address) === family);
  const usable = usableOf(ofFamily);
  if (usable.length === 0) {
    note('result', 'refused', 'no endpoint is ready', port);
    return { kind: 'reject' };
  }
  if (frontend.kind === 'loadBalancer' && !isAllowed(port, frontend, node, probe)) {
    note('result', 'dropped', `${probe.source} is in none of the source ranges`, port);
    return { kind: 'drop' };
  }
  const from = sourceKind(node, probe);
  const isInternal = frontend.kind === 'clusterIP';
  const policy = isInternal ? port.internalPolicy : port.externalPolicy;
  // Pods and the node itself reach every endpoint through external addresses, whatever the policy.
  const onlyLocal = policy === 'Local' && (isInternal || from === 'outside');
  const endpoints = onlyLocal
    ? usableOf(ofFamily.filter((e) => e.node === node.name))
    : byTopology(usable, node);
  if (endpoints.length === 0) {
    note('result', 'dropped', `the policy is Local and no endpoint is on ${node.name}`, port);
    return { kind: 'drop' };
  }
  const masquerades = isInternal
    ? node.masqueradeAll || (from !== 'pod' && node.podCidrs.some((c) => familyOf(c) === family))
    : policy === 'Cluster' || from === 'node';
  const names = endpoints.map((e) => joinHostPort(e.address, e.port)).toSorted();
  const hairpin = endpoints
    .filter((e) => e.address === probe.source && e.node === node.name)
    .map((e) => joinHostPort(e.address, e.port));
  note('backend', names.join(', '), onlyLocal ? 'endpoints of this node' : 'endpoints', port);
  return {
    kind: 'forward',
    endpoints: names,
    masqueraded: masquerades ? names : hairpin.toSorted(),
    affinitySeconds: port.affinitySeconds,
  };
}

function findFrontend(
  model: Model,
  node: NodeFacts,
  probe: PacketProbe,
): { port: ServicePort; frontend: Frontend } | undefined {
  const isNodePort = isNodePortAddress(node, probe.address);
  for (const kind of PRECEDENCE) {
    for (const port of model.services) {
      if (port.protocol.toLowerCase() !== probe.transport) continue;
      const frontend = port.frontends.find(
        (f) =>
          f.kind === kind &&
          f.port === probe.port &&
          (kind === 'nodePort'
            ? isNodePort && hasFamily(port, probe.address)
            : f.address === probe.address),
      );
      if (frontend !== undefined) return { port, frontend };
    }
  }
  return undefined;
}

/** Node ports are served in the families of the Service's cluster IPs; without these, in both. */
function hasFamily({ frontends }: ServicePort, address: string): boolean {
  const clusterIPs = frontends.filter((f) => f.kind === 'clusterIP');
  return (
    clusterIPs.length === 0 || clusterIPs.some((f) => familyOf(f.address) === familyOf(address))
  );
}

function isNodePortAddress(node: NodeFacts, address: string): boolean {
  if (!node.addresses.includes(address) || isIn(address, LOOPBACK)) return false;
  const family = familyOf(address);
  const networks = node.nodePortAddresses.filter((n) => familyOf(n) === family);
  return node.nodePortAddresses.length === 0 || isIn(address, networks);
}

function sourceKind(node: NodeFacts, { source }: PacketProbe): SourceKind {
  if (isIn(source, node.podCidrs)) return 'pod';
  return node.addresses.includes(source) || isIn(source, LOOPBACK) ? 'node' : 'outside';
}

/** The ranges; and where the node is in them, the address itself, which it may dial itself from. */
function isAllowed(
  port: ServicePort,
  frontend: Frontend,
  node: NodeFacts,
  { source }: PacketProbe,
): boolean {
  const ranges = port.sourceRanges;
  if (ranges === undefined || isIn(source, ranges)) return true;
  const own = node.addresses.filter((a) => familyOf(a) === familyOf(frontend.address));
  return source === frontend.address && own.some((address) => isIn(address, ranges));
}

/** Ready endpoints; when there are none, those that end but still serve (KEP-1669). */
function usableOf(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const ready = endpoints.filter((e) => e.ready);
  return ready.length > 0 ? ready : endpoints.filter((e) => e.serving && e.terminating);
}

/** Hints count only when every endpoint has one and some are for this node, or else for its zone. */
function byTopology(endpoints: readonly Endpoint[], node: NodeFacts): readonly Endpoint[] {
  for (const [kind, own] of [
    ['nodes', node.name],
    ['zones', node.zone],
  ] as const) {
    const hinted = endpoints.every((e) => (e.hints?.[kind].length ?? 0) > 0);
    const mine = endpoints.filter((e) => own !== '' && e.hints?.[kind].includes(own) === true);
    if (hinted && mine.length > 0) return mine;
  }
  return endpoints;
}
