// Pods as they would be if they ran: for `check` and `explain`, which serve nothing but have to know
// where traffic would go. Pure: the addresses are those the running kubelet would give.

import { Pod } from '../api/core/pod.ts';
import type { Container } from '../api/core/containers.ts';
import { deepEqual } from '../lib/equal.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { ObjectWrite } from '../store/write.ts';
import { allocatePodAddresses, HOST_ADDRESS, podKey } from './addresses.ts';
import type { ContainerRole } from './plan/plan.ts';
import { podStatus, timestamp } from './pod/status.ts';
import type { ContainerFacts } from './pod/status.ts';

/**
 * Status writes that give every pod its address and make it Running and Ready. Pods that have ended,
 * are being deleted or wait for a scheduling gate stay as they are, as do those that are so already.
 * Times are those of the pods' creation: there is no clock here.
 */
export function assumePodsReady(snapshot: Snapshot, podCidr: string): readonly ObjectWrite[] {
  const pods = snapshot.list(Pod);
  const addresses = allocatePodAddresses(pods, podCidr);
  const writes: ObjectWrite[] = [];
  for (const pod of pods) {
    const podIp = addresses.get(podKey(pod));
    const gated = (pod.spec.schedulingGates ?? []).length > 0;
    if (podIp === undefined || gated || pod.metadata.deletionTimestamp !== undefined) continue;
    const status = readyStatus(pod, podIp);
    if (deepEqual(status, pod.status)) continue;
    const { namespace = '', name = '' } = pod.metadata;
    writes.push({ op: 'status', kind: Pod, namespace, name, status });
  }
  return writes;
}

function readyStatus(pod: Pod, podIp: string): Pod['status'] {
  const created = new Date(pod.metadata.creationTimestamp ?? 0);
  const { initContainers = [], containers } = pod.spec;
  const facts = (container: Container, role: ContainerRole): ContainerFacts => ({
    name: container.name,
    role,
    image: container.image,
    imageId: '',
    state:
      role === 'init'
        ? { terminated: { exitCode: 0, reason: 'Completed' } }
        : { running: { startedAt: timestamp(created) } },
    lastState: {},
    started: role !== 'init',
    ready: true,
    done: role === 'init',
    restartCount: 0,
    containerId: `fairway://assumed-${container.name}`,
  });
  return podStatus({
    pod: withGatesOpen(pod, timestamp(created)),
    podIp,
    hostIp: HOST_ADDRESS,
    startTime: created,
    now: created,
    readyToStart: true,
    initialized: true,
    containers: [
      ...initContainers.map((each) =>
        facts(each, each.restartPolicy === 'Always' ? 'sidecar' : 'init'),
      ),
      ...containers.map((each) => facts(each, 'main')),
    ],
  });
}

/** What somebody else would have to say for the pod to be ready is assumed to be said. */
function withGatesOpen(pod: Pod, lastTransitionTime: string): Pod {
  const gates = (pod.spec.readinessGates ?? []).map(({ conditionType }) => conditionType);
  if (gates.length === 0) return pod;
  const others = (pod.status.conditions ?? []).filter((each) => !gates.includes(each.type));
  const open = gates.map((type) => ({ type, status: 'True', lastTransitionTime }));
  return { ...pod, status: { ...pod.status, conditions: [...others, ...open] } };
}
