// What is wrong with a workload's selector and template, in Kubernetes' words (k8s.io/kubernetes
// pkg/apis/apps/validation).

import { checkLabelSelector, isUsable } from '../core/checks/label-selector-check.ts';
import { percent } from '../core/names.ts';
import { checkPodTemplate } from '../core/checks/pod-check.ts';
import type { PodTemplateSpec } from '../core/pod-template.ts';
import type { LabelSelector } from '../meta.ts';
import { fieldError } from '../schema/errors.ts';
import type { FieldError } from '../schema/errors.ts';
import { matchesSelector } from '../selectors.ts';

/** A selector that would choose every pod of the namespace is refused. */
export function checkSelector(
  selector: LabelSelector,
  workload: 'deployment' | 'statefulset',
  errors: FieldError[],
): void {
  checkLabelSelector(selector, 'spec.selector', errors);
  if (isEmpty(selector)) {
    const detail = `empty selector is invalid for ${workload}`;
    errors.push(fieldError.invalid('spec.selector', selector, detail));
  }
}

/** The template of pods that are to be found again by the selector, and always restarted. */
export function checkTemplate(
  selector: LabelSelector,
  template: PodTemplateSpec,
  workload: 'ReplicaSet' | 'StatefulSet',
  errors: FieldError[],
): void {
  const path = 'spec.template';
  if (!isUsable(selector)) {
    // Upstream looks no further: which pods are meant is unknown.
    errors.push(fieldError.invalid('spec.selector', selector, 'invalid label selector'));
    return;
  }
  const { labels } = template.metadata;
  if (!isEmpty(selector) && !matchesSelector(selector, labels)) {
    const detail = '`selector` does not match template `labels`';
    errors.push(fieldError.invalid(`${path}.metadata.labels`, labels, detail));
  }
  checkPodTemplate(template, path, errors);
  const { restartPolicy, activeDeadlineSeconds } = template.spec;
  if (restartPolicy !== 'Always') {
    const at = `${path}.spec.restartPolicy`;
    errors.push(fieldError.unsupported(at, restartPolicy, ['Always']));
  }
  if (activeDeadlineSeconds !== undefined) {
    const detail = `activeDeadlineSeconds in ${workload} is not Supported`;
    errors.push(fieldError.forbidden(`${path}.spec.activeDeadlineSeconds`, detail));
  }
}

export function checkNonNegative(
  value: number | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (value === undefined || value >= 0) return;
  errors.push(fieldError.invalid(path, value, 'must be greater than or equal to 0'));
}

/** A number of pods, or a share of them as `25%`. */
export function checkAmountOrPercent(
  value: number | string,
  path: string,
  errors: FieldError[],
): void {
  if (typeof value === 'number') checkNonNegative(value, path, errors);
  else for (const detail of percent(value)) errors.push(fieldError.invalid(path, value, detail));
}

/** True for `0` and `0%`, and for text that is no share at all. */
export function isNothing(value: number | string): boolean {
  return (typeof value === 'number' ? value : Number.parseInt(value, 10) || 0) === 0;
}

export function checkAtMostAll(value: number | string, path: string, errors: FieldError[]): void {
  if (typeof value === 'number' || percent(value).length > 0) return;
  if (Number.parseInt(value, 10) > 100) {
    errors.push(fieldError.invalid(path, value, 'must not be greater than 100%'));
  }
}

function isEmpty({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean {
  return Object.keys(matchLabels).length + matchExpressions.length === 0;
}
