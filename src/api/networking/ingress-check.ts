// What is wrong with an Ingress, in Kubernetes' words (k8s.io/kubernetes pkg/apis/networking/validation).

import { parseIp, checkIp } from '../core/ip.ts';
import {
  checkName,
  dns1123Label,
  dns1123Subdomain,
  pathSegment,
  portName,
  portNumber,
  wildcardDns1123Subdomain,
} from '../core/names.ts';
import { checkLoadBalancerHostname } from '../core/checks/service-check.ts';
import { deepEqual } from '../../lib/equal.ts';
import { fieldError } from '../schema/errors.ts';
import type { FieldError } from '../schema/errors.ts';
import type { HTTPIngressPath, Ingress, IngressBackend } from './ingress.ts';

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';

export function checkIngress(
  ingress: Ingress,
  _path: string,
  old: Ingress | undefined,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { spec, metadata } = ingress;
  const rules = spec.rules ?? [];
  if (rules.length === 0 && spec.defaultBackend === undefined) {
    const detail = 'either `defaultBackend` or `rules` must be specified';
    errors.push(fieldError.invalid('spec', spec.rules, detail));
  }
  if (spec.defaultBackend !== undefined) {
    checkBackend(spec.defaultBackend, 'spec.defaultBackend', errors);
  }
  checkRules(ingress, errors);
  checkTls(ingress, old, errors);
  if (spec.ingressClassName !== undefined) {
    checkName(dns1123Subdomain, spec.ingressClassName, 'spec.ingressClassName', errors);
  }
  const annotation = metadata.annotations?.[CLASS_ANNOTATION];
  const named = spec.ingressClassName ?? annotation;
  if (old === undefined && annotation !== undefined && annotation !== named) {
    const path = `metadata.annotations[${CLASS_ANNOTATION}]`;
    const detail = 'must match `ingressClassName` when both are specified';
    errors.push(fieldError.invalid(path, annotation, detail));
  }
  if (old !== undefined && !deepEqual(ingress.status, old.status)) {
    checkStatus(ingress, old, errors);
  }
  return errors;
}

function checkRules({ spec }: Ingress, errors: FieldError[]): void {
  for (const [i, { host = '', http }] of (spec.rules ?? []).entries()) {
    const at = `spec.rules[${i}]`;
    if (host !== '') {
      if (parseIp(host) !== undefined) {
        errors.push(
          fieldError.invalid(`${at}.host`, host, 'must be a DNS name, not an IP address'),
        );
      }
      checkHost(host, `${at}.host`, errors);
    }
    if (http === undefined) continue;
    if (http.paths.length === 0) errors.push(fieldError.required(`${at}.http.paths`));
    for (const [j, path] of http.paths.entries()) {
      checkPath(path, `${at}.http.paths[${j}]`, errors);
    }
  }
}

function checkHost(host: string, path: string, errors: FieldError[]): void {
  checkName(host.includes('*') ? wildcardDns1123Subdomain : dns1123Subdomain, host, path, errors);
}

const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix'];

/** What other programs could read as another path. */
const BAD_SEQUENCES = ['//', '/./', '/../', '%2f', '%2F'];
const BAD_SUFFIXES = ['/..', '/.'];

function checkPath(rule: HTTPIngressPath, at: string, errors: FieldError[]): void {
  const { path = '', pathType } = rule;
  // Absent is stored as empty, so that it is reported beside all other errors.
  const written: string = pathType;
  if (written === '') {
    errors.push(fieldError.required(`${at}.pathType`, 'pathType must be specified'));
    return;
  }
  const isSpecific = pathType === 'ImplementationSpecific';
  if (!PATH_TYPES.includes(pathType)) {
    errors.push(fieldError.unsupported(`${at}.pathType`, pathType, PATH_TYPES));
  } else if (!path.startsWith('/') && !(isSpecific && path === '')) {
    errors.push(fieldError.invalid(`${at}.path`, path, 'must be an absolute path'));
  }
  if (pathType === 'Exact' || pathType === 'Prefix') {
    for (const sequence of BAD_SEQUENCES.filter((bad) => path.includes(bad))) {
      const detail = `must not contain '${sequence}'`;
      errors.push(fieldError.invalid(`${at}.path`, path, detail));
    }
    for (const suffix of BAD_SUFFIXES.filter((bad) => path.endsWith(bad))) {
      errors.push(fieldError.invalid(`${at}.path`, path, `cannot end with '${suffix}'`));
    }
  }
  checkBackend(rule.backend, `${at}.backend`, errors);
}

function checkBackend(backend: IngressBackend, path: string, errors: FieldError[]): void {
  const { service, resource } = backend;
  if (service !== undefined && resource !== undefined) {
    const detail = 'cannot set both resource and service backends';
    errors.push(fieldError.invalid(path, '', detail));
  } else if (resource !== undefined) {
    checkResource(resource, `${path}.resource`, errors);
  } else if (service !== undefined) {
    if (service.name === '') errors.push(fieldError.required(`${path}.service.name`));
    else checkName(dns1123Label, service.name, `${path}.service.name`, errors);
    checkBackendPort(service.port, path, errors);
  } else {
    errors.push(fieldError.invalid(path, '', 'resource or service backend is required'));
  }
}

/** `path` is that of the backend. */
function checkBackendPort(
  { name = '', number = 0 }: NonNullable<IngressBackend['service']>['port'],
  path: string,
  errors: FieldError[],
): void {
  if (name !== '' && number !== 0) {
    errors.push(fieldError.invalid(path, '', 'cannot set both port name & port number'));
  } else if (name !== '') {
    checkName(portName, name, `${path}.service.port.name`, errors);
  } else if (number !== 0) {
    for (const detail of portNumber(number)) {
      errors.push(fieldError.invalid(`${path}.service.port.number`, number, detail));
    }
  } else {
    errors.push(fieldError.required(path, 'port name or number is required'));
  }
}

interface ResourceReference {
  readonly apiGroup?: string;
  readonly kind: string;
  readonly name: string;
}

/** A reference to an object of any kind, from a backend or from a class. */
export function checkResource(
  { apiGroup, kind, name }: ResourceReference,
  path: string,
  errors: FieldError[],
): void {
  if (apiGroup !== undefined) checkName(dns1123Subdomain, apiGroup, `${path}.apiGroup`, errors);
  if (kind === '') errors.push(fieldError.required(`${path}.kind`));
  else checkName(pathSegment, kind, `${path}.kind`, errors);
  if (name === '') errors.push(fieldError.required(`${path}.name`));
  else checkName(pathSegment, name, `${path}.name`, errors);
}

function checkTls({ spec }: Ingress, old: Ingress | undefined, errors: FieldError[]): void {
  // A name that was once let in may stay.
  const isTolerant = (old?.spec.tls ?? []).some(({ secretName = '' }) => !isSecretName(secretName));
  for (const [i, { hosts = [], secretName = '' }] of (spec.tls ?? []).entries()) {
    const at = `spec.tls[${i}]`;
    for (const [j, host] of hosts.entries()) checkHost(host, `${at}.hosts[${j}]`, errors);
    if (secretName !== '' && !isTolerant) {
      checkName(dns1123Subdomain, secretName, `${at}.secretName`, errors);
    }
  }
}

function isSecretName(name: string): boolean {
  return name === '' || dns1123Subdomain(name).length === 0;
}

function checkStatus({ status }: Ingress, old: Ingress, errors: FieldError[]): void {
  const stored = new Set((old.status.loadBalancer.ingress ?? []).map((item) => item.ip));
  for (const [i, { ip = '', hostname = '' }] of (status.loadBalancer.ingress ?? []).entries()) {
    const at = `status.loadBalancer.ingress[${i}]`;
    if (ip !== '' && !stored.has(ip)) errors.push(...checkIp(ip, `${at}.ip`));
    checkLoadBalancerHostname(hostname, `${at}.hostname`, errors);
  }
}
