// The kind Node.

import { defineKind } from '../kind.ts';
import type { Column } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { def, described, object, oneOf, opt, string } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { canonical } from './canonical.ts';
import { isObject } from './defaulting.ts';
import { atomicList, checked, flag, requiredText, setList, text, time } from './fields.ts';
import { checkNode } from './checks/node-check.ts';
import { NodeConfigSource, NodeStatus } from './node-status.ts';
import { TAINT_EFFECTS } from './scheduling.ts';

const Taint = object({
  key: requiredText('Key of the taint.'),
  value: opt(text('Value of the taint.')),
  effect: oneOf(TAINT_EFFECTS, { doc: 'What happens to pods that do not tolerate it.' }),
  timeAdded: opt(time('When it was set.')),
});

const NodePodPreemptionPolicy = object({
  disableResizePreemption: opt(
    setList(string(), 'Who keeps pods from being preempted for a resize on this node.'),
  ),
});

const NodeSpec = object({
  podCIDR: opt(text('The network pods of the node get addresses from.')),
  podCIDRs: opt(setList(string(), 'The same for each family; the first is podCIDR.')),
  providerID: opt(text('ID of the machine at its cloud, as provider://id.')),
  unschedulable: opt(flag('No new pods are put on the node.')),
  taints: opt(atomicList(Taint, 'What keeps pods off the node.')),
  configSource: opt(described(NodeConfigSource, 'No longer supported.')),
  externalID: opt(text('No longer used.')),
  podPreemptionPolicy: opt(
    described(NodePodPreemptionPolicy, 'What may be done to pods of the node.'),
  ),
});

const shape = object({
  ...typeMeta,
  metadata: def(ObjectMeta, {}),
  spec: def(described(NodeSpec, 'How the node is used.'), {}),
  status: def(described(NodeStatus, 'What is known of it.'), {}),
});
export type Node = Infer<typeof shape>;

function nodeDefaults(node: Node): Node {
  const spec = isObject(node.spec) ? linkCidrs(node.spec) : node.spec;
  const { status } = node;
  const fills = isObject(status) && status.allocatable === undefined && isObject(status.capacity);
  if (spec === node.spec && !fills) return node;
  return {
    ...node,
    spec,
    status: fills ? { ...status, allocatable: { ...status.capacity } } : status,
  };
}

/** podCIDR and podCIDRs say the same: whichever is absent comes from the other. */
function linkCidrs(spec: Node['spec']): Node['spec'] {
  const [first] = Array.isArray(spec.podCIDRs) ? (spec.podCIDRs as readonly string[]) : [];
  if (first === undefined) {
    return spec.podCIDR === undefined ? spec : { ...spec, podCIDRs: [spec.podCIDR] };
  }
  return spec.podCIDR === undefined ? { ...spec, podCIDR: first } : spec;
}

/** A node keeps the networks and the machine it was given. */
function nodeCarryOver(old: Node, wanted: Node): Node {
  const { podCIDR, podCIDRs, providerID } = old.spec;
  const kept = {
    ...(podCIDR === undefined ? {} : { podCIDR }),
    ...(podCIDRs === undefined ? {} : { podCIDRs }),
    ...(providerID === undefined ? {} : { providerID }),
  };
  return { ...wanted, spec: { ...kept, ...wanted.spec } };
}

const columns: readonly Column[] = [
  { name: 'Status', type: 'string', value: status },
  { name: 'Roles', type: 'string', value: roles },
  {
    name: 'Version',
    type: 'string',
    value: ({ status: { nodeInfo } }: Node) => nodeInfo.kubeletVersion,
  },
  { name: 'Internal-IP', type: 'string', priority: 1, value: address('InternalIP') },
  { name: 'External-IP', type: 'string', priority: 1, value: address('ExternalIP') },
  {
    name: 'OS-Image',
    type: 'string',
    priority: 1,
    value: ({ status: { nodeInfo } }: Node) => nodeInfo.osImage || '<unknown>',
  },
  { name: 'Kernel-Version', type: 'string', priority: 1, value: kernelVersion },
  {
    name: 'Container-Runtime',
    type: 'string',
    priority: 1,
    value: ({ status: { nodeInfo } }: Node) => nodeInfo.containerRuntimeVersion || '<unknown>',
  },
];

/** `Ready,SchedulingDisabled` */
function status(node: Node): string {
  const ready = node.status.conditions?.findLast((condition) => condition.type === 'Ready');
  const first = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return node.spec.unschedulable === true ? `${first},SchedulingDisabled` : first;
}

const ROLE_PREFIX = 'node-role.kubernetes.io/';

function roles({ metadata: { labels = {} } }: Node): string | undefined {
  const found = new Set<string>();
  for (const key of Object.keys(labels)) {
    if (key.startsWith(ROLE_PREFIX)) found.add(key.slice(ROLE_PREFIX.length));
    else if (key === 'kubernetes.io/role') found.add(labels[key] ?? '');
  }
  found.delete('');
  return found.size > 0 ? [...found].toSorted().join(',') : undefined;
}

function address(type: string): (node: Node) => string | undefined {
  return (node) => node.status.addresses?.find((candidate) => candidate.type === type)?.address;
}

/** `6.12.0 (amd64)` */
function kernelVersion({ status: { nodeInfo } }: Node): string {
  const version = nodeInfo.kernelVersion || '<unknown>';
  return nodeInfo.architecture === '' ? version : `${version} (${nodeInfo.architecture})`;
}

export const Node = defineKind<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  shortNames: ['no'],
  namespaced: false,
  doc: 'A machine that pods run on.',
  schema: checked(shape, checkNode),
  hasStatus: true,
  columns,
  setDefaults: (node) => nodeDefaults(canonical(shape, node)),
  carryOver: nodeCarryOver,
});
