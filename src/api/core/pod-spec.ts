// The specification of a pod, put together from containers, volumes, security and scheduling.

import { def, described, map, object, oneOf, opt, requiredDef, string } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { LocalObjectReference } from '../meta.ts';
import { Container, EphemeralContainer } from './containers.ts';
import { atomicList, flag, int32, int64, keyed, text } from './fields.ts';
import { ResourceRequirements, resourceList } from './resources.ts';
import {
  Affinity,
  EvictionResponder,
  HostAlias,
  PodDNSConfig,
  PodOS,
  PodReadinessGate,
  PodResourceClaim,
  PodSchedulingGate,
  PodSchedulingGroup,
  Toleration,
  TopologySpreadConstraint,
} from './scheduling.ts';
import { PodSecurityContext } from './security.ts';
import { Volume } from './volumes.ts';

export const PodSpec = object({
  volumes: opt(keyed(Volume, { keys: ['name'], doc: 'Volumes the containers may mount.' })),
  initContainers: opt(
    keyed(Container, {
      keys: ['name'],
      doc: 'Containers that run to their end, one after the other, before the others start.',
    }),
  ),
  containers: requiredDef(
    keyed(Container, { keys: ['name'], doc: 'The containers of the pod; at least one.' }),
    [],
  ),
  ephemeralContainers: opt(
    keyed(EphemeralContainer, { keys: ['name'], doc: 'Containers added while the pod runs.' }),
  ),
  restartPolicy: def(
    oneOf(['Always', 'OnFailure', 'Never'], { doc: 'When containers that ended are restarted.' }),
    'Always',
  ),
  terminationGracePeriodSeconds: def(int64('Seconds the pod has to end in good order.'), 30),
  activeDeadlineSeconds: opt(int64('Seconds after which a running pod is ended.')),
  dnsPolicy: def(
    oneOf(['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'], {
      doc: 'Whether names are asked of the cluster DNS, of the node, or of dnsConfig alone.',
    }),
    'ClusterFirst',
  ),
  nodeSelector: opt(
    map(string(), { atomic: true, doc: 'Labels a node must have for the pod to run there.' }),
  ),
  serviceAccountName: opt(text('ServiceAccount the pod acts as; default when absent.')),
  serviceAccount: opt(text('Older name of serviceAccountName.')),
  automountServiceAccountToken: opt(flag('A token is put into every container.')),
  nodeName: opt(text('The node the pod runs on; filled in by the scheduler.')),
  hostNetwork: opt(flag('The pod shares the network of the node.')),
  hostPID: opt(flag('The pod sees the processes of the node.')),
  hostIPC: opt(flag('The pod shares the IPC namespace of the node.')),
  shareProcessNamespace: opt(flag("The containers see each other's processes.")),
  securityContext: def(
    described(PodSecurityContext, 'Identity of all containers and of volumes.'),
    {},
  ),
  imagePullSecrets: opt(
    keyed(LocalObjectReference, { keys: ['name'], doc: 'Secrets with which images are pulled.' }),
  ),
  hostname: opt(text('Host name of the pod; its own name when absent.')),
  subdomain: opt(text('Gives the pod a name below the headless Service of this name.')),
  affinity: opt(described(Affinity, 'Nodes and pods the pod is drawn to or keeps away from.')),
  schedulerName: def(text('The scheduler that places the pod.'), 'default-scheduler'),
  tolerations: opt(atomicList(Toleration, 'Taints that do not keep the pod off a node.')),
  hostAliases: opt(keyed(HostAlias, { keys: ['ip'], doc: 'Further lines of /etc/hosts.' })),
  priorityClassName: opt(text('PriorityClass of the pod.')),
  priority: opt(int32('Priority, filled in from the class.')),
  dnsConfig: opt(described(PodDNSConfig, 'Settings of the resolver beside those of dnsPolicy.')),
  readinessGates: opt(atomicList(PodReadinessGate, 'Conditions that readiness also needs.')),
  runtimeClassName: opt(text('RuntimeClass that runs the pod.')),
  enableServiceLinks: opt(flag('Services of the namespace appear as environment variables.')),
  preemptionPolicy: opt(
    oneOf(['PreemptLowerPriority', 'Never'], { doc: 'Whether it may push other pods away.' }),
  ),
  overhead: opt(resourceList('What running the pod costs beside its containers.')),
  topologySpreadConstraints: opt(
    keyed(TopologySpreadConstraint, {
      keys: ['topologyKey', 'whenUnsatisfiable'],
      mergeKey: 'topologyKey',
      doc: 'How evenly pods are spread over places.',
    }),
  ),
  setHostnameAsFQDN: opt(flag('The host name is the full name in the cluster domain.')),
  os: opt(described(PodOS, 'Operating system the pod needs.')),
  hostUsers: opt(flag('False gives the pod its own user IDs.')),
  schedulingGates: opt(
    keyed(PodSchedulingGate, { keys: ['name'], doc: 'The pod waits until there are none.' }),
  ),
  resourceClaims: opt(
    keyed(PodResourceClaim, { keys: ['name'], doc: 'Claims on devices for the containers.' }),
  ),
  resources: opt(described(ResourceRequirements, 'What all containers together may use.')),
  hostnameOverride: opt(text('Host name inside the pod; its DNS name stays.')),
  schedulingGroup: opt(described(PodSchedulingGroup, 'The group the pod is scheduled with.')),
  evictionResponders: opt(
    keyed(EvictionResponder, { keys: ['name'], doc: 'Who is asked before the pod is evicted.' }),
  ),
});
export type PodSpec = Infer<typeof PodSpec>;
