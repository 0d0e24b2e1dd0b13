// What is wrong with the containers of a Pod, in Kubernetes' words (k8s.io/kubernetes
// pkg/apis/core/validation).

import { fieldError } from '../../schema/errors.ts';
import type { FieldError } from '../../schema/errors.ts';
import type { Container, ContainerPort, EphemeralContainer } from '../containers.ts';
import { checkEnv, checkEnvFrom } from './env-check.ts';
import { checkVolumeDevices, checkVolumeMounts } from './mount-check.ts';
import { checkName, dns1123Label, portName, portNumber } from '../names.ts';
import { notFound } from '../not-found.ts';
import type { PodSpec } from '../pod-spec.ts';
import { checkLifecycle, checkProbe } from './probe-check.ts';
import { checkRequirements, checkResourceClaimNames } from './resources-check.ts';
import { checkSecurityContext } from './security-check.ts';
import type { Volume } from '../volumes.ts';

/** What containers may refer to. */
export interface ContainerContext {
  readonly spec: PodSpec;
  /** The sound volumes of the Pod, by name. */
  readonly volumes: ReadonlyMap<string, Volume>;
}

export function checkContainers(
  containers: readonly Container[],
  context: ContainerContext,
  path: string,
  errors: FieldError[],
): void {
  if (containers.length === 0) errors.push(fieldError.required(path));
  const names = new Set<string>();
  for (const [i, container] of containers.entries()) {
    const at = `${path}[${i}]`;
    checkCommon(container, context, at, errors);
    if (names.has(container.name)) {
      errors.push(fieldError.duplicate(`${at}.name`, container.name));
    }
    names.add(container.name);
    checkRunning(container, context, at, errors);
    checkRestartRules(container, at, errors);
  }
  checkHostPortConflicts(containers, path, errors);
}

export function checkInitContainers(
  containers: readonly Container[],
  context: ContainerContext,
  path: string,
  errors: FieldError[],
): void {
  const names = new Set(context.spec.containers.map((container) => container.name));
  for (const [i, container] of containers.entries()) {
    const at = `${path}[${i}]`;
    checkCommon(container, context, at, errors);
    checkRestartRules(container, at, errors);
    const { name } = container;
    if (names.has(name)) errors.push(fieldError.duplicate(`${at}.name`, name));
    else if (name !== '') names.add(name);
    // They run one after the other, so that only a container's own ports can be in each other's way.
    checkHostPortConflicts([container], path, errors);
    if (container.restartPolicy === 'Always') checkRunning(container, context, at, errors);
    else forbidRunning(container, at, errors);
  }
}

/** What only a container that keeps running can have. */
const RUNNING_FIELDS = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const;

function forbidRunning(container: Container, path: string, errors: FieldError[]): void {
  for (const field of RUNNING_FIELDS) {
    if (container[field] === undefined) continue;
    const detail = 'may not be set for init containers without restartPolicy=Always';
    errors.push(fieldError.forbidden(`${path}.${field}`, detail));
  }
  for (const [i, { restartPolicy }] of (container.resizePolicy ?? []).entries()) {
    if (restartPolicy !== 'RestartContainer') continue;
    const at = `${path}.resizePolicy[${i}].restartPolicy`;
    const detail = "must not be set to 'RestartContainer' for non-sidecar initContainers";
    errors.push(fieldError.invalid(at, restartPolicy, detail));
  }
}

/** What an ephemeral container cannot have: nothing of the Pod may come to depend on it. */
const NOT_EPHEMERAL = [
  'ports',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
] as const;

export function checkEphemeralContainers(
  containers: readonly EphemeralContainer[],
  context: ContainerContext,
  path: string,
  errors: FieldError[],
): void {
  const { spec } = context;
  const others = [...spec.containers, ...(spec.initContainers ?? [])];
  const names = new Set(others.map((container) => container.name));
  for (const [i, container] of containers.entries()) {
    const at = `${path}[${i}]`;
    checkCommon(container, context, at, errors);
    const { name, targetContainerName: target = '' } = container;
    if (names.has(name)) errors.push(fieldError.duplicate(`${at}.name`, name));
    names.add(name);
    if (target !== '' && !others.some((other) => other.name === target)) {
      errors.push(notFound(`${at}.targetContainerName`, target));
    }
    forbidEphemeral(container, at, errors);
  }
}

function forbidEphemeral(container: EphemeralContainer, path: string, errors: FieldError[]): void {
  const detail = 'cannot be set for an Ephemeral Container';
  const set: string[] = NOT_EPHEMERAL.filter((field) => container[field] !== undefined);
  if (Object.keys(container.resources).length > 0) set.push('resources');
  for (const field of set) errors.push(fieldError.forbidden(`${path}.${field}`, detail));
  for (const [i, mount] of (container.volumeMounts ?? []).entries()) {
    for (const field of ['subPath', 'subPathExpr'] as const) {
      if ((mount[field] ?? '') === '') continue;
      errors.push(fieldError.forbidden(`${path}.volumeMounts[${i}].${field}`, detail));
    }
  }
}

function checkCommon(
  container: Container,
  context: ContainerContext,
  path: string,
  errors: FieldError[],
): void {
  if (container.name === '') errors.push(fieldError.required(`${path}.name`));
  else checkName(dns1123Label, container.name, `${path}.name`, errors);
  if (container.image === '') errors.push(fieldError.required(`${path}.image`));
  checkPorts(container.ports ?? [], `${path}.ports`, errors);
  checkEnv(container.env ?? [], `${path}.env`, errors);
  checkEnvFrom(container.envFrom ?? [], `${path}.envFrom`, errors);
  checkVolumeMounts(container, context.volumes, path, errors);
  checkVolumeDevices(container, context.volumes, path, errors);
  checkRequirements(container.resources, `${path}.resources`, errors);
  checkResourceClaimNames(container.resources, context.spec, `${path}.resources`, errors);
  checkResizePolicy(container, context, path, errors);
  const { securityContext } = container;
  if (securityContext !== undefined) {
    const hostUsers = context.spec.hostUsers !== false;
    checkSecurityContext(securityContext, hostUsers, `${path}.securityContext`, errors);
  }
}

function checkPorts(ports: readonly ContainerPort[], path: string, errors: FieldError[]): void {
  const names = new Set<string>();
  for (const [i, { name = '', containerPort, hostPort = 0 }] of ports.entries()) {
    const at = `${path}[${i}]`;
    if (name !== '') {
      const malformed = portName(name);
      for (const detail of malformed) errors.push(fieldError.invalid(`${at}.name`, name, detail));
      if (malformed.length === 0 && names.has(name)) {
        errors.push(fieldError.duplicate(`${at}.name`, name));
      }
      names.add(name);
    }
    if (containerPort === 0) errors.push(fieldError.required(`${at}.containerPort`));
    else checkPortNumber(containerPort, `${at}.containerPort`, errors);
    if (hostPort !== 0) checkPortNumber(hostPort, `${at}.hostPort`, errors);
  }
}

function checkPortNumber(port: number, path: string, errors: FieldError[]): void {
  for (const detail of portNumber(port)) errors.push(fieldError.invalid(path, port, detail));
}

function checkHostPortConflicts(
  containers: readonly Container[],
  path: string,
  errors: FieldError[],
): void {
  const seen = new Set<string>();
  for (const [i, container] of containers.entries()) {
    for (const [j, { protocol, hostIP = '', hostPort = 0 }] of (container.ports ?? []).entries()) {
      if (hostPort === 0) continue;
      const key = `${protocol}/${hostIP}/${hostPort}`;
      if (seen.has(key)) {
        errors.push(fieldError.duplicate(`${path}[${i}].ports[${j}].hostPort`, key));
      }
      seen.add(key);
    }
  }
}

function checkRunning(
  container: Container,
  { spec }: ContainerContext,
  path: string,
  errors: FieldError[],
): void {
  if (container.lifecycle !== undefined) {
    checkLifecycle(container.lifecycle, spec, `${path}.lifecycle`, errors);
  }
  for (const field of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    const probe = container[field];
    if (probe !== undefined) checkProbe(probe, field, `${path}.${field}`, errors);
  }
}

const RESTART_RULES_MAX = 20;
const EXIT_CODES_MAX = 255;

function checkRestartRules(container: Container, path: string, errors: FieldError[]): void {
  const rules = container.restartPolicyRules ?? [];
  const at = `${path}.restartPolicyRules`;
  if (container.restartPolicy === undefined && rules.length > 0) {
    const detail = 'must specify restartPolicy when restart rules are used';
    errors.push(fieldError.required(`${path}.restartPolicy`, detail));
  }
  if (rules.length > RESTART_RULES_MAX) {
    errors.push(fieldError.tooMany(at, rules.length, RESTART_RULES_MAX));
  }
  for (const [i, { exitCodes }] of rules.entries()) {
    const count = exitCodes?.values?.length ?? 0;
    if (exitCodes === undefined) {
      errors.push(fieldError.required(`${at}[${i}].exitCodes`, 'must be specified'));
    } else if (count > EXIT_CODES_MAX) {
      errors.push(fieldError.tooMany(`${at}[${i}].exitCodes.values`, count, EXIT_CODES_MAX));
    }
  }
}

function checkResizePolicy(
  container: Container,
  { spec }: ContainerContext,
  path: string,
  errors: FieldError[],
): void {
  const seen = new Set<string>();
  for (const [i, { resourceName, restartPolicy }] of (container.resizePolicy ?? []).entries()) {
    const at = `${path}.resizePolicy[${i}]`;
    if (seen.has(resourceName)) errors.push(fieldError.duplicate(at, resourceName));
    seen.add(resourceName);
    if (spec.restartPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      const detail = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
      errors.push(fieldError.invalid(`${path}.resizePolicy`, restartPolicy, detail));
    }
  }
}
