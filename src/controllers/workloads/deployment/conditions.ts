// Conditions of a Deployment, as kubectl rollout status and others wait for them.

import type { Deployment } from '../../../api/apps/deployment.ts';
import { timestamp } from '../../shared/metadata.ts';

export type DeploymentCondition = NonNullable<Deployment['status']['conditions']>[number];

export interface Verdict {
  readonly type: 'Available' | 'Progressing' | 'ReplicaFailure';
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

export function conditionOf(
  conditions: readonly DeploymentCondition[],
  type: Verdict['type'],
): DeploymentCondition | undefined {
  return conditions.find((condition) => condition.type === type);
}

/**
 * Conditions with a verdict on them. One of the same status and reason stays as it is, unless it is to
 * be `renewed`: its time of update then says that there was news.
 */
export function withCondition(
  conditions: readonly DeploymentCondition[],
  verdict: Verdict,
  now: Date,
  renewed = false,
): readonly DeploymentCondition[] {
  const old = conditionOf(conditions, verdict.type);
  const isSame = old?.status === verdict.status;
  if (isSame && old.reason === verdict.reason && !renewed) return conditions;
  const time = timestamp(now);
  const lastTransitionTime = isSame ? (old.lastTransitionTime ?? time) : time;
  return [
    ...withoutCondition(conditions, verdict.type),
    { ...verdict, lastUpdateTime: time, lastTransitionTime },
  ];
}

export function withoutCondition(
  conditions: readonly DeploymentCondition[],
  type: Verdict['type'],
): readonly DeploymentCondition[] {
  return conditions.filter((condition) => condition.type !== type);
}
