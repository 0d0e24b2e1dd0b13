// Where a pod may run: affinity, tolerations, spreading.

import { described, integer, object, oneOf, opt, requiredDef } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { LabelSelector } from '../meta.ts';
import { atomicList, choice, int32, int64, requiredText, text, texts } from './fields.ts';

export const TAINT_EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const;

const NodeSelectorRequirement = object({
  key: requiredText('The label or field.'),
  operator: requiredText('In, NotIn, Exists, DoesNotExist, Gt or Lt.'),
  values: opt(texts('What is compared with: one number for Gt and Lt, none for Exists.')),
});
export type NodeSelectorRequirement = Infer<typeof NodeSelectorRequirement>;

const NodeSelectorTerm = object(
  {
    matchExpressions: opt(atomicList(NodeSelectorRequirement, 'Requirements on labels.')),
    matchFields: opt(atomicList(NodeSelectorRequirement, 'Requirements on metadata.name.')),
  },
  { atomic: true },
);
export type NodeSelectorTerm = Infer<typeof NodeSelectorTerm>;

const NodeSelector = object(
  {
    nodeSelectorTerms: requiredDef(
      atomicList(NodeSelectorTerm, 'Terms of which one has to match.'),
      [],
    ),
  },
  { atomic: true },
);

/** The weight of a preference. */
const weight = requiredDef(integer({ format: 'int32', doc: 'Weight from 1 to 100.' }), 0);

const PreferredSchedulingTerm = object({
  weight,
  preference: requiredDef(described(NodeSelectorTerm, 'The nodes that are preferred.'), {}),
});

const NodeAffinity = object({
  requiredDuringSchedulingIgnoredDuringExecution: opt(
    described(NodeSelector, 'Nodes the pod may be put on.'),
  ),
  preferredDuringSchedulingIgnoredDuringExecution: opt(
    atomicList(PreferredSchedulingTerm, 'Nodes the pod is rather put on; weights add up.'),
  ),
});

const PodAffinityTerm = object({
  labelSelector: opt(described(LabelSelector, 'The other pods; none when absent.')),
  namespaces: opt(texts('Namespaces of the other pods; that of the pod when absent.')),
  topologyKey: requiredText('The node label whose values make up the places.'),
  namespaceSelector: opt(described(LabelSelector, 'Further namespaces of the other pods.')),
  matchLabelKeys: opt(texts('Labels in which the other pods equal this one.')),
  mismatchLabelKeys: opt(texts('Labels in which the other pods differ from this one.')),
});
export type PodAffinityTerm = Infer<typeof PodAffinityTerm>;

const WeightedPodAffinityTerm = object({
  weight,
  podAffinityTerm: requiredDef(described(PodAffinityTerm, 'The other pods and the places.'), {}),
});

const PodAffinity = object({
  requiredDuringSchedulingIgnoredDuringExecution: opt(
    atomicList(PodAffinityTerm, 'Pods that must be in the same place.'),
  ),
  preferredDuringSchedulingIgnoredDuringExecution: opt(
    atomicList(WeightedPodAffinityTerm, 'Pods that should be in the same place.'),
  ),
});
export type PodAffinity = Infer<typeof PodAffinity>;

const PodAntiAffinity = object({
  requiredDuringSchedulingIgnoredDuringExecution: opt(
    atomicList(PodAffinityTerm, 'Pods that must not be in the same place.'),
  ),
  preferredDuringSchedulingIgnoredDuringExecution: opt(
    atomicList(WeightedPodAffinityTerm, 'Pods that should not be in the same place.'),
  ),
});

export const Affinity = object({
  nodeAffinity: opt(described(NodeAffinity, 'Nodes the pod is drawn to.')),
  podAffinity: opt(described(PodAffinity, 'Pods the pod is drawn to.')),
  podAntiAffinity: opt(described(PodAntiAffinity, 'Pods the pod keeps away from.')),
});
export type Affinity = Infer<typeof Affinity>;

export const Toleration = object({
  key: opt(text('Key of the taint; every key when absent, with operator Exists.')),
  operator: opt(
    choice<'Equal' | 'Exists' | 'Lt' | 'Gt'>(
      'How value is compared: Equal, Exists, Lt or Gt; Equal when absent.',
    ),
  ),
  value: opt(text('Value of the taint; none with operator Exists.')),
  effect: opt(oneOf(TAINT_EFFECTS, { doc: 'Effect of the taint; every effect when absent.' })),
  tolerationSeconds: opt(int64('Seconds a NoExecute taint is borne; for ever when absent.')),
});
export type Toleration = Infer<typeof Toleration>;

/** What happens to nodes that do not match the pod when domains are counted. */
const inclusionPolicies = ['Honor', 'Ignore'] as const;

export const TopologySpreadConstraint = object({
  maxSkew: requiredDef(int32('By how many pods two places may differ.'), 0),
  topologyKey: requiredText('The node label whose values make up the places.'),
  whenUnsatisfiable: oneOf(['DoNotSchedule', 'ScheduleAnyway'], {
    doc: 'Whether a pod waits when the skew would grow too large.',
  }),
  labelSelector: opt(described(LabelSelector, 'The pods that are counted.')),
  minDomains: opt(int32('The least number of places the pods are spread over.')),
  nodeAffinityPolicy: opt(
    oneOf(inclusionPolicies, { doc: 'Whether nodes the pod may not be put on count; Honor.' }),
  ),
  nodeTaintsPolicy: opt(
    oneOf(inclusionPolicies, { doc: 'Whether nodes with untolerated taints count; Ignore.' }),
  ),
  matchLabelKeys: opt(texts('Labels in which counted pods equal this one.')),
});
export type TopologySpreadConstraint = Infer<typeof TopologySpreadConstraint>;

export const PodSchedulingGate = object({
  name: requiredText('Name of the gate; whoever set it takes it away.'),
});

export const PodSchedulingGroup = object({
  podGroupName: opt(text('Name of the PodGroup the pod is scheduled with.')),
});

export const PodResourceClaim = object({
  name: requiredText('Name containers refer to the claim by.'),
  resourceClaimName: opt(text('Name of a ResourceClaim in the namespace.')),
  resourceClaimTemplateName: opt(text('Name of the template a claim is made from for the pod.')),
});

export const EvictionResponder = object(
  {
    name: requiredText('Name of the responder, as example.com/saver.'),
    priority: requiredDef(int32('Responders of high priority come first; 0 to 100000.'), 0),
  },
  { atomic: true },
);

export const PodReadinessGate = object({
  conditionType: requiredText('A condition that must be True before the pod is ready.'),
});

export const PodOS = object({
  name: oneOf(['linux', 'windows'], { doc: 'Operating system of the containers.' }),
});

export const HostAlias = object({
  ip: requiredText('Address of the line in /etc/hosts.'),
  hostnames: opt(texts('Names on that line.')),
});

const PodDNSConfigOption = object({
  name: opt(text('Name of the option, as ndots.')),
  value: opt(text('Its value.')),
});

export const PodDNSConfig = object({
  nameservers: opt(texts('Addresses of name servers.')),
  searches: opt(texts('Domains that short names are tried in.')),
  options: opt(atomicList(PodDNSConfigOption, 'Options of the resolver.')),
});
export type PodDNSConfig = Infer<typeof PodDNSConfig>;
