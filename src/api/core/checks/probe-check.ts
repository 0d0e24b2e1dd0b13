// What is wrong with probes and lifecycle hooks, in Kubernetes' words (k8s.io/kubernetes
// pkg/apis/core/validation).

import { fieldError } from '../../schema/errors.ts';
import type { FieldError } from '../../schema/errors.ts';
import { checkName, checkPortReference, httpHeaderName } from '../names.ts';
import type { PodSpec } from '../pod-spec.ts';
import type { Lifecycle, LifecycleHandler, Probe } from '../probes.ts';

const AMOUNTS = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const;

export function checkProbe(
  probe: Probe,
  field: 'livenessProbe' | 'readinessProbe' | 'startupProbe',
  path: string,
  errors: FieldError[],
): void {
  checkHandler(probe, undefined, path, errors);
  for (const name of AMOUNTS) {
    const value = probe[name] ?? 0;
    if (value < 0) {
      const detail = 'must be greater than or equal to 0';
      errors.push(fieldError.invalid(`${path}.${name}`, value, detail));
    }
  }
  const grace = probe.terminationGracePeriodSeconds;
  const at = `${path}.terminationGracePeriodSeconds`;
  if (grace !== undefined && grace <= 0) {
    errors.push(fieldError.invalid(at, grace, 'must be greater than 0'));
  }
  if (field !== 'readinessProbe') {
    // One success is all a container gets the chance for.
    if (probe.successThreshold === 1) return;
    errors.push(
      fieldError.invalid(`${path}.successThreshold`, probe.successThreshold, 'must be 1'),
    );
  } else if (grace !== undefined) {
    errors.push(fieldError.invalid(at, grace, 'must not be set for readinessProbes'));
  }
}

export function checkLifecycle(
  lifecycle: Lifecycle,
  spec: PodSpec,
  path: string,
  errors: FieldError[],
): void {
  const grace = spec.terminationGracePeriodSeconds;
  for (const field of ['postStart', 'preStop'] as const) {
    const handler = lifecycle[field];
    if (handler !== undefined) checkHandler(handler, grace, `${path}.${field}`, errors);
  }
  if (lifecycle.stopSignal !== undefined && spec.os === undefined) {
    const detail = 'may not be set for containers with empty `spec.os.name`';
    errors.push(fieldError.forbidden(`${path}.stopSignal`, detail));
  }
}

type Handler = Pick<Probe, 'grpc'> & LifecycleHandler;

/** Every way to act on a container; exactly one may be given. */
const HANDLER_TYPES = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;

function checkHandler(
  handler: Handler,
  graceSeconds: number | undefined,
  path: string,
  errors: FieldError[],
): void {
  const [first, ...others] = HANDLER_TYPES.filter((type) => handler[type] !== undefined);
  if (first === undefined) {
    errors.push(fieldError.required(path, 'must specify a handler type'));
    return;
  }
  checkHandlerType(handler, first, graceSeconds, { path: `${path}.${first}`, errors });
  for (const type of others) {
    const detail = 'may not specify more than 1 handler type';
    errors.push(fieldError.forbidden(`${path}.${type}`, detail));
  }
}

interface Report {
  readonly path: string;
  readonly errors: FieldError[];
}

function checkHandlerType(
  handler: Handler,
  type: (typeof HANDLER_TYPES)[number],
  graceSeconds: number | undefined,
  { path, errors }: Report,
): void {
  switch (type) {
    case 'exec':
      if ((handler.exec?.command ?? []).length === 0) {
        errors.push(fieldError.required(`${path}.command`));
      }
      return;
    case 'httpGet':
      checkHttpGet(handler.httpGet, path, errors);
      return;
    case 'tcpSocket':
      checkPortReference(handler.tcpSocket?.port ?? 0, `${path}.port`, errors);
      return;
    case 'grpc':
      checkPortReference(handler.grpc?.port ?? 0, `${path}.port`, errors);
      return;
    case 'sleep': {
      const seconds = handler.sleep?.seconds ?? 0;
      if (graceSeconds === undefined || (seconds >= 0 && seconds <= graceSeconds)) return;
      const detail = `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`;
      errors.push(fieldError.invalid(path, seconds, detail));
      return;
    }
  }
}

function checkHttpGet(http: Handler['httpGet'], path: string, errors: FieldError[]): void {
  if (http === undefined) return;
  checkPortReference(http.port, `${path}.port`, errors);
  for (const { name } of http.httpHeaders ?? []) {
    checkName(httpHeaderName, name, `${path}.httpHeaders`, errors);
  }
  if (http.protocol !== 'HTTP2') return;
  if (http.scheme !== 'HTTP') {
    const detail = 'is only supported with HTTP (H2C)';
    errors.push(fieldError.invalid(`${path}.protocol`, http.protocol, detail));
  } else if ((http.host ?? '') !== '') {
    const detail = 'must be empty when `protocol` is "HTTP2"';
    errors.push(fieldError.invalid(`${path}.host`, http.host, detail));
  }
}
