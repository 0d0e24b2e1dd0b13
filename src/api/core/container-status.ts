// What is known of one container of a running pod.

import { def, described, list, object, opt, requiredDef } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { flag, int32, int64, keyed, requiredText, text, time } from './fields.ts';
import { ResourceRequirements, resourceList } from './resources.ts';

const Waiting = object({
  reason: opt(text('Why, in one word for programs.')),
  message: opt(text('Why, in a sentence for people.')),
});

const Running = object({ startedAt: opt(time('When it started.')) });

const Terminated = object({
  exitCode: requiredDef(int32('Exit code of the process.'), 0),
  signal: opt(int32('Signal that ended it.')),
  reason: opt(text('Why, in one word for programs.')),
  message: opt(text('Last words of the container.')),
  startedAt: opt(time('When it started.')),
  finishedAt: opt(time('When it ended.')),
  containerID: opt(text('ID in the container runtime.')),
});

const ContainerState = object({
  waiting: opt(described(Waiting, 'It has not started yet.')),
  running: opt(described(Running, 'It runs.')),
  terminated: opt(described(Terminated, 'It ended.')),
});
export type ContainerState = Infer<typeof ContainerState>;

const ImageVolumeStatus = object({
  imageRef: opt(text('The image that was mounted, with its digest.')),
});

const VolumeStatus = object({
  image: opt(described(ImageVolumeStatus, 'The image, for a volume of an image.')),
});

const VolumeMountStatus = object({
  name: requiredText('Name of the mount.'),
  mountPath: requiredText('Where it is mounted.'),
  readOnly: opt(flag('Whether it is read-only.')),
  recursiveReadOnly: opt(text('Disabled or Enabled, as it came out.')),
  volumeStatus: opt(described(VolumeStatus, 'More about the volume.')),
});

const LinuxContainerUser = object({
  uid: requiredDef(int64('User ID of the first process.'), 0),
  gid: requiredDef(int64('Group ID of the first process.'), 0),
  supplementalGroups: opt(
    list(int64('A group ID.'), { listType: 'atomic', doc: 'Further groups of the process.' }),
  ),
});

const ContainerUser = object({
  linux: opt(described(LinuxContainerUser, 'Identity on Linux.')),
});

const ResourceHealth = object({
  resourceID: requiredText('The device.'),
  health: opt(text('Healthy, Unhealthy or Unknown.')),
  message: opt(text('More about it.')),
});

const ResourceStatus = object({
  name: requiredText('The resource.'),
  resources: opt(keyed(ResourceHealth, { keys: ['resourceID'], doc: 'Health of each device.' })),
});

export const ContainerStatus = object({
  name: requiredText('Name of the container.'),
  state: def(described(ContainerState, 'What it does now.'), {}),
  lastState: def(described(ContainerState, 'How it ended last time.'), {}),
  ready: requiredDef(flag('Whether its readiness probe succeeds.'), false),
  restartCount: requiredDef(int32('How often it was restarted.'), 0),
  image: requiredDef(text('Image it runs.'), ''),
  imageID: requiredDef(text('ID of the image.'), ''),
  containerID: opt(text('ID in the container runtime.')),
  started: opt(flag('Whether its startup probe succeeded.')),
  allocatedResources: opt(resourceList('What the node set aside for it.')),
  resources: opt(described(ResourceRequirements, 'Limits and requests in effect.')),
  volumeMounts: opt(
    keyed(VolumeMountStatus, { keys: ['mountPath'], doc: 'How volumes were mounted.' }),
  ),
  user: opt(described(ContainerUser, 'Identity of the first process.')),
  allocatedResourcesStatus: opt(
    keyed(ResourceStatus, { keys: ['name'], doc: 'Health of its devices.' }),
  ),
  stopSignal: opt(text('Signal that stops it.')),
});
export type ContainerStatus = Infer<typeof ContainerStatus>;
