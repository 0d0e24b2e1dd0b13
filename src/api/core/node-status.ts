// What is known of a node.

import { def, described, object, opt, requiredDef } from '../schema/schema.ts';
import {
  atomicList,
  flag,
  int32,
  int64,
  keyed,
  requiredText,
  text,
  texts,
  time,
} from './fields.ts';
import { resourceList } from './resources.ts';

const NodeCondition = object({
  type: requiredText('What the condition is about, as Ready.'),
  status: requiredText('Whether it holds: True, False or Unknown.'),
  lastHeartbeatTime: opt(time('When the node last said so.')),
  lastTransitionTime: opt(time('When status last changed.')),
  reason: opt(text('Why, in one word for programs.')),
  message: opt(text('Why, in a sentence for people.')),
});

const NodeAddress = object({
  type: requiredText('Hostname, InternalIP, ExternalIP, InternalDNS or ExternalDNS.'),
  address: requiredText('The address or name.'),
});

const DaemonEndpoint = object({
  // Upper case by an old slip.
  Port: requiredDef(int32('Number of the port.'), 0),
});

const NodeDaemonEndpoints = object({
  kubeletEndpoint: def(described(DaemonEndpoint, 'Where the kubelet listens.'), { Port: 0 }),
});

const NodeSwapStatus = object({ capacity: opt(int64('Swap space in bytes.')) });

const NodeSystemInfo = object({
  machineID: requiredDef(text('ID of the machine, the same after a reboot.'), ''),
  systemUUID: requiredDef(text('UUID of the hardware.'), ''),
  bootID: requiredDef(text('ID of the running system, another after a reboot.'), ''),
  kernelVersion: requiredDef(text('Version of the kernel.'), ''),
  osImage: requiredDef(text('Name of the operating system.'), ''),
  containerRuntimeVersion: requiredDef(text('Name and version of the container runtime.'), ''),
  kubeletVersion: requiredDef(text('Version of the kubelet.'), ''),
  kubeProxyVersion: requiredDef(text('No longer filled in.'), ''),
  operatingSystem: requiredDef(text('linux or windows.'), ''),
  architecture: requiredDef(text('amd64, arm64 and so on.'), ''),
  swap: opt(described(NodeSwapStatus, 'Swap space of the node.')),
  runningInUserNamespace: opt(flag('The kubelet runs without root.')),
});

const ContainerImage = object({
  names: opt(texts('Names of the image.')),
  sizeBytes: opt(int64('Its size.')),
});

const AttachedVolume = object({
  name: requiredText('Name of the volume.'),
  devicePath: requiredDef(text('The device it is attached as.'), ''),
});

const NodeRuntimeHandlerFeatures = object({
  recursiveReadOnlyMounts: opt(flag('It can make mounts below a mount read-only.')),
  userNamespaces: opt(flag('It can give pods their own user IDs.')),
});

const NodeRuntimeHandler = object({
  name: opt(text('Name of the handler; empty for the default one.')),
  features: opt(described(NodeRuntimeHandlerFeatures, 'What it can do.')),
});

const NodeFeatures = object({
  supplementalGroupsPolicy: opt(flag('The runtime knows supplementalGroupsPolicy.')),
});

const ConfigMapNodeConfigSource = object({
  namespace: requiredText('Namespace of the ConfigMap.'),
  name: requiredText('Name of the ConfigMap.'),
  uid: opt(text('UID of the ConfigMap.')),
  resourceVersion: opt(text('Version of the ConfigMap.')),
  kubeletConfigKey: requiredText('The key with the configuration.'),
});

export const NodeConfigSource = object({
  configMap: opt(described(ConfigMapNodeConfigSource, 'The ConfigMap.')),
});

const NodeConfigStatus = object({
  assigned: opt(described(NodeConfigSource, 'No longer supported.')),
  active: opt(described(NodeConfigSource, 'No longer supported.')),
  lastKnownGood: opt(described(NodeConfigSource, 'No longer supported.')),
  error: opt(text('No longer supported.')),
});

export const NodeStatus = object({
  capacity: opt(resourceList('What the node has.')),
  allocatable: opt(resourceList('What of it pods may use.')),
  phase: opt(text('No longer filled in.')),
  conditions: opt(keyed(NodeCondition, { keys: ['type'], doc: 'What is known of the node.' })),
  addresses: opt(
    keyed(NodeAddress, {
      keys: ['type'],
      doc: 'Where the node can be reached; a type may come twice.',
    }),
  ),
  daemonEndpoints: def(described(NodeDaemonEndpoints, 'Where programs of the node listen.'), {}),
  nodeInfo: def(described(NodeSystemInfo, 'Versions and identity of the system.'), {}),
  images: opt(atomicList(ContainerImage, 'Images on the node.')),
  volumesInUse: opt(texts('Volumes pods of the node use.')),
  volumesAttached: opt(atomicList(AttachedVolume, 'Volumes attached to the node.')),
  config: opt(described(NodeConfigStatus, 'No longer supported.')),
  runtimeHandlers: opt(atomicList(NodeRuntimeHandler, 'What the container runtime can run.')),
  features: opt(described(NodeFeatures, 'What the container runtime can do.')),
  declaredFeatures: opt(texts('Features the kubelet has.')),
});
