// A change of a pod → what happened: to the pod (scheduled, started, backing off, ending), and to the
// workload that made it or ended it. Reasons and words are those of kubelet and of the controllers of
// Kubernetes, which people and their tools know.

import { ReplicaSet } from '../../api/apps/replica-set.ts';
import { StatefulSet } from '../../api/apps/stateful-set.ts';
import type { ContainerStatus } from '../../api/core/container-status.ts';
import { Pod } from '../../api/core/pod.ts';
import type { Kind } from '../../api/kind.ts';
import type { Change } from '../../store/store.ts';
import { controllerOf, isTerminating } from '../shared/metadata.ts';
import { isActive } from '../shared/pods.ts';
import { regarding } from './happening.ts';
import type { Happening, Objects } from './happening.ts';

const KUBELET = 'kubelet';

/** What a probe has found of a container, which no status says. */
export interface ProbeFailure {
  readonly container: string;
  readonly probe: 'startup' | 'readiness' | 'liveness';
  readonly message: string;
  /** The container is ended for it, and started again. */
  readonly restarts: boolean;
}

/** Objects are asked for only when pods come and go: that is rare, beside all that changes in them. */
export function podHappenings(
  { before, after }: Pick<Change, 'before' | 'after'>,
  objects: Objects,
): readonly Happening[] {
  const was = before as Pod | undefined;
  const pod = (after ?? before) as Pod;
  const isEnding = after === undefined || isTerminating(pod);
  const wasEnding = was !== undefined && isTerminating(was);
  return [
    ...(was === undefined ? madeBy(pod, objects) : []),
    ...(isEnding && !wasEnding ? endedBy(pod, objects) : []),
    ...(after === undefined || was === undefined ? [] : scheduled(was, pod)),
    ...(after === undefined ? [] : containersOf(pod).flatMap((c) => started(was, pod, c))),
    ...(isEnding && !wasEnding ? killed(pod) : []),
  ];
}

export function probeHappenings(pod: Pod, failure: ProbeFailure): readonly Happening[] {
  const { container, probe, message, restarts } = failure;
  const name = `${probe.charAt(0).toUpperCase()}${probe.slice(1)}`;
  const unhealthy = ofContainer(pod, container, {
    type: 'Warning',
    reason: 'Unhealthy',
    message: `${name} probe failed: ${message}`,
  });
  if (!restarts) return [unhealthy];
  return [
    unhealthy,
    ofContainer(pod, container, {
      type: 'Normal',
      reason: 'Killing',
      message: `Container ${container} failed ${probe} probe, will be restarted`,
    }),
  ];
}

function madeBy(pod: Pod, objects: Objects): readonly Happening[] {
  const { name = '' } = pod.metadata;
  return byOwner(pod, objects, (owner) =>
    owner === StatefulSet.kind
      ? {
          reason: 'SuccessfulCreate',
          message: (set) => `create Pod ${name} in StatefulSet ${set} successful`,
        }
      : { reason: 'SuccessfulCreate', message: () => `Created pod: ${name}` },
  );
}

/** Only what the owner did: a pod that somebody else deletes is missed, and made anew. */
function endedBy(pod: Pod, objects: Objects): readonly Happening[] {
  const owner = controllerOf(pod);
  const { namespace = '', name = '' } = pod.metadata;
  if (owner === undefined) return [];
  const kind = OWNERS.get(owner.kind);
  const object = kind === undefined ? undefined : objects.get(kind, namespace, owner.name);
  if (object === undefined) return [];
  const { replicas = 1 } =
    (object as { readonly spec?: { readonly replicas?: number } }).spec ?? {};
  const left = objects
    .podsIn(namespace)
    .filter((other) => controllerOf(other)?.uid === owner.uid && isActive(other)).length;
  if (left < replicas) return [];
  return byOwner(pod, objects, (ownerKind) =>
    ownerKind === StatefulSet.kind
      ? {
          reason: 'SuccessfulDelete',
          message: (set) => `delete Pod ${name} in StatefulSet ${set} successful`,
        }
      : { reason: 'SuccessfulDelete', message: () => `Deleted pod: ${name}` },
  );
}

const OWNERS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  [ReplicaSet.kind, ReplicaSet as unknown as Kind],
  [StatefulSet.kind, StatefulSet as unknown as Kind],
]);

function byOwner(
  pod: Pod,
  objects: Objects,
  what: (kind: string) => { readonly reason: string; readonly message: (owner: string) => string },
): readonly Happening[] {
  const owner = controllerOf(pod);
  const kind = OWNERS.get(owner?.kind ?? '');
  if (owner === undefined || kind === undefined) return [];
  const object = objects.get(kind, pod.metadata.namespace ?? '', owner.name);
  if (object === undefined || object.metadata.uid !== owner.uid) return [];
  const { reason, message } = what(owner.kind);
  const component = `${owner.kind.toLowerCase()}-controller`;
  return [
    {
      regarding: regarding(kind, object),
      type: 'Normal',
      reason,
      message: message(owner.name),
      component,
    },
  ];
}

function scheduled(was: Pod, pod: Pod): readonly Happening[] {
  const { nodeName = '' } = pod.spec;
  if (nodeName === '' || (was.spec.nodeName ?? '') !== '') return [];
  const { namespace = '', name = '' } = pod.metadata;
  return [
    {
      regarding: regarding(Pod as unknown as Kind, pod),
      type: 'Normal',
      reason: 'Scheduled',
      message: `Successfully assigned ${namespace}/${name} to ${nodeName}`,
      component: 'default-scheduler',
    },
  ];
}

function containersOf({ status }: Pod): readonly ContainerStatus[] {
  return [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
}

/** What a container has come to since. */
function started(was: Pod | undefined, pod: Pod, now: ContainerStatus): readonly Happening[] {
  const before = was === undefined ? undefined : containersOf(was).find((c) => c.name === now.name);
  const say = (type: Happening['type'], reason: string, message: string): Happening =>
    ofContainer(pod, now.name, { type, reason, message });
  const { running, waiting } = now.state;
  if (running !== undefined) {
    if (before?.containerID === now.containerID && before?.state.running !== undefined) return [];
    return [
      say('Normal', 'Pulled', `Container image "${now.image}" is not pulled: ${standIn(now)}`),
      say('Normal', 'Created', `Created container: ${now.name}`),
      say('Normal', 'Started', `Started container ${now.name}`),
    ];
  }
  const { reason = '', message = '' } = waiting ?? {};
  const old = before?.state.waiting;
  if (old?.reason === reason && old.message === message) return [];
  const { namespace = '', name = '', uid = '' } = pod.metadata;
  const id = `${name}_${namespace}(${uid})`;
  if (reason === 'CrashLoopBackOff') {
    const text = `Back-off restarting failed container ${now.name} in pod ${id}`;
    return [say('Warning', 'BackOff', text)];
  }
  if (message === '') return [];
  if (reason === 'ContainerCreating') return [say('Warning', 'FailedMount', message)];
  return [say('Warning', 'Failed', `Error: ${reason}: ${message}`)];
}

function standIn({ imageID }: ContainerStatus): string {
  return imageID === '' ? 'its command runs on this machine' : 'the built-in echo server runs';
}

function killed(pod: Pod): readonly Happening[] {
  return containersOf(pod)
    .filter(({ state }) => state.running !== undefined)
    .map(({ name }) =>
      ofContainer(pod, name, {
        type: 'Normal',
        reason: 'Killing',
        message: `Stopping container ${name}`,
      }),
    );
}

function ofContainer(
  pod: Pod,
  container: string,
  what: Pick<Happening, 'type' | 'reason' | 'message'>,
): Happening {
  const isInit = (pod.spec.initContainers ?? []).some(({ name }) => name === container);
  const list = isInit ? 'initContainers' : 'containers';
  const { nodeName } = pod.spec;
  return {
    regarding: regarding(Pod as unknown as Kind, pod, `spec.${list}{${container}}`),
    ...what,
    component: KUBELET,
    ...(nodeName === undefined ? {} : { host: nodeName }),
  };
}
