// What the runtime knows of a pod → Pod.status as kubelet writes it. Pure: the times of conditions are
// carried over from the status before, and change only when the condition does.

import type { ContainerState, ContainerStatus } from '../../api/core/container-status.ts';
import type { Pod } from '../../api/core/pod.ts';
import type { PodCondition, PodStatus } from '../../api/core/pod-status.ts';
import type { ContainerRole } from '../plan/plan.ts';
import { qosClass } from './qos.ts';

export interface ContainerFacts {
  readonly name: string;
  readonly role: ContainerRole;
  readonly image: string;
  readonly imageId: string;
  readonly state: ContainerState;
  /** How it ended before its last restart. */
  readonly lastState: ContainerState;
  readonly started: boolean;
  readonly ready: boolean;
  /** It has ended and will not be started again. */
  readonly done: boolean;
  readonly restartCount: number;
  /** Of the container that runs or ran last; absent before the first start. */
  readonly containerId?: string;
}

export interface PodFacts {
  readonly pod: Pod;
  /** Absent while there was no address for it. */
  readonly podIp?: string;
  readonly hostIp: string;
  readonly startTime: Date;
  readonly now: Date;
  /** Volumes and address are there. */
  readonly readyToStart: boolean;
  /** All init containers have done their part, once. */
  readonly initialized: boolean;
  /** Init containers first, in the order of the manifest. */
  readonly containers: readonly ContainerFacts[];
  /** What ended the pod as a whole, where that was not its containers. */
  readonly ended?: { readonly reason: string; readonly message: string };
}

/** The conditions this file writes; those of others (readiness gates) are left as they are. */
const OWN_CONDITIONS: ReadonlySet<string> = new Set([
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
]);

type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

/**
 * The status for these facts. `last` is what was written last, which the stored pod may not show yet;
 * without it the times are those of the pod's stored status.
 */
export function podStatus(facts: PodFacts, last?: PodStatus): PodStatus {
  const { pod, podIp, hostIp } = facts;
  const phase = phaseOf(facts);
  const init = facts.containers.filter((container) => container.role !== 'main');
  const main = facts.containers.filter((container) => container.role === 'main');
  return {
    ...(pod.metadata.generation === undefined
      ? {}
      : { observedGeneration: pod.metadata.generation }),
    phase,
    conditions: conditionsOf(facts, phase, last),
    ...facts.ended,
    hostIP: hostIp,
    hostIPs: [{ ip: hostIp }],
    ...(podIp === undefined ? {} : { podIP: podIp, podIPs: [{ ip: podIp }] }),
    startTime: timestamp(facts.startTime),
    ...(init.length === 0 ? {} : { initContainerStatuses: init.map(containerStatus) }),
    containerStatuses: main.map(containerStatus),
    qosClass: qosClass(pod),
  };
}

/** RFC 3339 in seconds, as Kubernetes writes times. */
export function timestamp(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

function phaseOf({ containers, initialized, ended }: PodFacts): Phase {
  if (ended !== undefined) return 'Failed';
  const failedInit = containers.some(
    (each) => each.role === 'init' && each.done && !hasSucceeded(each),
  );
  if (failedInit) return 'Failed';
  const main = containers.filter((each) => each.role === 'main');
  if (!initialized || main.some((each) => each.containerId === undefined && !each.done)) {
    return 'Pending';
  }
  const sidecars = containers.filter((each) => each.role === 'sidecar');
  if (![...main, ...sidecars].every((each) => each.done)) return 'Running';
  return main.every(hasSucceeded) ? 'Succeeded' : 'Failed';
}

function hasSucceeded(container: ContainerFacts): boolean {
  return container.state.terminated?.exitCode === 0;
}

function containerStatus(facts: ContainerFacts): ContainerStatus {
  return {
    name: facts.name,
    state: facts.state,
    lastState: facts.lastState,
    // An init container is ready when it has done its work.
    ready: facts.role === 'init' ? hasSucceeded(facts) : facts.ready,
    restartCount: facts.restartCount,
    image: facts.image,
    imageID: facts.imageId,
    ...(facts.containerId === undefined ? {} : { containerID: facts.containerId }),
    started: facts.started,
  };
}

interface Verdict {
  readonly status: 'True' | 'False';
  readonly reason?: string;
  readonly message?: string;
}

function conditionsOf(
  facts: PodFacts,
  phase: Phase,
  last: PodStatus | undefined,
): readonly PodCondition[] {
  const stored = facts.pod.status.conditions ?? [];
  const others = stored.filter((each) => !OWN_CONDITIONS.has(each.type));
  const before = new Map(
    [...(last?.conditions ?? stored), ...others].map((each) => [each.type, each]),
  );
  const containersReady = containersVerdict(facts, phase);
  const verdicts: readonly (readonly [string, Verdict])[] = [
    ['PodReadyToStartContainers', { status: facts.readyToStart ? 'True' : 'False' }],
    ['Initialized', initializedVerdict(facts, phase)],
    ['Ready', readyVerdict(facts.pod, containersReady, before)],
    ['ContainersReady', containersReady],
    ['PodScheduled', { status: 'True' }],
  ];
  const own = verdicts.map(([type, verdict]): PodCondition => {
    const old = before.get(type);
    const lastTransitionTime = old?.status === verdict.status ? old.lastTransitionTime : undefined;
    return { type, ...verdict, lastTransitionTime: lastTransitionTime ?? timestamp(facts.now) };
  });
  return [...own, ...others];
}

function initializedVerdict(facts: PodFacts, phase: Phase): Verdict {
  if (phase === 'Succeeded') return { status: 'True', reason: 'PodCompleted' };
  if (facts.initialized) return { status: 'True' };
  const waiting = facts.containers
    .filter((each) => each.role === 'init' && !hasSucceeded(each))
    .map((each) => each.name);
  const unready = facts.containers
    .filter((each) => each.role === 'sidecar' && !each.started)
    .map((each) => each.name);
  return {
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${[...waiting, ...unready].join(' ')}]`,
  };
}

function containersVerdict(facts: PodFacts, phase: Phase): Verdict {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  const unready = facts.containers
    .filter((each) => each.role !== 'init' && !each.ready)
    .map((each) => each.name);
  if (unready.length === 0) return { status: 'True' };
  return {
    status: 'False',
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${unready.join(' ')}]`,
  };
}

function readyVerdict(
  pod: Pod,
  containersReady: Verdict,
  conditions: ReadonlyMap<string, PodCondition>,
): Verdict {
  if (containersReady.status === 'False') return containersReady;
  const closed = (pod.spec.readinessGates ?? [])
    .map((gate) => gate.conditionType)
    .filter((type) => conditions.get(type)?.status !== 'True');
  if (closed.length === 0) return { status: 'True' };
  const messages = closed.map((type) =>
    conditions.has(type)
      ? `the status of pod readiness gate "${type}" is not "True", but ${conditions.get(type)?.status}`
      : `corresponding condition of pod readiness gate "${type}" does not exist.`,
  );
  return { status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') };
}
