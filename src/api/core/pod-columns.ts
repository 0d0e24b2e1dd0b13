// The cells of a Pod in `kubectl get`: one word for all that its containers do
// (k8s.io/kubernetes pkg/printers/internalversion).

import type { Column } from '../kind.ts';
import { ageOf } from './columns.ts';
import type { ContainerState, ContainerStatus } from './container-status.ts';
import type { Pod } from './pod.ts';

export const podColumns: readonly Column[] = [
  { name: 'Ready', type: 'string', value: ready },
  { name: 'Status', type: 'string', value: (pod: Pod) => summarize(pod).status },
  { name: 'Restarts', type: 'string', value: restarts },
  { name: 'IP', type: 'string', priority: 1, value: ({ status }: Pod) => status.podIPs?.[0]?.ip },
  { name: 'Node', type: 'string', priority: 1, value: ({ spec }: Pod) => spec.nodeName },
  {
    name: 'Nominated Node',
    type: 'string',
    priority: 1,
    value: ({ status }: Pod) => status.nominatedNodeName,
  },
  { name: 'Readiness Gates', type: 'string', priority: 1, value: readinessGates },
];

interface Summary {
  readonly status: string;
  readonly readyCount: number;
  readonly restartCount: number;
  /** When the last of the containers that were restarted had ended, as RFC 3339. */
  readonly lastRestart?: string;
}

function ready(pod: Pod): string {
  const sidecars = (pod.spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always');
  return `${summarize(pod).readyCount}/${pod.spec.containers.length + sidecars.length}`;
}

/** `3 (5m ago)` */
function restarts(pod: Pod, nowMs = Date.now()): string {
  const { restartCount, lastRestart } = summarize(pod);
  const age = restartCount === 0 ? undefined : ageOf(lastRestart, nowMs);
  return age === undefined ? `${restartCount}` : `${restartCount} (${age} ago)`;
}

function readinessGates({ spec, status }: Pod): string | undefined {
  const gates = spec.readinessGates ?? [];
  if (gates.length === 0) return undefined;
  const open = gates.filter(
    (gate) => status.conditions?.find((c) => c.type === gate.conditionType)?.status === 'True',
  );
  return `${open.length}/${gates.length}`;
}

/** Summaries of the pods shown last: three cells of a row come from one. */
const summaries = new WeakMap<Pod, Summary>();

function summarize(pod: Pod): Summary {
  let summary = summaries.get(pod);
  if (summary === undefined) {
    summary = compute(pod);
    summaries.set(pod, summary);
  }
  return summary;
}

function compute(pod: Pod): Summary {
  const init = summarizeInit(pod);
  const initialized = conditionHolds(pod, 'Initialized');
  const running = init.status === undefined || initialized ? summarizeMain(pod, init) : undefined;
  const status = running?.status ?? init.status ?? baseStatus(pod);
  return {
    ...(running ?? { restartCount: init.restartCount, ...lastOf(init.ends) }),
    readyCount: init.readyCount + (running?.readyCount ?? 0),
    status: deletionStatus(pod) ?? status,
  };
}

function baseStatus({ status }: Pod): string {
  const gated = status.conditions?.some(
    (condition) => condition.type === 'PodScheduled' && condition.reason === 'SchedulingGated',
  );
  if (gated === true) return 'SchedulingGated';
  return status.reason || status.phase || '';
}

function deletionStatus({ metadata, status }: Pod): string | undefined {
  if (metadata.deletionTimestamp === undefined) return undefined;
  if (status.reason === 'NodeLost') return 'Unknown';
  const ended = status.phase === 'Succeeded' || status.phase === 'Failed';
  return ended ? undefined : 'Terminating';
}

interface InitSummary {
  /** What the first init container that is not done does; undefined when all are. */
  readonly status?: string;
  readonly readyCount: number;
  readonly restartCount: number;
  readonly ends: readonly string[];
  readonly sidecarRestartCount: number;
  readonly sidecarEnds: readonly string[];
}

function summarizeInit({ spec, status }: Pod): InitSummary {
  const sidecars = new Set(
    (spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always').map((c) => c.name),
  );
  const initCount = (spec.initContainers ?? []).length;
  const seen: ContainerStatus[] = [];
  let readyCount = 0;
  let current: string | undefined;
  for (const [i, container] of (status.initContainerStatuses ?? []).entries()) {
    seen.push(container);
    if (container.state.terminated?.exitCode === 0) continue;
    if (sidecars.has(container.name) && container.started === true) {
      if (container.ready) readyCount++;
      continue;
    }
    current = initStatus(container.state) ?? `Init:${i}/${initCount}`;
    break;
  }
  const seenSidecars = seen.filter((container) => sidecars.has(container.name));
  return {
    ...(current === undefined ? {} : { status: current }),
    readyCount,
    restartCount: sumRestarts(seen),
    ends: endsOf(seen),
    sidecarRestartCount: sumRestarts(seenSidecars),
    sidecarEnds: endsOf(seenSidecars),
  };
}

function initStatus({ terminated, waiting }: ContainerState): string | undefined {
  if (terminated !== undefined) return `Init:${endReason(terminated)}`;
  const reason = waiting?.reason ?? '';
  return reason === '' || reason === 'PodInitializing' ? undefined : `Init:${reason}`;
}

function summarizeMain(pod: Pod, init: InitSummary): Summary {
  const containers = pod.status.containerStatuses ?? [];
  let status = init.status ?? baseStatus(pod);
  let failure = '';
  let runningCount = 0;
  // The first container has the last word.
  for (const { state, ready: isReady } of containers.toReversed()) {
    if ((state.waiting?.reason ?? '') !== '') status = state.waiting?.reason ?? '';
    else if (state.terminated !== undefined) {
      status = endReason(state.terminated);
      if (state.terminated.exitCode !== 0) failure = status;
    } else if (isReady && state.running !== undefined) runningCount++;
  }
  if (status === 'Completed') {
    // One container may end well while others run on.
    if (runningCount > 0 && conditionHolds(pod, 'Ready')) status = 'Running';
    else if (failure !== '') status = failure;
    else if (runningCount > 0) status = 'NotReady';
  }
  return {
    status,
    readyCount: runningCount,
    restartCount: init.sidecarRestartCount + sumRestarts(containers),
    ...lastOf([...init.sidecarEnds, ...endsOf(containers)]),
  };
}

function endReason({
  reason = '',
  signal = 0,
  exitCode,
}: NonNullable<ContainerState['terminated']>): string {
  if (reason !== '') return reason;
  return signal === 0 ? `ExitCode:${exitCode}` : `Signal:${signal}`;
}

function conditionHolds({ status }: Pod, type: string): boolean {
  return status.conditions?.find((condition) => condition.type === type)?.status === 'True';
}

function sumRestarts(containers: readonly ContainerStatus[]): number {
  return containers.reduce((sum, container) => sum + container.restartCount, 0);
}

function endsOf(containers: readonly ContainerStatus[]): readonly string[] {
  return containers.flatMap((container) => container.lastState.terminated?.finishedAt ?? []);
}

function lastOf(times: readonly string[]): { readonly lastRestart?: string } {
  const last = times.toSorted((a, b) => Date.parse(a) - Date.parse(b)).at(-1);
  return last === undefined ? {} : { lastRestart: last };
}
