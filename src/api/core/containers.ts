// Containers of a pod: ordinary, init and ephemeral ones share all fields but one.

import { def, described, object, oneOf, opt, requiredDef } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { EnvFromSource, EnvVar } from './env.ts';
import {
  PROTOCOLS,
  atomicList,
  flag,
  int32,
  keyed,
  requiredText,
  setList,
  text,
  texts,
} from './fields.ts';
import { Lifecycle, Probe } from './probes.ts';
import { ContainerResizePolicy, ResourceRequirements } from './resources.ts';
import { SecurityContext } from './security.ts';

export const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'] as const;

const ContainerPort = object({
  name: opt(text('Name of the port, which Services and probes may refer to.')),
  hostPort: opt(int32('Port of the node that leads here; 0 for none.')),
  containerPort: requiredDef(int32('Port the container listens on.'), 0),
  protocol: def(oneOf(PROTOCOLS, { doc: 'Protocol of the port.' }), 'TCP'),
  hostIP: opt(text('Address of the node that hostPort is bound to.')),
});
export type ContainerPort = Infer<typeof ContainerPort>;

const VolumeMount = object({
  name: requiredText('Name of the volume.'),
  readOnly: opt(flag('The container cannot write to it.')),
  recursiveReadOnly: opt(
    oneOf(['Disabled', 'Enabled', 'IfPossible'], {
      doc: 'Whether mounts below are read-only too.',
    }),
  ),
  mountPath: requiredText('Where the volume appears in the container.'),
  subPath: opt(text('The part of the volume that is mounted; all of it when absent.')),
  mountPropagation: opt(
    oneOf(['Bidirectional', 'HostToContainer', 'None'], {
      doc: 'Whether later mounts are seen on the other side.',
    }),
  ),
  subPathExpr: opt(text('subPath with $(NAME) of the environment filled in.')),
  bindMountOptions: opt(
    setList(oneOf(['nodev', 'noexec', 'nosuid']), 'Further options of the mount.'),
  ),
});
export type VolumeMount = Infer<typeof VolumeMount>;

const VolumeDevice = object({
  name: requiredText('Name of the volume: a claim with volumeMode Block.'),
  devicePath: requiredText('Where the device appears in the container.'),
});

const RestartRuleOnExitCodes = object({
  operator: oneOf(['In', 'NotIn'], { doc: 'Whether the exit code has to be among the values.' }),
  values: opt(setList(int32('An exit code.'), 'The exit codes; 0 to 255.')),
});

const ContainerRestartRule = object({
  action: oneOf(['Restart', 'RestartAllContainers'], { doc: 'What happens on a match.' }),
  exitCodes: opt(described(RestartRuleOnExitCodes, 'Matches the exit code of the container.')),
});

const containerFields = {
  name: requiredText('Name of the container, unique in the pod.'),
  image: def(text('Image the container runs; required.'), ''),
  command: opt(texts('The program; the entry point of the image when absent.')),
  args: opt(texts('Arguments of the program; those of the image when absent.')),
  workingDir: opt(text('Directory the program starts in.')),
  ports: opt(
    keyed(ContainerPort, {
      keys: ['containerPort', 'protocol'],
      mergeKey: 'containerPort',
      doc: 'Ports the container listens on. Others can be reached as well.',
    }),
  ),
  envFrom: opt(atomicList(EnvFromSource, 'Sources whose keys all become variables.')),
  env: opt(
    keyed(EnvVar, { keys: ['name'], doc: 'Environment variables; the last of a name wins.' }),
  ),
  resources: def(described(ResourceRequirements, 'What the container asks for and may use.'), {}),
  resizePolicy: opt(
    atomicList(ContainerResizePolicy, 'What a change of resources does to the container.'),
  ),
  restartPolicy: opt(
    oneOf(['Always', 'Never', 'OnFailure'], {
      doc: 'When it is restarted. Always makes an init container a sidecar.',
    }),
  ),
  restartPolicyRules: opt(
    atomicList(ContainerRestartRule, 'Exceptions from restartPolicy; the first match counts.'),
  ),
  volumeMounts: opt(
    keyed(VolumeMount, {
      keys: ['mountPath'],
      doc: 'Volumes in the file system of the container.',
    }),
  ),
  volumeDevices: opt(
    keyed(VolumeDevice, { keys: ['devicePath'], doc: 'Volumes as block devices.' }),
  ),
  livenessProbe: opt(described(Probe, 'Asks whether the container must be restarted.')),
  readinessProbe: opt(described(Probe, 'Asks whether the container can take traffic.')),
  startupProbe: opt(described(Probe, 'Holds the other probes back until the container is up.')),
  lifecycle: opt(described(Lifecycle, 'What runs when the container starts and stops.')),
  terminationMessagePath: def(
    text('File the container leaves its last words in.'),
    '/dev/termination-log',
  ),
  terminationMessagePolicy: def(
    oneOf(['File', 'FallbackToLogsOnError'], {
      doc: 'Whether the end of the log stands in for a missing message after an error.',
    }),
    'File',
  ),
  imagePullPolicy: opt(
    oneOf(PULL_POLICIES, {
      doc: 'When the image is pulled; Always for the tag latest, else IfNotPresent.',
    }),
  ),
  securityContext: opt(described(SecurityContext, 'Identity and powers of the container.')),
  stdin: opt(flag('Keeps standard input open.')),
  stdinOnce: opt(flag('Closes standard input after the first client.')),
  tty: opt(flag('Runs the container in a terminal.')),
};

export const Container = object(containerFields);
export type Container = Infer<typeof Container>;

/** A container added to a running pod to look around in it. */
export const EphemeralContainer = object({
  ...containerFields,
  targetContainerName: opt(text('The container whose processes it sees.')),
});
export type EphemeralContainer = Infer<typeof EphemeralContainer>;
