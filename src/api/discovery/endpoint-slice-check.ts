// What is wrong with an EndpointSlice, in Kubernetes' words (k8s.io/kubernetes
// pkg/apis/discovery/validation).

import { checkCanonicalIp, checkEndpointIp, checkIp, ipFamily } from '../core/ip.ts';
import { checkLabels } from '../core/metadata.ts';
import {
  checkFullyQualifiedName,
  checkName,
  dns1123Label,
  dns1123Subdomain,
  labelKey,
  labelValue,
} from '../core/names.ts';
import type { NameForm } from '../core/names.ts';
import { deepEqual } from '../../lib/equal.ts';
import { fieldError } from '../schema/errors.ts';
import type { FieldError } from '../schema/errors.ts';
import type { Endpoint, EndpointPort, EndpointSlice } from './endpoint-slice.ts';

const PORTS_MAX = 20_000;
const PORT_MAX = 65_535;
const ENDPOINTS_MAX = 1000;
const ADDRESSES_MAX = 100;
const TOPOLOGY_LABELS_MAX = 16;
const HINTS_MAX = 8;

export function checkEndpointSlice(
  slice: EndpointSlice,
  _path: string,
  old: EndpointSlice | undefined,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  checkPorts(slice.ports ?? [], errors);
  // What was once stored may be written again: older versions let more pass.
  if (old === undefined || !deepEqual(slice.endpoints, old.endpoints)) {
    checkEndpoints(slice, errors);
  }
  if (old !== undefined && slice.addressType !== old.addressType) {
    errors.push(fieldError.invalid('addressType', slice.addressType, 'field is immutable'));
  }
  return errors;
}

function checkPorts(ports: readonly EndpointPort[], errors: FieldError[]): void {
  if (ports.length > PORTS_MAX) {
    errors.push(fieldError.tooMany('ports', ports.length, PORTS_MAX));
    return;
  }
  const names = new Set<string>();
  for (const [i, { name, port, appProtocol }] of ports.entries()) {
    // Kubernetes takes such a number, and no packet can have it.
    if (port !== undefined && (port < 1 || port > PORT_MAX)) {
      const detail = `must be between 1 and ${PORT_MAX}, inclusive`;
      errors.push(fieldError.invalid(`ports[${i}].port`, port, detail));
    }
    if (name !== '') checkName(dns1123Label, name, `ports[${i}].name`, errors);
    if (names.has(name)) errors.push(fieldError.duplicate(`ports[${i}].name`, name));
    names.add(name);
    if (appProtocol !== undefined) {
      checkName(labelKey, appProtocol, `ports[${i}].appProtocol`, errors);
    }
  }
}

function checkEndpoints({ endpoints, addressType }: EndpointSlice, errors: FieldError[]): void {
  if (endpoints.length > ENDPOINTS_MAX) {
    errors.push(fieldError.tooMany('endpoints', endpoints.length, ENDPOINTS_MAX));
    return;
  }
  for (const [i, endpoint] of endpoints.entries()) {
    const at = `endpoints[${i}]`;
    checkAddresses(endpoint.addresses, addressType, `${at}.addresses`, errors);
    const { nodeName, hostname, deprecatedTopology } = endpoint;
    if (nodeName !== undefined) checkName(dns1123Subdomain, nodeName, `${at}.nodeName`, errors);
    const labelCount = Object.keys(deprecatedTopology ?? {}).length;
    if (labelCount > TOPOLOGY_LABELS_MAX) {
      const path = `${at}.deprecatedTopology`;
      errors.push(fieldError.tooMany(path, labelCount, TOPOLOGY_LABELS_MAX));
    }
    checkLabels(deprecatedTopology, `${at}.deprecatedTopology`, errors);
    if (hostname !== undefined) checkName(dns1123Label, hostname, `${at}.hostname`, errors);
    checkHints(endpoint.hints, `${at}.hints`, errors);
  }
}

function checkAddresses(
  addresses: readonly string[],
  addressType: EndpointSlice['addressType'],
  path: string,
  errors: FieldError[],
): void {
  if (addresses.length === 0) {
    errors.push(fieldError.required(path));
  } else if (addresses.length > ADDRESSES_MAX) {
    errors.push(fieldError.tooMany(path, addresses.length, ADDRESSES_MAX));
  }
  for (const [i, address] of addresses.entries()) {
    errors.push(...checkAddress(address, addressType, `${path}[${i}]`));
  }
}

function checkAddress(
  address: string,
  addressType: EndpointSlice['addressType'],
  path: string,
): readonly FieldError[] {
  if (addressType === 'FQDN') return checkFullyQualifiedName(address, path);
  const isIPv4 = addressType === 'IPv4';
  const malformed = isIPv4 ? checkIp(address, path) : checkCanonicalIp(address, path);
  if (malformed.length > 0) return malformed;
  const special = checkEndpointIp(address, path);
  return `IPv${ipFamily(address)}` === addressType
    ? special
    : [fieldError.invalid(path, address, `must be an ${addressType} address`), ...special];
}

function checkHints(hints: Endpoint['hints'], path: string, errors: FieldError[]): void {
  if (hints === undefined) return;
  checkHintNames(hints.forZones ?? [], labelValue, `${path}.forZones`, errors);
  checkHintNames(hints.forNodes ?? [], dns1123Subdomain, `${path}.forNodes`, errors);
}

function checkHintNames(
  hints: readonly { readonly name: string }[],
  form: NameForm,
  path: string,
  errors: FieldError[],
): void {
  if (hints.length > HINTS_MAX) {
    errors.push(fieldError.tooMany(path, hints.length, HINTS_MAX));
    return;
  }
  const seen = new Set<string>();
  for (const [i, { name }] of hints.entries()) {
    const at = `${path}[${i}].name`;
    if (seen.has(name)) errors.push(fieldError.duplicate(at, name));
    seen.add(name);
    checkName(form, name, at, errors);
  }
}
