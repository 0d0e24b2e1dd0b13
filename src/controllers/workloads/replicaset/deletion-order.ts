// Which pods go first when there are too many (k8s.io/kubernetes pkg/controller ActivePodsWithRanks):
// those whose loss is felt least. Times are compared as they are; Kubernetes blurs them on purpose, by
// chance, which would give another answer on every machine.

import type { Pod } from '../../../api/core/pod.ts';
import { compareText, createdMs } from '../../shared/metadata.ts';
import { isReady, readySinceMs } from '../../shared/pods.ts';

/** How much a pod's deletion costs, as an integer; lower ones go first. */
const DELETION_COST_ANNOTATION = 'controller.kubernetes.io/pod-deletion-cost';

const PHASE_ORDER: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/** The pods in the order in which they are to be deleted. */
export function deletionOrder(pods: readonly Pod[]): readonly Pod[] {
  const perNode = Map.groupBy(pods, (pod) => pod.spec.nodeName ?? '');
  const neighbours = (pod: Pod): number => perNode.get(pod.spec.nodeName ?? '')?.length ?? 0;
  return pods.toSorted(
    (a, b) =>
      Number(isAssigned(a)) - Number(isAssigned(b)) ||
      phaseOf(a) - phaseOf(b) ||
      Number(isReady(a)) - Number(isReady(b)) ||
      deletionCost(a) - deletionCost(b) ||
      neighbours(b) - neighbours(a) ||
      // Ready for a shorter time first.
      (readySinceMs(b) ?? 0) - (readySinceMs(a) ?? 0) ||
      restartsOf(b) - restartsOf(a) ||
      createdMs(b) - createdMs(a) ||
      compareText(a.metadata.name ?? '', b.metadata.name ?? ''),
  );
}

function isAssigned({ spec }: Pod): boolean {
  return (spec.nodeName ?? '') !== '';
}

function phaseOf({ status }: Pod): number {
  return PHASE_ORDER[status.phase ?? 'Pending'] ?? 0;
}

/** What is no integer counts as 0. */
function deletionCost({ metadata }: Pod): number {
  const text = metadata.annotations?.[DELETION_COST_ANNOTATION] ?? '0';
  return /^-?\d{1,10}$/.test(text) ? Number(text) : 0;
}

function restartsOf({ status }: Pod): number {
  return Math.max(0, ...(status.containerStatuses ?? []).map(({ restartCount }) => restartCount));
}
