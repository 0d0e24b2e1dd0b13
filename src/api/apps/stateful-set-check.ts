// What is wrong with a StatefulSet, in Kubernetes' words (k8s.io/kubernetes pkg/apis/apps/validation).

import { checkClaimSpec } from '../core/checks/claim-check.ts';
import { checkName, dns1123Label } from '../core/names.ts';
import type { PodTemplateSpec } from '../core/pod-template.ts';
import type { Volume } from '../core/volumes.ts';
import { deepEqual } from '../../lib/equal.ts';
import { fieldError } from '../schema/errors.ts';
import type { FieldError } from '../schema/errors.ts';
import type { StatefulSet } from './stateful-set.ts';
import {
  checkAmountOrPercent,
  checkAtMostAll,
  checkNonNegative,
  checkSelector,
  checkTemplate,
  isNothing,
} from './workload-check.ts';

type Spec = StatefulSet['spec'];

export function checkStatefulSet(
  { spec }: StatefulSet,
  _path: string,
  old: StatefulSet | undefined,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (spec.podManagementPolicy !== 'OrderedReady' && spec.podManagementPolicy !== 'Parallel') {
    const value: string = spec.podManagementPolicy;
    const detail = "must be 'OrderedReady' or 'Parallel'";
    errors.push(fieldError.invalid('spec.podManagementPolicy', value, detail));
  }
  checkUpdateStrategy(spec.updateStrategy, errors);
  for (const [i, claim] of (spec.volumeClaimTemplates ?? []).entries()) {
    checkClaimSpec(claim.spec, `spec.volumeClaimTemplates[${i}].spec`, errors);
  }
  checkNonNegative(spec.replicas, 'spec.replicas', errors);
  checkNonNegative(spec.minReadySeconds, 'spec.minReadySeconds', errors);
  checkNonNegative(spec.ordinals?.start, 'spec.ordinals.start', errors);
  if ((spec.serviceName ?? '') !== '') {
    checkName(dns1123Label, spec.serviceName ?? '', 'spec.serviceName', errors);
  }
  checkSelector(spec.selector, 'statefulset', errors);
  checkTemplate(spec.selector, podTemplateOf(spec), 'StatefulSet', errors);
  if (old !== undefined) checkUnchanged(spec, old.spec, errors);
  return errors;
}

function checkUpdateStrategy(
  { type, rollingUpdate }: Spec['updateStrategy'],
  errors: FieldError[],
): void {
  const path = 'spec.updateStrategy';
  switch (type) {
    case 'RollingUpdate':
      if (rollingUpdate !== undefined) checkRollingUpdate(rollingUpdate, path, errors);
      return;
    case 'OnDelete':
    case 'Recreate':
      if (rollingUpdate !== undefined) {
        const detail = "only allowed for updateStrategy 'RollingUpdate'";
        errors.push(fieldError.invalid(`${path}.rollingUpdate`, rollingUpdate, detail));
      }
      return;
    default: {
      const detail = "must be 'RollingUpdate' or 'OnDelete'";
      errors.push(fieldError.invalid(path, { type }, detail));
    }
  }
}

function checkRollingUpdate(
  { partition, maxUnavailable }: NonNullable<Spec['updateStrategy']['rollingUpdate']>,
  path: string,
  errors: FieldError[],
): void {
  const at = `${path}.rollingUpdate.maxUnavailable`;
  checkNonNegative(partition, `${path}.rollingUpdate.partition`, errors);
  checkAmountOrPercent(maxUnavailable, at, errors);
  if (isNothing(maxUnavailable)) {
    errors.push(fieldError.invalid(at, maxUnavailable, 'cannot be 0'));
  }
  checkAtMostAll(maxUnavailable, at, errors);
}

/** The template as a pod will have it: with its claims as volumes, and its host name. */
function podTemplateOf({ template, volumeClaimTemplates = [] }: Spec): PodTemplateSpec {
  const { hostname: _hostname, subdomain: _subdomain, ...spec } = template.spec;
  if (volumeClaimTemplates.length === 0) return { ...template, spec };
  const claims: Volume[] = volumeClaimTemplates.map(({ metadata: { name = '' } }) => ({
    name,
    persistentVolumeClaim: { claimName: name },
  }));
  const names = new Set(claims.map((volume) => volume.name));
  const others = (spec.volumes ?? []).filter((volume) => !names.has(volume.name));
  return { ...template, spec: { ...spec, volumes: [...others, ...claims] } };
}

function checkUnchanged(spec: Spec, old: Spec, errors: FieldError[]): void {
  const fields = [
    'selector',
    'volumeClaimTemplates',
    'serviceName',
    'podManagementPolicy',
  ] as const;
  for (const field of fields) {
    if (deepEqual(spec[field], old[field])) continue;
    errors.push(fieldError.invalid(`spec.${field}`, spec[field], 'field is immutable'));
  }
}
