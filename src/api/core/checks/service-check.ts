// What is wrong with a Service, in Kubernetes' words (k8s.io/kubernetes pkg/apis/core/validation). Paths
// are those of the fields, also where upstream writes another: they lead to a line in a file. What only
// the allocators can provide is not asked for.

import { deepEqual } from '../../../lib/equal.ts';
import { fieldError } from '../../schema/errors.ts';
import type { FieldError } from '../../schema/errors.ts';
import { checkCidr, checkExternalIp, checkIp, parseIp } from '../ip.ts';
import { checkLabels } from '../metadata.ts';
import {
  checkName,
  checkPortReference,
  dns1123Label,
  dns1123Subdomain,
  labelKey,
  portNumber,
} from '../names.ts';
import { checkClusterIps, checkIpFamilyChange } from './service-address-check.ts';
import { serviceCarryOver } from '../service-defaults.ts';
import type { ServicePort, ServiceSpec } from '../service-spec.ts';
import { isExternallyAccessible, isHeadless, needsHealthCheck } from '../service-type.ts';
import type { Service } from '../service.ts';

/** One day. */
const AFFINITY_TIMEOUT_SECONDS_MAX = 86_400;

const SOURCE_RANGES_ANNOTATION = 'service.beta.kubernetes.io/load-balancer-source-ranges';
const HINTS_ANNOTATION = 'service.kubernetes.io/topology-aware-hints';
const MODE_ANNOTATION = 'service.kubernetes.io/topology-mode';

export function checkService(
  written: Service,
  _path: string,
  old: Service | undefined,
): readonly FieldError[] {
  // What the writer left to the system counts as kept, whoever fills it in.
  const service = old === undefined ? written : serviceCarryOver(old, written);
  const errors: FieldError[] = [];
  if (old !== undefined) checkServiceChange(service.spec, old.spec, errors);
  checkTopologyAnnotations(service, errors);
  checkSpec(service.spec, old?.spec, errors);
  checkSourceRanges(service, old, errors);
  checkLoadBalancerFields(service.spec, errors);
  checkTrafficPolicies(service.spec, errors);
  if (old !== undefined && !deepEqual(service.status, old.status)) {
    checkLoadBalancerStatus(service, old, errors);
  }
  return errors;
}

function checkServiceChange(spec: ServiceSpec, old: ServiceSpec, errors: FieldError[]): void {
  checkIpFamilyChange(spec, old, errors);
  const bothBalanced = spec.type === 'LoadBalancer' && old.type === 'LoadBalancer';
  if (bothBalanced && spec.loadBalancerClass !== old.loadBalancerClass) {
    const value = spec.loadBalancerClass;
    errors.push(fieldError.invalid('spec.loadBalancerClass', value, 'may not change once set'));
  }
  const bothChecked = needsHealthCheck(spec) && needsHealthCheck(old);
  if (bothChecked && spec.healthCheckNodePort !== old.healthCheckNodePort) {
    errors.push(fieldError.forbidden('spec.healthCheckNodePort', 'field is immutable'));
  }
}

function checkTopologyAnnotations({ metadata }: Service, errors: FieldError[]): void {
  const mode = metadata.annotations?.[MODE_ANNOTATION];
  const hints = metadata.annotations?.[HINTS_ANNOTATION];
  if (mode === undefined || hints === undefined || mode === hints) return;
  const detail = `must match annotations[${HINTS_ANNOTATION}] when both are specified`;
  errors.push(fieldError.invalid(`metadata.annotations[${MODE_ANNOTATION}]`, mode, detail));
}

function checkSpec(spec: ServiceSpec, old: ServiceSpec | undefined, errors: FieldError[]): void {
  const ports = spec.ports ?? [];
  if (ports.length === 0 && !isHeadless(spec) && spec.type !== 'ExternalName') {
    errors.push(fieldError.required('spec.ports'));
  }
  checkType(spec, errors);
  checkPorts(ports, errors);
  checkLabels(spec.selector, 'spec.selector', errors);
  checkAffinity(spec, errors);
  if (spec.type !== 'ExternalName') checkClusterIps(spec, old?.clusterIPs ?? [], errors);
  for (const [i, ip] of (spec.externalIPs ?? []).entries()) {
    const at = `spec.externalIPs[${i}]`;
    const malformed = old?.externalIPs?.includes(ip) === true ? [] : checkIp(ip, at);
    errors.push(...(malformed.length > 0 ? malformed : checkExternalIp(ip, at)));
  }
  checkNodePorts(spec, ports, errors);
  checkRepeatedPorts(ports, errors);
}

function checkType(spec: ServiceSpec, errors: FieldError[]): void {
  switch (spec.type) {
    case 'ClusterIP':
      return;
    case 'NodePort':
    case 'LoadBalancer':
      if (isHeadless(spec)) {
        const detail = `may not be set to 'None' for ${spec.type} services`;
        errors.push(fieldError.invalid('spec.clusterIPs[0]', 'None', detail));
      }
      return;
    case 'ExternalName':
      checkExternalName(spec, errors);
      return;
  }
}

function checkExternalName(spec: ServiceSpec, errors: FieldError[]): void {
  const detail = 'may not be set for ExternalName services';
  if ((spec.clusterIPs ?? []).length > 0) {
    errors.push(fieldError.forbidden('spec.clusterIPs', detail));
  }
  if ((spec.ipFamilies ?? []).length > 0) {
    errors.push(fieldError.forbidden('spec.ipFamilies', detail));
  }
  if (spec.ipFamilyPolicy !== undefined) {
    errors.push(fieldError.forbidden('spec.ipFamilyPolicy', detail));
  }
  // A final dot marks the name as complete, and is allowed.
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  if (name === '') errors.push(fieldError.required('spec.externalName'));
  else checkName(dns1123Subdomain, name, 'spec.externalName', errors);
}

function checkPorts(ports: readonly ServicePort[], errors: FieldError[]): void {
  const names = new Set<string>();
  for (const [i, port] of ports.entries()) {
    const at = `spec.ports[${i}]`;
    const name = port.name ?? '';
    if (name !== '') {
      checkName(dns1123Label, name, `${at}.name`, errors);
      if (names.has(name)) errors.push(fieldError.duplicate(`${at}.name`, name));
      names.add(name);
    } else if (ports.length > 1) errors.push(fieldError.required(`${at}.name`));
    for (const detail of portNumber(port.port)) {
      errors.push(fieldError.invalid(`${at}.port`, port.port, detail));
    }
    checkPortReference(port.targetPort ?? port.port, `${at}.targetPort`, errors);
    if (port.appProtocol !== undefined) {
      checkName(labelKey, port.appProtocol, `${at}.appProtocol`, errors);
    }
  }
}

function checkAffinity(spec: ServiceSpec, errors: FieldError[]): void {
  if (spec.sessionAffinity !== 'ClientIP') return;
  // Present after defaulting.
  const timeout = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 0;
  if (timeout > 0 && timeout <= AFFINITY_TIMEOUT_SECONDS_MAX) return;
  const path = 'spec.sessionAffinityConfig.clientIP.timeoutSeconds';
  const detail = `must be greater than 0 and less than ${AFFINITY_TIMEOUT_SECONDS_MAX}`;
  errors.push(fieldError.invalid(path, timeout, detail));
}

function checkNodePorts(
  spec: ServiceSpec,
  ports: readonly ServicePort[],
  errors: FieldError[],
): void {
  const seen = new Set<string>();
  for (const [i, { nodePort, protocol }] of ports.entries()) {
    if (nodePort === undefined) continue;
    const at = `spec.ports[${i}].nodePort`;
    if (spec.type === 'ClusterIP') {
      errors.push(fieldError.forbidden(at, "may not be used when `type` is 'ClusterIP'"));
    }
    const key = `${protocol}/${nodePort}`;
    if (seen.has(key)) errors.push(fieldError.duplicate(at, nodePort));
    seen.add(key);
  }
}

function checkRepeatedPorts(ports: readonly ServicePort[], errors: FieldError[]): void {
  const seen = new Set<string>();
  for (const [i, { port, protocol }] of ports.entries()) {
    const key = `${protocol}/${port}`;
    if (seen.has(key)) {
      // Upstream shows its internal form of the port, with nothing but the key filled in.
      const value = {
        Name: '',
        Protocol: protocol,
        AppProtocol: null,
        Port: port,
        TargetPort: 0,
        NodePort: 0,
      };
      errors.push(fieldError.duplicate(`spec.ports[${i}]`, value));
    }
    seen.add(key);
  }
}

function checkSourceRanges(service: Service, old: Service | undefined, errors: FieldError[]): void {
  const { spec, metadata } = service;
  const ranges = spec.loadBalancerSourceRanges ?? [];
  const annotation = metadata.annotations?.[SOURCE_RANGES_ANNOTATION];
  const path =
    ranges.length > 0
      ? 'spec.loadBalancerSourceRanges'
      : `metadata.annotations[${SOURCE_RANGES_ANNOTATION}]`;
  if (ranges.length === 0 && annotation === undefined) return;
  if (spec.type !== 'LoadBalancer') {
    errors.push(fieldError.forbidden(path, "may only be used when `type` is 'LoadBalancer'"));
  }
  // Space around a network is part of the API: the annotation was a comma-separated list.
  if (ranges.length > 0) {
    const stored = (old?.spec.loadBalancerSourceRanges ?? []).map((range) => range.trim());
    for (const [i, range] of ranges.entries()) {
      if (!stored.includes(range.trim())) errors.push(...checkCidr(range.trim(), `${path}[${i}]`));
    }
    return;
  }
  const text = annotation?.trim() ?? '';
  if (text === '' || old?.metadata.annotations?.[SOURCE_RANGES_ANNOTATION] === annotation) return;
  for (const range of text.split(',')) errors.push(...checkCidr(range.trim(), path));
}

function checkLoadBalancerFields(spec: ServiceSpec, errors: FieldError[]): void {
  const balanced = spec.type === 'LoadBalancer';
  const detail = "may only be used when `type` is 'LoadBalancer'";
  if (spec.allocateLoadBalancerNodePorts !== undefined && !balanced) {
    errors.push(fieldError.forbidden('spec.allocateLoadBalancerNodePorts', detail));
  }
  if (spec.loadBalancerClass === undefined) return;
  if (balanced) checkName(labelKey, spec.loadBalancerClass, 'spec.loadBalancerClass', errors);
  else errors.push(fieldError.forbidden('spec.loadBalancerClass', detail));
}

function checkTrafficPolicies(spec: ServiceSpec, errors: FieldError[]): void {
  if (spec.externalTrafficPolicy !== undefined && !isExternallyAccessible(spec)) {
    const detail = 'may only be set for externally-accessible services';
    const value = spec.externalTrafficPolicy;
    errors.push(fieldError.invalid('spec.externalTrafficPolicy', value, detail));
  }
  const port = spec.healthCheckNodePort;
  if (port === undefined) return;
  const details = needsHealthCheck(spec)
    ? portNumber(port)
    : ["may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"];
  for (const detail of details) {
    errors.push(fieldError.invalid('spec.healthCheckNodePort', port, detail));
  }
}

function checkLoadBalancerStatus(service: Service, old: Service, errors: FieldError[]): void {
  const path = 'status.loadBalancer.ingress';
  const ingress = service.status.loadBalancer.ingress ?? [];
  if (service.spec.type !== 'LoadBalancer' && ingress.length > 0) {
    errors.push(fieldError.forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'"));
    return;
  }
  const stored = new Set((old.status.loadBalancer.ingress ?? []).map((item) => item.ip));
  for (const [i, { ip = '', hostname = '', ipMode }] of ingress.entries()) {
    const at = `${path}[${i}]`;
    if (ip !== '' && !stored.has(ip)) errors.push(...checkIp(ip, `${at}.ip`));
    if (ip !== '' && ipMode === undefined) {
      errors.push(fieldError.required(`${at}.ipMode`, 'must be specified when `ip` is set'));
    } else if (ip === '' && ipMode !== undefined) {
      const detail = 'may not be specified when `ip` is not set';
      errors.push(fieldError.forbidden(`${at}.ipMode`, detail));
    }
    checkLoadBalancerHostname(hostname, `${at}.hostname`, errors);
  }
}

/** The hostname of a load balancer in a status; '' for none. */
export function checkLoadBalancerHostname(
  hostname: string,
  path: string,
  errors: FieldError[],
): void {
  if (hostname === '') return;
  checkName(dns1123Subdomain, hostname, path, errors);
  if (parseIp(hostname) !== undefined) {
    errors.push(fieldError.invalid(path, hostname, 'must be a DNS name, not an IP address'));
  }
}
