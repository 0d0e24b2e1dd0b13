// What is wrong with Endpoints, in Kubernetes' words (k8s.io/kubernetes pkg/apis/core/validation).

import { deepEqual } from '../../../lib/equal.ts';
import { fieldError } from '../../schema/errors.ts';
import type { FieldError } from '../../schema/errors.ts';
import type { EndpointSubset, Endpoints } from '../endpoints.ts';
import { checkEndpointIp, checkIp } from '../ip.ts';
import { checkName, dns1123Label, dns1123Subdomain, labelKey, portNumber } from '../names.ts';

type Address = NonNullable<EndpointSubset['addresses']>[number];
type Port = NonNullable<EndpointSubset['ports']>[number];

export function checkEndpoints(
  { subsets = [] }: Endpoints,
  _path: string,
  old: Endpoints | undefined,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, subset] of subsets.entries()) {
    const at = `subsets[${i}]`;
    const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
    if (addresses.length === 0 && notReadyAddresses.length === 0) {
      errors.push(fieldError.required(at, 'must specify `addresses` or `notReadyAddresses`'));
    }
    for (const [j, address] of addresses.entries()) {
      checkAddress(address, `${at}.addresses[${j}]`, errors);
    }
    for (const [j, address] of notReadyAddresses.entries()) {
      checkAddress(address, `${at}.notReadyAddresses[${j}]`, errors);
    }
    for (const [j, port] of ports.entries()) {
      checkPort(port, ports.length > 1, `${at}.ports[${j}]`, errors);
    }
  }
  // What was once stored may be written again: older versions let more pass.
  return errors.length > 0 && old !== undefined && deepEqual(old.subsets ?? [], subsets)
    ? []
    : errors;
}

function checkAddress(address: Address, path: string, errors: FieldError[]): void {
  errors.push(...checkIp(address.ip, `${path}.ip`));
  if ((address.hostname ?? '') !== '') {
    checkName(dns1123Label, address.hostname ?? '', `${path}.hostname`, errors);
  }
  if (address.nodeName !== undefined) {
    checkName(dns1123Subdomain, address.nodeName, `${path}.nodeName`, errors);
  }
  errors.push(...checkEndpointIp(address.ip, `${path}.ip`));
}

function checkPort(port: Port, isOneOfMany: boolean, path: string, errors: FieldError[]): void {
  const name = port.name ?? '';
  if (name !== '') checkName(dns1123Label, name, `${path}.name`, errors);
  else if (isOneOfMany) errors.push(fieldError.required(`${path}.name`));
  for (const detail of portNumber(port.port)) {
    errors.push(fieldError.invalid(`${path}.port`, port.port, detail));
  }
  if (port.appProtocol !== undefined) {
    checkName(labelKey, port.appProtocol, `${path}.appProtocol`, errors);
  }
}
