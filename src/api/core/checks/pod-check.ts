// What is wrong with a Pod as a whole, or with the template of one, in Kubernetes' words
// (k8s.io/kubernetes pkg/apis/core/validation). The parts of the specification are looked at in
// pod-spec-check.ts.

import { deepEqual } from '../../../lib/equal.ts';
import { fieldError } from '../../schema/errors.ts';
import type { FieldError } from '../../schema/errors.ts';
import type { Container } from '../containers.ts';
import { checkAnnotations, checkLabels } from '../metadata.ts';
import { podCarryOver } from '../pod-defaults.ts';
import { checkPodSpec } from './pod-spec-check.ts';
import type { PodSpec } from '../pod-spec.ts';
import type { PodTemplateSpec } from '../pod-template.ts';
import type { Pod } from '../pod.ts';

export function checkPod(written: Pod, _path: string, old: Pod | undefined): readonly FieldError[] {
  // What the writer left to the system counts as kept, whoever fills it in.
  const pod = old === undefined ? written : podCarryOver(old, written);
  const errors: FieldError[] = [];
  checkPodSpec(pod.spec, { path: 'spec', isTemplate: false }, errors);
  checkOnlyPods(pod.spec, errors);
  if (old !== undefined) checkPodChange(pod.spec, old.spec, errors);
  else if ((pod.spec.ephemeralContainers ?? []).length > 0) {
    errors.push(fieldError.forbidden('spec.ephemeralContainers', 'cannot be set on create'));
  }
  return errors;
}

/** The template of a workload; `path` is that of the template. */
export function checkPodTemplate(
  template: PodTemplateSpec,
  path: string,
  errors: FieldError[],
): void {
  const { metadata, spec } = template;
  checkLabels(metadata.labels, `${path}.metadata.labels`, errors);
  checkAnnotations(metadata.annotations, `${path}.metadata.annotations`, errors);
  checkPodSpec(spec, { path: `${path}.spec`, isTemplate: true }, errors);
  if ((spec.ephemeralContainers ?? []).length > 0) {
    const detail = 'ephemeral containers not allowed in pod template';
    errors.push(fieldError.forbidden(`${path}.spec.ephemeralContainers`, detail));
  }
}

/** What templates were always allowed, and Pods are not. */
function checkOnlyPods(spec: PodSpec, errors: FieldError[]): void {
  if ((spec.serviceAccountName ?? '') === '') {
    for (const [i, volume] of (spec.volumes ?? []).entries()) {
      for (const [j, source] of (volume.projected?.sources ?? []).entries()) {
        if (source.serviceAccountToken === undefined) continue;
        const path = `spec.volumes[${i}].projected.sources[${j}].serviceAccountToken`;
        const detail = 'must not be specified when serviceAccountName is not set';
        errors.push(fieldError.forbidden(path, detail));
      }
    }
  }
  for (const list of ['containers', 'initContainers', 'ephemeralContainers'] as const) {
    for (const [i, { image }] of (spec[list] ?? []).entries()) {
      if (image === image.trim()) continue;
      const detail = 'must not have leading or trailing whitespace';
      errors.push(fieldError.invalid(`spec.${list}[${i}].image`, image, detail));
    }
  }
}

const CHANGEABLE = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',');

function checkPodChange(spec: PodSpec, old: PodSpec, errors: FieldError[]): void {
  for (const list of ['containers', 'initContainers'] as const) {
    if ((spec[list] ?? []).length !== (old[list] ?? []).length) {
      const detail = 'pod updates may not add or remove containers';
      errors.push(fieldError.forbidden(`spec.${list}`, detail));
      return;
    }
  }
  checkDeadlineChange(spec.activeDeadlineSeconds, old.activeDeadlineSeconds, errors);
  if (!keepsTolerations(spec, old)) {
    const detail = 'existing toleration can not be modified except its tolerationSeconds';
    errors.push(fieldError.forbidden('spec.tolerations', detail));
  }
  checkGateChange(spec, old, errors);
  const changed = changedFields(spec, old);
  if (changed.length > 0) {
    // Upstream appends a diff of its internal types; the names of the fields say as much.
    const detail = `pod updates may not change fields other than ${CHANGEABLE}\n${changed.join(', ')}`;
    errors.push(fieldError.forbidden('spec', detail));
  }
}

function checkDeadlineChange(
  deadline: number | undefined,
  old: number | undefined,
  errors: FieldError[],
): void {
  if (old === undefined) return;
  const path = 'spec.activeDeadlineSeconds';
  if (deadline === undefined) {
    const detail = 'must not update from a positive integer to nil value';
    errors.push(fieldError.invalid(path, undefined, detail));
  } else if (deadline > old) {
    errors.push(fieldError.invalid(path, deadline, 'must be less than or equal to previous value'));
  }
}

function keepsTolerations(spec: PodSpec, old: PodSpec): boolean {
  return (old.tolerations ?? []).every(({ tolerationSeconds: _before, ...before }) =>
    (spec.tolerations ?? []).some(({ tolerationSeconds: _after, ...after }) =>
      deepEqual(before, after),
    ),
  );
}

function checkGateChange(spec: PodSpec, old: PodSpec, errors: FieldError[]): void {
  const before = new Set((old.schedulingGates ?? []).map((gate) => gate.name));
  for (const [i, { name }] of (spec.schedulingGates ?? []).entries()) {
    if (before.has(name)) continue;
    const detail = `only deletion is allowed, but found new scheduling gate '${name}'`;
    errors.push(fieldError.forbidden(`spec.schedulingGates[${i}].name`, detail));
  }
}

/** What may change, or has a rule of its own above. */
const EXCEPTIONS: readonly (keyof PodSpec)[] = [
  'activeDeadlineSeconds',
  'containers',
  'initContainers',
  'schedulingGates',
  'tolerations',
];

/** Where it waits for its gates to open, a Pod may still be sent elsewhere. */
const GATED_EXCEPTIONS: readonly (keyof PodSpec)[] = ['affinity', 'nodeSelector'];

function changedFields(spec: PodSpec, old: PodSpec): readonly string[] {
  const isGated = (old.schedulingGates ?? []).length > 0;
  // A Pod that has no node yet is given one: the scheduler's work.
  const isPlaced = (old.nodeName ?? '') !== '';
  const fields = new Set([...Object.keys(old), ...Object.keys(spec)] as (keyof PodSpec)[]);
  const changed = [...fields].filter((field) => {
    if (EXCEPTIONS.includes(field) || (isGated && GATED_EXCEPTIONS.includes(field))) return false;
    if (field === 'nodeName' && !isPlaced) return false;
    return !deepEqual(spec[field], old[field]);
  });
  return [...changed.map((field) => `spec.${field}`), ...changedContainers(spec, old)].toSorted();
}

function changedContainers(spec: PodSpec, old: PodSpec): readonly string[] {
  return (['containers', 'initContainers'] as const).flatMap((list) =>
    (spec[list] ?? []).flatMap((container, i) => {
      const before = old[list]?.[i];
      return before === undefined || sameButImage(container, before) ? [] : [`spec.${list}[${i}]`];
    }),
  );
}

function sameButImage(container: Container, before: Container): boolean {
  return deepEqual({ ...container, image: '' }, { ...before, image: '' });
}
