// What is wrong with a Node, in Kubernetes' words (k8s.io/kubernetes pkg/apis/core/validation).

import { deepEqual } from '../../../lib/equal.ts';
import { fieldError } from '../../schema/errors.ts';
import type { FieldError } from '../../schema/errors.ts';
import { checkCidr, cidrFamily } from '../ip.ts';
import { checkName, labelKey, labelValue } from '../names.ts';
import type { Node } from '../node.ts';
import { checkAmounts } from './resources-check.ts';

export function checkNode(node: Node, _path: string, old: Node | undefined): readonly FieldError[] {
  const errors: FieldError[] = [];
  checkTaints(node.spec.taints ?? [], errors);
  checkAmounts(node.status.capacity, 'status.capacity', errors);
  checkAmounts(node.status.allocatable, 'status.allocatable', errors);
  if (old === undefined) checkPodCidrs(node.spec.podCIDRs ?? [], errors);
  else checkNodeChange(node, old, errors);
  return errors;
}

type Taint = NonNullable<Node['spec']['taints']>[number];

function checkTaints(taints: readonly Taint[], errors: FieldError[]): void {
  const seen = new Set<string>();
  for (const [i, taint] of taints.entries()) {
    const at = `spec.taints[${i}]`;
    checkName(labelKey, taint.key, `${at}.key`, errors);
    const malformed = labelValue(taint.value ?? '');
    if (malformed.length > 0) {
      errors.push(fieldError.invalid(`${at}.value`, taint.value, malformed.join(';')));
    }
    const key = `${taint.effect}/${taint.key}`;
    if (seen.has(key)) {
      const { message, ...rest } = fieldError.duplicate(at, taint);
      const detail = 'taints must be unique by key and effect pair';
      errors.push({ ...rest, message: `${message}: ${detail}` });
    }
    seen.add(key);
  }
}

function checkPodCidrs(podCIDRs: readonly string[], errors: FieldError[]): void {
  const path = 'spec.podCIDRs';
  for (const [i, cidr] of podCIDRs.entries()) errors.push(...checkCidr(cidr, `${path}[${i}]`));
  if (podCIDRs.length < 2) return;
  const [first, second] = podCIDRs.map(cidrFamily);
  if (podCIDRs.length > 2 || first === second) {
    const detail = 'may specify no more than one CIDR for each IP family';
    errors.push(fieldError.invalid(path, podCIDRs, detail));
  }
}

function checkNodeChange(node: Node, old: Node, errors: FieldError[]): void {
  checkRepeatedAddresses(node, errors);
  const { podCIDRs = [], providerID = '' } = node.spec;
  const stored = old.spec.podCIDRs ?? [];
  // A network that was given is never taken away; one that is left out is kept.
  if (stored.length > 0 && podCIDRs.length > 0 && !deepEqual(stored, podCIDRs)) {
    const detail = 'node updates may not change podCIDR except from "" to valid';
    errors.push(fieldError.forbidden('spec.podCIDRs', detail));
  }
  const storedId = old.spec.providerID ?? '';
  if (storedId !== '' && providerID !== '' && storedId !== providerID) {
    const detail = 'field cannot be modified once set';
    errors.push(fieldError.invalid('spec.providerID', providerID, detail));
  }
}

function checkRepeatedAddresses(node: Node, errors: FieldError[]): void {
  const seen = new Set<string>();
  for (const [i, address] of (node.status.addresses ?? []).entries()) {
    const key = `${address.type}/${address.address}`;
    if (seen.has(key)) {
      const value = { Type: address.type, Address: address.address };
      errors.push(fieldError.duplicate(`status.addresses[${i}]`, value));
    }
    seen.add(key);
  }
}
