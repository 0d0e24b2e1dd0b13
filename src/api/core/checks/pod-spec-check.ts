// What is wrong with the specification of a Pod, in Kubernetes' words (k8s.io/kubernetes
// pkg/apis/core/validation): the fields of the specification itself, and a walk through its parts.

import { fieldError } from '../../schema/errors.ts';
import type { FieldError } from '../../schema/errors.ts';
import {
  checkContainers,
  checkEphemeralContainers,
  checkInitContainers,
} from './container-check.ts';
import type { ContainerContext } from './container-check.ts';
import { checkIp } from '../ip.ts';
import { checkLabels } from '../metadata.ts';
import {
  checkName,
  dns1123Label,
  dns1123Subdomain,
  dnsSearchDomain,
  inRange,
  labelKey,
} from '../names.ts';
import type { PodSpec } from '../pod-spec.ts';
import { checkRequirements } from './resources-check.ts';
import { checkAffinity, checkSpreadConstraints, checkTolerations } from './scheduling-check.ts';
import { checkPodSecurityContext } from './security-check.ts';
import { checkVolumes } from './volume-check.ts';

interface PodPlace {
  /** Path of the specification: `spec`, or `spec.template.spec`. */
  readonly path: string;
  /** Whether Pods will be made from it later. */
  readonly isTemplate: boolean;
}

export function checkPodSpec(spec: PodSpec, place: PodPlace, errors: FieldError[]): void {
  const { path } = place;
  const context: ContainerContext = {
    volumes: checkVolumes(spec.volumes ?? [], `${path}.volumes`, errors),
    spec,
  };
  checkResourceClaims(spec, path, errors);
  checkContainers(spec.containers, context, `${path}.containers`, errors);
  checkInitContainers(spec.initContainers ?? [], context, `${path}.initContainers`, errors);
  checkEphemeralContainers(
    spec.ephemeralContainers ?? [],
    context,
    `${path}.ephemeralContainers`,
    errors,
  );
  if (spec.resources !== undefined) checkRequirements(spec.resources, `${path}.resources`, errors);
  checkHostPorts(spec, place, errors);
  checkLabels(spec.nodeSelector, `${path}.nodeSelector`, errors);
  checkPodSecurityContext(spec.securityContext, `${path}.securityContext`, errors);
  checkNamespaces(spec, path, errors);
  checkAffinity(spec.affinity, `${path}.affinity`, errors);
  checkDns(spec, `${path}.dnsConfig`, errors);
  checkGates(spec, path, errors);
  checkSpreadConstraints(
    spec.topologySpreadConstraints ?? [],
    `${path}.topologySpreadConstraints`,
    errors,
  );
  checkNames(spec, path, errors);
  checkTolerations(spec.tolerations ?? [], `${path}.tolerations`, errors);
  checkHostAliases(spec, `${path}.hostAliases`, errors);
}

function checkResourceClaims(spec: PodSpec, path: string, errors: FieldError[]): void {
  const seen = new Set<string>();
  for (const [i, claim] of (spec.resourceClaims ?? []).entries()) {
    const at = `${path}.resourceClaims[${i}]`;
    const { name, resourceClaimName, resourceClaimTemplateName } = claim;
    if (name === '') errors.push(fieldError.required(`${at}.name`));
    else if (seen.has(name)) errors.push(fieldError.duplicate(`${at}.name`, name));
    else checkName(dns1123Label, name, `${at}.name`, errors);
    seen.add(name);
    if ((resourceClaimName === undefined) === (resourceClaimTemplateName === undefined)) {
      const detail =
        resourceClaimName === undefined
          ? 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'
          : 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified';
      errors.push(fieldError.invalid(at, claim, detail));
    }
  }
}

/** With the network of the node, a port of the container is that port of the node. */
function checkHostPorts(spec: PodSpec, place: PodPlace, errors: FieldError[]): void {
  if (spec.hostNetwork !== true) return;
  for (const [i, container] of spec.containers.entries()) {
    for (const [j, { hostPort = 0, containerPort }] of (container.ports ?? []).entries()) {
      // Pods made from a template get the port when they are created.
      if (hostPort === containerPort || (place.isTemplate && hostPort === 0)) continue;
      const at = `${place.path}.containers[${i}].ports[${j}].hostPort`;
      const detail = 'must match `containerPort` when `hostNetwork` is true';
      errors.push(fieldError.invalid(at, hostPort, detail));
    }
  }
}

function checkNamespaces(spec: PodSpec, path: string, errors: FieldError[]): void {
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    const detail = 'ShareProcessNamespace and HostPID cannot both be enabled';
    errors.push(fieldError.invalid(`${path}.shareProcessNamespace`, true, detail));
  }
  if (spec.hostUsers !== false) return;
  for (const field of ['hostPID', 'hostIPC'] as const) {
    if (spec[field] === true) {
      errors.push(fieldError.forbidden(`${path}.${field}`, 'when `hostUsers` is false'));
    }
  }
}

const NAMESERVERS_MAX = 3;
const SEARCHES_MAX = 32;
const SEARCHES_CHARS_MAX = 2048;

function checkDns(spec: PodSpec, path: string, errors: FieldError[]): void {
  const config = spec.dnsConfig;
  const { nameservers = [], searches = [], options = [] } = config ?? {};
  if (spec.dnsPolicy === 'None' && nameservers.length === 0) {
    const [at, what] =
      config === undefined
        ? [path, 'must provide `dnsConfig`']
        : [`${path}.nameservers`, 'must provide at least one DNS nameserver'];
    errors.push(fieldError.required(at, `${what} when \`dnsPolicy\` is None`));
    return;
  }
  if (nameservers.length > NAMESERVERS_MAX) {
    const detail = `must not have more than ${NAMESERVERS_MAX} nameservers`;
    errors.push(fieldError.invalid(`${path}.nameservers`, nameservers, detail));
  }
  for (const [i, server] of nameservers.entries()) {
    errors.push(...checkIp(server, `${path}.nameservers[${i}]`));
  }
  if (searches.length > SEARCHES_MAX) {
    const detail = `must not have more than ${SEARCHES_MAX} search paths`;
    errors.push(fieldError.invalid(`${path}.searches`, searches, detail));
  }
  if (searches.join(' ').length > SEARCHES_CHARS_MAX) {
    const detail = `must not have more than ${SEARCHES_CHARS_MAX} characters (including spaces) in the search list`;
    errors.push(fieldError.invalid(`${path}.searches`, searches, detail));
  }
  for (const [i, search] of searches.entries()) {
    if (search === '.') continue;
    checkName(dnsSearchDomain, search.replace(/\.$/, ''), `${path}.searches[${i}]`, errors);
  }
  for (const [i, option] of options.entries()) {
    if ((option.name ?? '') === '') {
      errors.push(fieldError.required(`${path}.options[${i}]`, 'must not be empty'));
    }
  }
}

function checkGates(spec: PodSpec, path: string, errors: FieldError[]): void {
  for (const [i, { conditionType }] of (spec.readinessGates ?? []).entries()) {
    checkName(labelKey, conditionType, `${path}.readinessGates[${i}].conditionType`, errors);
  }
  const seen = new Set<string>();
  for (const [i, { name }] of (spec.schedulingGates ?? []).entries()) {
    const at = `${path}.schedulingGates[${i}]`;
    checkName(labelKey, name, at, errors);
    if (seen.has(name)) errors.push(fieldError.duplicate(at, name));
    seen.add(name);
  }
}

const INT32_MAX = 2 ** 31 - 1;

function checkNames(spec: PodSpec, path: string, errors: FieldError[]): void {
  const subdomains = ['serviceAccountName', 'nodeName', 'priorityClassName'] as const;
  for (const field of subdomains) {
    const value = spec[field] ?? '';
    if (value !== '') checkName(dns1123Subdomain, value, `${path}.${field}`, errors);
  }
  if (spec.activeDeadlineSeconds !== undefined) {
    for (const detail of inRange(spec.activeDeadlineSeconds, 1, INT32_MAX)) {
      const at = `${path}.activeDeadlineSeconds`;
      errors.push(fieldError.invalid(at, spec.activeDeadlineSeconds, detail));
    }
  }
  for (const field of ['hostname', 'subdomain'] as const) {
    const value = spec[field] ?? '';
    if (value !== '') checkName(dns1123Label, value, `${path}.${field}`, errors);
  }
  if (spec.runtimeClassName !== undefined) {
    checkName(dns1123Subdomain, spec.runtimeClassName, `${path}.runtimeClassName`, errors);
  }
}

function checkHostAliases(spec: PodSpec, path: string, errors: FieldError[]): void {
  for (const [i, { ip, hostnames = [] }] of (spec.hostAliases ?? []).entries()) {
    errors.push(...checkIp(ip, `${path}[${i}].ip`));
    for (const [j, hostname] of hostnames.entries()) {
      checkName(dns1123Subdomain, hostname, `${path}[${i}].hostnames[${j}]`, errors);
    }
  }
}
