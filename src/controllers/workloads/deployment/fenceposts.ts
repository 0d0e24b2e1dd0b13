// How far a rolling update may go beyond and below the number of pods that is asked for
// (k8s.io/kubernetes pkg/controller/deployment/util ResolveFenceposts).

import type { Deployment } from '../../../api/apps/deployment.ts';
import { resolveAmount } from '../../shared/amount.ts';

const DEFAULTS = { maxSurge: '25%', maxUnavailable: '25%' } as const;

/** Pods there may be too many, and too few. Both 0 would let nothing ever move. */
function fenceposts({ spec }: Deployment): { surge: number; unavailable: number } {
  const { maxSurge, maxUnavailable } = spec.strategy.rollingUpdate ?? DEFAULTS;
  const surge = resolveAmount(maxSurge, spec.replicas, 'up');
  const unavailable = resolveAmount(maxUnavailable, spec.replicas, 'down');
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

export function isRolling({ spec }: Deployment): boolean {
  return spec.strategy.type === 'RollingUpdate';
}

export function maxSurge(deployment: Deployment): number {
  return isRolling(deployment) ? fenceposts(deployment).surge : 0;
}

export function maxUnavailable(deployment: Deployment): number {
  const { replicas } = deployment.spec;
  if (!isRolling(deployment) || replicas === 0) return 0;
  return Math.min(fenceposts(deployment).unavailable, replicas);
}
