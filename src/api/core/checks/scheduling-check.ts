// What is wrong with affinity, tolerations and spreading, in Kubernetes' words (k8s.io/kubernetes
// pkg/apis/core/validation).

import { fieldError } from '../../schema/errors.ts';
import type { FieldError } from '../../schema/errors.ts';
import { checkLabelSelector } from './label-selector-check.ts';
import { checkName, dns1123Label, dns1123Subdomain, labelKey, labelValue } from '../names.ts';
import type {
  Affinity,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
  Toleration,
  TopologySpreadConstraint,
} from '../scheduling.ts';

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';

export function checkAffinity(
  affinity: Affinity | undefined,
  path: string,
  errors: FieldError[],
): void {
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity ?? {};
  const required = nodeAffinity?.[REQUIRED];
  if (required !== undefined) {
    const at = `${path}.nodeAffinity.${REQUIRED}.nodeSelectorTerms`;
    const terms = required.nodeSelectorTerms;
    if (terms.length === 0) {
      errors.push(fieldError.required(at, 'must have at least one node selector term'));
    }
    for (const [i, term] of terms.entries()) checkNodeTerm(term, true, `${at}[${i}]`, errors);
  }
  for (const [i, term] of (nodeAffinity?.[PREFERRED] ?? []).entries()) {
    const at = `${path}.nodeAffinity.${PREFERRED}[${i}]`;
    checkWeight(term.weight, at, errors);
    // A preference that no node can have does no harm: its values are not looked at.
    checkNodeTerm(term.preference, false, `${at}.preference`, errors);
  }
  checkPodAffinity(podAffinity, `${path}.podAffinity`, errors);
  checkPodAffinity(podAntiAffinity, `${path}.podAntiAffinity`, errors);
}

function checkNodeTerm(
  term: NodeSelectorTerm,
  withValues: boolean,
  path: string,
  errors: FieldError[],
): void {
  for (const [i, requirement] of (term.matchExpressions ?? []).entries()) {
    checkNodeRequirement(requirement, withValues, `${path}.matchExpressions[${i}]`, errors);
  }
  for (const [i, requirement] of (term.matchFields ?? []).entries()) {
    checkNodeField(requirement, `${path}.matchFields[${i}]`, errors);
  }
}

function checkNodeRequirement(
  requirement: NodeSelectorRequirement,
  withValues: boolean,
  path: string,
  errors: FieldError[],
): void {
  const { key, operator, values = [] } = requirement;
  const at = `${path}.values`;
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) {
      const detail = "must be specified when `operator` is 'In' or 'NotIn'";
      errors.push(fieldError.required(at, detail));
    }
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) {
      const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      errors.push(fieldError.forbidden(at, detail));
    }
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (values.length !== 1) {
      const detail = "must be specified single value when `operator` is 'Lt' or 'Gt'";
      errors.push(fieldError.required(at, detail));
    }
  } else {
    errors.push(fieldError.invalid(`${path}.operator`, operator, 'not a valid selector operator'));
  }
  checkName(labelKey, key, `${path}.key`, errors);
  if (!withValues) return;
  for (const [i, value] of values.entries()) checkName(labelValue, value, `${at}[${i}]`, errors);
}

function checkNodeField(
  { key, operator, values = [] }: NodeSelectorRequirement,
  path: string,
  errors: FieldError[],
): void {
  if (operator !== 'In' && operator !== 'NotIn') {
    errors.push(fieldError.invalid(`${path}.operator`, operator, 'not a valid selector operator'));
  } else if (values.length !== 1) {
    const detail =
      "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
    errors.push(fieldError.required(`${path}.values`, detail));
  }
  if (key !== 'metadata.name') {
    errors.push(fieldError.invalid(`${path}.key`, key, 'not a valid field selector key'));
    return;
  }
  for (const [i, value] of values.entries()) {
    checkName(dns1123Subdomain, value, `${path}.values[${i}]`, errors);
  }
}

function checkPodAffinity(
  affinity: PodAffinity | undefined,
  path: string,
  errors: FieldError[],
): void {
  for (const [i, term] of (affinity?.[REQUIRED] ?? []).entries()) {
    checkPodTerm(term, `${path}.${REQUIRED}[${i}]`, errors);
  }
  for (const [i, { weight, podAffinityTerm }] of (affinity?.[PREFERRED] ?? []).entries()) {
    const at = `${path}.${PREFERRED}[${i}]`;
    checkWeight(weight, at, errors);
    checkPodTerm(podAffinityTerm, `${at}.podAffinityTerm`, errors);
  }
}

function checkPodTerm(term: PodAffinityTerm, path: string, errors: FieldError[]): void {
  checkLabelSelector(term.labelSelector, `${path}.labelSelector`, errors);
  checkLabelSelector(term.namespaceSelector, `${path}.namespaceSelector`, errors);
  for (const [i, namespace] of (term.namespaces ?? []).entries()) {
    checkName(dns1123Label, namespace, `${path}.namespaces[${i}]`, errors);
  }
  if (term.topologyKey === '') {
    errors.push(fieldError.required(`${path}.topologyKey`, 'can not be empty'));
  }
  checkName(labelKey, term.topologyKey, `${path}.topologyKey`, errors);
}

function checkWeight(weight: number, path: string, errors: FieldError[]): void {
  if (weight >= 1 && weight <= 100) return;
  errors.push(fieldError.invalid(`${path}.weight`, weight, 'must be in the range 1-100'));
}

export function checkTolerations(
  tolerations: readonly Toleration[],
  path: string,
  errors: FieldError[],
): void {
  for (const [i, toleration] of tolerations.entries()) {
    const at = `${path}[${i}]`;
    const { key = '', operator = '', value = '', effect, tolerationSeconds } = toleration;
    if (key !== '') checkName(labelKey, key, `${at}.key`, errors);
    else if (operator !== 'Exists') {
      const detail =
        'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      errors.push(fieldError.invalid(`${at}.operator`, operator, detail));
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
      const detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
      errors.push(fieldError.invalid(`${at}.effect`, effect ?? '', detail));
    }
    checkTolerationValue(operator, value, at, errors);
  }
}

function checkTolerationValue(
  operator: string,
  value: string,
  path: string,
  errors: FieldError[],
): void {
  if (operator === '' || operator === 'Equal') {
    const malformed = labelValue(value);
    if (malformed.length > 0) {
      errors.push(fieldError.invalid(`${path}.operator`, value, malformed.join(';')));
    }
  } else if (operator === 'Exists') {
    if (value !== '') {
      const detail = "value must be empty when `operator` is 'Exists'";
      errors.push(fieldError.invalid(`${path}.operator`, value, detail));
    }
  } else if (operator === 'Lt' || operator === 'Gt') {
    if (!/^(0|-?[1-9][0-9]*)$/.test(value)) {
      const detail =
        value === '' ? 'must be non-empty' : 'must be a valid decimal integer in canonical form';
      errors.push(fieldError.invalid(`${path}.value`, value, detail));
    }
  } else {
    // Comparing numbers is new, and upstream does not name it here.
    errors.push(fieldError.unsupported(`${path}.operator`, operator, ['Equal', 'Exists']));
  }
}

export function checkSpreadConstraints(
  constraints: readonly TopologySpreadConstraint[],
  path: string,
  errors: FieldError[],
): void {
  for (const [i, constraint] of constraints.entries()) {
    const at = `${path}[${i}]`;
    const { maxSkew, topologyKey, whenUnsatisfiable, minDomains } = constraint;
    checkPositive(maxSkew, `${at}.maxSkew`, errors);
    if (topologyKey === '') {
      errors.push(fieldError.required(`${at}.topologyKey`, 'can not be empty'));
    }
    const repeated = constraints
      .slice(i + 1)
      .some((c) => c.topologyKey === topologyKey && c.whenUnsatisfiable === whenUnsatisfiable);
    if (repeated) {
      const value = `{${topologyKey}, ${whenUnsatisfiable}}`;
      errors.push(fieldError.duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, value));
    }
    if (minDomains !== undefined) {
      checkPositive(minDomains, `${at}.minDomains`, errors);
      if (whenUnsatisfiable !== 'DoNotSchedule') {
        const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
        errors.push(fieldError.invalid(`${at}.minDomains`, minDomains, detail));
      }
    }
    checkLabelSelector(constraint.labelSelector, `${at}.labelSelector`, errors);
  }
}

function checkPositive(value: number, path: string, errors: FieldError[]): void {
  if (value <= 0) errors.push(fieldError.invalid(path, value, 'must be greater than zero'));
}
