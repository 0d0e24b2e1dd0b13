// What is wrong with a Deployment, in Kubernetes' words (k8s.io/kubernetes pkg/apis/apps/validation).

import { deepEqual } from '../../lib/equal.ts';
import { fieldError } from '../schema/errors.ts';
import type { FieldError } from '../schema/errors.ts';
import type { Deployment } from './deployment.ts';
import {
  checkAmountOrPercent,
  checkAtMostAll,
  checkNonNegative,
  checkSelector,
  checkTemplate,
  isNothing,
} from './workload-check.ts';

export function checkDeployment(
  { spec }: Deployment,
  _path: string,
  old: Deployment | undefined,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  checkNonNegative(spec.replicas, 'spec.replicas', errors);
  checkSelector(spec.selector, 'deployment', errors);
  checkTemplate(spec.selector, spec.template, 'ReplicaSet', errors);
  checkStrategy(spec.strategy, errors);
  checkNonNegative(spec.minReadySeconds, 'spec.minReadySeconds', errors);
  checkNonNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit', errors);
  checkNonNegative(spec.progressDeadlineSeconds, 'spec.progressDeadlineSeconds', errors);
  if (spec.progressDeadlineSeconds <= (spec.minReadySeconds ?? 0)) {
    const detail = 'must be greater than minReadySeconds';
    const value = spec.progressDeadlineSeconds;
    errors.push(fieldError.invalid('spec.progressDeadlineSeconds', value, detail));
  }
  if (old !== undefined && !deepEqual(spec.selector, old.spec.selector)) {
    errors.push(fieldError.invalid('spec.selector', spec.selector, 'field is immutable'));
  }
  return errors;
}

function checkStrategy(
  { type, rollingUpdate }: Deployment['spec']['strategy'],
  errors: FieldError[],
): void {
  if (rollingUpdate === undefined) return;
  const path = 'spec.strategy.rollingUpdate';
  if (type === 'Recreate') {
    const detail = "may not be specified when strategy `type` is 'Recreate'";
    errors.push(fieldError.forbidden(path, detail));
    return;
  }
  const { maxUnavailable, maxSurge } = rollingUpdate;
  checkAmountOrPercent(maxUnavailable, `${path}.maxUnavailable`, errors);
  checkAmountOrPercent(maxSurge, `${path}.maxSurge`, errors);
  if (isNothing(maxUnavailable) && isNothing(maxSurge)) {
    const detail = 'may not be 0 when `maxSurge` is 0';
    errors.push(fieldError.invalid(`${path}.maxUnavailable`, maxUnavailable, detail));
  }
  checkAtMostAll(maxUnavailable, `${path}.maxUnavailable`, errors);
}
