// The address families of a Service (k8s.io/kubernetes pkg/registry/core/service initIPFamilyFields) on
// a cluster that has IPv4 only.

import { ipFamily } from '../../api/core/ip.ts';
import type { ServiceSpec } from '../../api/core/service-spec.ts';
import { isHeadless } from '../../api/core/service-type.ts';
import { fieldError } from '../../api/schema/errors.ts';
import type { FieldError } from '../../api/schema/errors.ts';

type Family = 'IPv4' | 'IPv6';
type Policy = NonNullable<ServiceSpec['ipFamilyPolicy']>;

export interface Families {
  /** What is asked for, or IPv4 alone where that cannot be. */
  readonly ipFamilies: readonly Family[];
  readonly ipFamilyPolicy: Policy;
  readonly errors: readonly FieldError[];
}

const CONFIGURED: Family = 'IPv4';
const POLICY_PATH = 'spec.ipFamilyPolicy';

/** `old` is the stored specification on an update. */
export function decideFamilies(spec: ServiceSpec, old: ServiceSpec | undefined): Families {
  const ipFamilyPolicy = policyOf(spec, old);
  const asked = spec.ipFamilies ?? [];
  const errors = [
    ...(old === undefined ? [] : reductionErrors(spec, old, ipFamilyPolicy)),
    ...singleStackErrors(spec, ipFamilyPolicy),
    ...addressFamilyErrors(spec, asked.length),
  ];
  if (isOthersBusiness(spec)) {
    const ipFamilies = errors.length === 0 ? completed(asked, ipFamilyPolicy) : asked.slice(0, 1);
    return { ipFamilies, ipFamilyPolicy, errors };
  }
  if (errors.length === 0) errors.push(...configurationErrors(asked, ipFamilyPolicy));
  return { ipFamilies: [CONFIGURED], ipFamilyPolicy, errors };
}

/** Headless and without selector: its endpoints are somebody else's, of whatever family they like. */
function isOthersBusiness(spec: ServiceSpec): boolean {
  return isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0;
}

function policyOf(spec: ServiceSpec, old: ServiceSpec | undefined): Policy {
  if (spec.ipFamilyPolicy !== undefined) return spec.ipFamilyPolicy;
  if (old?.ipFamilyPolicy !== undefined) return old.ipFamilyPolicy;
  return isOthersBusiness(spec) ? 'RequireDualStack' : 'SingleStack';
}

function completed(asked: readonly Family[], policy: Policy): readonly Family[] {
  const families = asked.length === 0 ? [CONFIGURED] : asked;
  if (families.length > 1 || policy === 'SingleStack') return families;
  return [...families, families[0] === 'IPv4' ? 'IPv6' : 'IPv4'];
}

/** Giving the second address back has to be said, and is not guessed from its absence. */
function reductionErrors(spec: ServiceSpec, old: ServiceSpec, policy: Policy): FieldError[] {
  if (policy === 'SingleStack') return [];
  const isReduced = (after: readonly string[] = [], before: readonly string[] = []): boolean =>
    after.length > 0 && after.length < before.length;
  const errors: FieldError[] = [];
  if (isReduced(spec.clusterIPs, old.clusterIPs)) {
    const detail = "must be 'SingleStack' to release the secondary cluster IP";
    errors.push(fieldError.invalid(POLICY_PATH, policy, detail));
  }
  if (isReduced(spec.ipFamilies, old.ipFamilies)) {
    const detail = "must be 'SingleStack' to release the secondary IP family";
    errors.push(fieldError.invalid(POLICY_PATH, policy, detail));
  }
  return errors;
}

function singleStackErrors(spec: ServiceSpec, policy: Policy): FieldError[] {
  if (policy !== 'SingleStack') return [];
  const must = "must be 'RequireDualStack' or 'PreferDualStack' when multiple";
  const errors: FieldError[] = [];
  if ((spec.clusterIPs ?? []).length === 2) {
    errors.push(fieldError.invalid(POLICY_PATH, policy, `${must} cluster IPs are specified`));
  }
  if ((spec.ipFamilies ?? []).length === 2) {
    errors.push(fieldError.invalid(POLICY_PATH, policy, `${must} IP families are specified`));
  }
  return errors;
}

/** Addresses beyond the families that were named tell their family themselves. */
function addressFamilyErrors(spec: ServiceSpec, named: number): FieldError[] {
  const { clusterIPs = [] } = spec;
  if (isHeadless(spec)) return [];
  return clusterIPs.flatMap((text, i) => {
    const family = `IPv${ipFamily(text)}`;
    if (i < named || text === '' || family === CONFIGURED) return [];
    const detail = `${family} is not configured on this cluster`;
    return [fieldError.invalid(`spec.clusterIPs[${i}]`, clusterIPs, detail)];
  });
}

function configurationErrors(asked: readonly Family[], policy: Policy): FieldError[] {
  const errors: FieldError[] = [];
  if (policy === 'RequireDualStack') {
    const detail = 'this cluster is not configured for dual-stack services';
    errors.push(fieldError.invalid(POLICY_PATH, policy, detail));
  }
  for (const [i, family] of asked.entries()) {
    if (family === CONFIGURED) continue;
    const detail = 'not configured on this cluster';
    errors.push(fieldError.invalid(`spec.ipFamilies[${i}]`, family, detail));
  }
  return errors;
}
