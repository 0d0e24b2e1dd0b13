// What is wrong with the cluster addresses of a Service and their families, and with a change of them.

import { fieldError } from '../../schema/errors.ts';
import type { FieldError } from '../../schema/errors.ts';
import { checkIp, ipFamily } from '../ip.ts';
import type { ServiceSpec } from '../service-spec.ts';
import { isHeadless } from '../service-type.ts';

const PATH = 'spec.clusterIPs';

/** `stored` are the addresses the Service had before: they stay valid, whatever the rules are now. */
export function checkClusterIps(
  spec: ServiceSpec,
  stored: readonly string[],
  errors: FieldError[],
): void {
  const clusterIPs = spec.clusterIPs ?? [];
  const { clusterIP = '' } = spec;
  if (clusterIP === '' && clusterIPs.length > 0) {
    const detail = 'must be empty when `clusterIP` is not specified';
    errors.push(fieldError.invalid(PATH, clusterIPs, detail));
  } else if (clusterIP !== '' && clusterIPs.length === 0) {
    errors.push(fieldError.required(PATH));
  } else if (clusterIP !== '' && clusterIPs[0] !== clusterIP) {
    errors.push(fieldError.invalid(PATH, clusterIPs, 'first value must match `clusterIP`'));
  }
  checkFamilies(spec, errors);
  if (!checkEachAddress(clusterIPs, stored, errors)) return;
  const families = clusterIPs.map(ipFamily);
  if (clusterIPs.length > 1 && (clusterIPs.length > 2 || families[0] === families[1])) {
    const detail = 'may specify no more than one IP for each IP family';
    errors.push(fieldError.invalid(PATH, clusterIPs, detail));
  }
  checkFamilyOfEach(spec, clusterIPs, errors);
}

function checkFamilies(spec: ServiceSpec, errors: FieldError[]): void {
  const seen = new Set<string>();
  for (const [i, family] of (spec.ipFamilies ?? []).entries()) {
    if (seen.has(family)) errors.push(fieldError.duplicate(`spec.ipFamilies[${i}]`, family));
    seen.add(family);
  }
}

/** False when an address is none: comparing addresses would then mislead. */
function checkEachAddress(
  clusterIPs: readonly string[],
  stored: readonly string[],
  errors: FieldError[],
): boolean {
  let sound = true;
  for (const [i, clusterIP] of clusterIPs.entries()) {
    if (i === 0 && clusterIP === 'None') {
      if (clusterIPs.length === 1) continue;
      const detail = "'None' must be the first and only value";
      errors.push(fieldError.invalid(PATH, clusterIPs, detail));
      sound = false;
    } else if (!stored.includes(clusterIP)) {
      const malformed = checkIp(clusterIP, `${PATH}[${i}]`);
      errors.push(...malformed);
      sound &&= malformed.length === 0;
    }
  }
  if (clusterIPs.length > 2) {
    errors.push(fieldError.invalid(PATH, clusterIPs, 'may only hold up to 2 values'));
  }
  return sound;
}

function checkFamilyOfEach(
  spec: ServiceSpec,
  clusterIPs: readonly string[],
  errors: FieldError[],
): void {
  if (isHeadless(spec)) return;
  for (const [i, family] of (spec.ipFamilies ?? []).entries()) {
    const clusterIP = clusterIPs[i];
    if (clusterIP === undefined) return;
    if (family === `IPv${ipFamily(clusterIP)}`) continue;
    const detail = `expected an ${family} value as indicated by \`ipFamilies[${i}]\``;
    errors.push(fieldError.invalid(`${PATH}[${i}]`, clusterIP, detail));
  }
}

/** The first address and family of a Service are for life; the second comes and goes. */
export function checkIpFamilyChange(
  spec: ServiceSpec,
  old: ServiceSpec,
  errors: FieldError[],
): void {
  if (spec.type === 'ExternalName' || old.type === 'ExternalName') return;
  if (isHeadless(spec) && isHeadless(old)) return;
  checkClusterIpChange(spec, old, errors);
  if (isHeadless(spec) === isHeadless(old)) checkFamilyChange(spec, old, errors);
}

function checkClusterIpChange(spec: ServiceSpec, old: ServiceSpec, errors: FieldError[]): void {
  const next = spec.clusterIPs ?? [];
  const before = old.clusterIPs ?? [];
  const kept = next.length === before.length ? before.length : Math.min(1, before.length);
  for (let i = 0; i < kept; i++) {
    if (next[i] !== before[i]) {
      const detail =
        next.length === 0 ? 'primary clusterIP can not be unset' : 'may not change once set';
      errors.push(fieldError.invalid(`${PATH}[${i}]`, next, detail));
    }
  }
  if (before.length === 2 && next.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    const detail = "must be set to 'SingleStack' when releasing the secondary clusterIP";
    errors.push(fieldError.invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, detail));
  }
}

function checkFamilyChange(spec: ServiceSpec, old: ServiceSpec, errors: FieldError[]): void {
  const next = spec.ipFamilies ?? [];
  const before = old.ipFamilies ?? [];
  // The families of a Service without any are still to be given.
  if (next.length === 0 || before.length === 0) return;
  const kept = next.length === before.length ? before.length : 1;
  for (let i = 0; i < kept; i++) {
    if (next[i] !== before[i]) {
      errors.push(fieldError.invalid('spec.ipFamilies[0]', next, 'may not change once set'));
    }
  }
  if (before.length === 2 && next.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    const detail = "must be set to 'SingleStack' when releasing the secondary ipFamily";
    errors.push(fieldError.invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, detail));
  }
}
