// What is wrong with environment variables and their sources, in Kubernetes' words (k8s.io/kubernetes
// pkg/apis/core/validation).

import { fieldError } from '../../schema/errors.ts';
import type { FieldError } from '../../schema/errors.ts';
import type { EnvFromSource, EnvVar } from '../env.ts';
import { checkName, configKey, dns1123Subdomain, envVarName, labelKey } from '../names.ts';

export function checkEnv(vars: readonly EnvVar[], path: string, errors: FieldError[]): void {
  for (const [i, variable] of vars.entries()) {
    const at = `${path}[${i}]`;
    if (variable.name === '') errors.push(fieldError.required(`${at}.name`));
    else checkName(envVarName, variable.name, `${at}.name`, errors);
    if (variable.valueFrom !== undefined) checkValueFrom(variable, `${at}.valueFrom`, errors);
  }
}

/** The fields of a Pod that variables can hold. */
const ENV_FIELD_PATHS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];

function checkValueFrom(variable: EnvVar, path: string, errors: FieldError[]): void {
  const from = variable.valueFrom ?? {};
  if (from.fieldRef !== undefined) {
    checkFieldRef(from.fieldRef, ENV_FIELD_PATHS, `${path}.fieldRef`, errors);
  }
  if (from.resourceFieldRef !== undefined) {
    checkResourceFieldRef(from.resourceFieldRef, false, `${path}.resourceFieldRef`, errors);
  }
  for (const source of ['configMapKeyRef', 'secretKeyRef'] as const) {
    const ref = from[source];
    if (ref === undefined) continue;
    checkName(dns1123Subdomain, ref.name, `${path}.${source}.name`, errors);
    if (ref.key === '') errors.push(fieldError.required(`${path}.${source}.key`));
    else checkName(configKey, ref.key, `${path}.${source}.key`, errors);
  }
  const sourceCount = Object.keys(from).length;
  if (sourceCount === 0) {
    const detail =
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
    errors.push(fieldError.invalid(path, '', detail));
  } else if ((variable.value ?? '') !== '') {
    errors.push(fieldError.invalid(path, '', 'may not be specified when `value` is not empty'));
  } else if (sourceCount > 1) {
    const detail = 'may not have more than one field specified at a time';
    errors.push(fieldError.invalid(path, '', detail));
  }
}

export function checkEnvFrom(
  sources: readonly EnvFromSource[],
  path: string,
  errors: FieldError[],
): void {
  for (const [i, source] of sources.entries()) {
    const at = `${path}[${i}]`;
    if ((source.prefix ?? '') !== '') {
      checkName(envVarName, source.prefix ?? '', `${at}.prefix`, errors);
    }
    const { configMapRef, secretRef } = source;
    if (configMapRef !== undefined) {
      checkObjectName(configMapRef.name, `${at}.configMapRef.name`, errors);
    }
    if (secretRef !== undefined) checkObjectName(secretRef.name, `${at}.secretRef.name`, errors);
    if (configMapRef === undefined && secretRef === undefined) {
      const detail = 'must specify one of: `configMapRef` or `secretRef`';
      errors.push(fieldError.invalid(at, '', detail));
    } else if (configMapRef !== undefined && secretRef !== undefined) {
      const detail = 'may not have more than one field specified at a time';
      errors.push(fieldError.invalid(at, '', detail));
    }
  }
}

function checkObjectName(name: string, path: string, errors: FieldError[]): void {
  if (name === '') errors.push(fieldError.required(path));
  else checkName(dns1123Subdomain, name, path, errors);
}

/** Fields of a Pod that exist, whether or not they can be used in a certain place. */
const FIELD_PATHS = new Set([
  ...ENV_FIELD_PATHS,
  'metadata.annotations',
  'metadata.labels',
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
]);

/** A reference to a field of the Pod; `allowed` are the fields that can be used here. */
export function checkFieldRef(
  ref: { readonly apiVersion: string; readonly fieldPath: string },
  allowed: readonly string[],
  path: string,
  errors: FieldError[],
): void {
  const { apiVersion, fieldPath } = ref;
  const at = `${path}.fieldPath`;
  if (fieldPath === '') {
    errors.push(fieldError.required(at));
    return;
  }
  const subscripted = /^(.+?)\['(.*)'\]$/.exec(fieldPath);
  const problem = conversionProblem(apiVersion, fieldPath, subscripted?.[1]);
  if (problem !== undefined) {
    errors.push(fieldError.invalid(at, fieldPath, `error converting fieldPath: ${problem}`));
  } else if (subscripted !== null) {
    const [, field, key = ''] = subscripted;
    // The case of an annotation's key does not count.
    checkName(labelKey, field === 'metadata.annotations' ? key.toLowerCase() : key, path, errors);
  } else if (!allowed.includes(fieldPath)) {
    errors.push(fieldError.unsupported(at, fieldPath, allowed));
  }
}

function conversionProblem(
  apiVersion: string,
  fieldPath: string,
  subscripted: string | undefined,
): string | undefined {
  if (apiVersion !== 'v1') return `unsupported pod version: ${apiVersion}`;
  if (subscripted === undefined) {
    return FIELD_PATHS.has(fieldPath) ? undefined : `field label not supported: ${fieldPath}`;
  }
  return subscripted === 'metadata.annotations' || subscripted === 'metadata.labels'
    ? undefined
    : `field label does not support subscript: ${fieldPath}`;
}

const RESOURCES = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];

const CPU_DIVISORS = ['1', '1m'];
const SIZE_DIVISORS = [
  '1',
  '1k',
  '1M',
  '1G',
  '1T',
  '1P',
  '1E',
  '1Ki',
  '1Mi',
  '1Gi',
  '1Ti',
  '1Pi',
  '1Ei',
];

interface ResourceFieldRef {
  readonly containerName?: string;
  readonly resource: string;
  readonly divisor: string;
}

/** A reference to a limit or request; in a volume it has to name the container. */
export function checkResourceFieldRef(
  ref: ResourceFieldRef,
  inVolume: boolean,
  path: string,
  errors: FieldError[],
): void {
  const { containerName = '', resource, divisor } = ref;
  const isHugePages = /^(limits|requests)\.hugepages-/.test(resource);
  if (inVolume && containerName === '') {
    errors.push(fieldError.required(`${path}.containerName`));
  } else if (resource === '') {
    errors.push(fieldError.required(`${path}.resource`));
  } else if (!RESOURCES.includes(resource) && !isHugePages) {
    errors.push(fieldError.unsupported(`${path}.resource`, resource, RESOURCES));
  }
  const name = isHugePages ? 'hugepages' : resource.replace(/^(limits|requests)\./, '');
  const divisors = name === 'cpu' ? CPU_DIVISORS : SIZE_DIVISORS;
  if (divisor === '0' || !DIVIDED.has(name) || divisors.includes(divisor)) return;
  const detail =
    name === 'cpu'
      ? "only divisor's values 1m and 1 are supported with the cpu resource"
      : `only divisor's values ${SIZE_DIVISORS.join(', ')} are supported with the ${DIVIDED.get(name)} resource`;
  errors.push(fieldError.invalid(`${path}.divisor`, resource, detail));
}

/** What resources are called in the error about their divisor. */
const DIVIDED: ReadonlyMap<string, string> = new Map([
  ['cpu', 'cpu'],
  ['memory', 'memory'],
  ['ephemeral-storage', 'local ephemeral storage'],
  ['hugepages', 'hugepages'],
]);
