// The address families of a Service (k8s.io/kubernetes pkg/registry/core/service initIPFamilyFields).

import { ipFamily } from '../../api/core/ip.ts';
import type { ServiceSpec } from '../../api/core/service-spec.ts';
import { isHeadless } from '../../api/core/service-type.ts';
import { fieldError } from '../../api/schema/errors.ts';
import type { FieldError } from '../../api/schema/errors.ts';
import { deepEqual } from '../../lib/equal.ts';
import type { IpFamily as Family } from './address-range.ts';

type Policy = NonNullable<ServiceSpec['ipFamilyPolicy']>;

export interface Families {
  /** What is asked for, or one that there is where that cannot be. */
  readonly ipFamilies: readonly Family[];
  readonly ipFamilyPolicy: Policy;
  readonly errors: readonly FieldError[];
}

const POLICY_PATH = 'spec.ipFamilyPolicy';

/**
 * `old` is the stored specification on an update; `configured` are the families that there are, first
 * that of Services which do not say one.
 */
export function decideFamilies(
  spec: ServiceSpec,
  old: ServiceSpec | undefined,
  configured: readonly Family[],
): Families {
  const ipFamilyPolicy = policyOf(spec, old);
  const named = spec.ipFamilies ?? [];
  if (old !== undefined && isSamePreference(spec, old)) {
    return { ipFamilies: named, ipFamilyPolicy, errors: [] };
  }
  const errors = [
    ...(old === undefined ? [] : reductionErrors(spec, old, ipFamilyPolicy)),
    ...singleStackErrors(spec, ipFamilyPolicy),
    ...addressFamilyErrors(spec, named.length, configured),
  ];
  const asked = [...named, ...familiesOfAddresses(spec).slice(named.length)];
  const [primary = 'IPv4'] = configured;
  if (isOthersBusiness(spec)) {
    const families = asked.length === 0 ? [primary] : asked;
    const ipFamilies =
      errors.length === 0 ? completed(families, ipFamilyPolicy) : asked.slice(0, 1);
    return { ipFamilies, ipFamilyPolicy, errors };
  }
  if (errors.length === 0) errors.push(...configurationErrors(asked, ipFamilyPolicy, configured));
  const there = asked.filter((family) => configured.includes(family));
  const families = there.length === 0 ? [primary] : there;
  if (errors.length > 0) return { ipFamilies: families.slice(0, 1), ipFamilyPolicy, errors };
  const ipFamilies = configured.length > 1 ? completed(families, ipFamilyPolicy) : families;
  return { ipFamilies, ipFamilyPolicy, errors };
}

/** Who prefers two families and has one keeps it when there come to be two, until asking anew. */
function isSamePreference(spec: ServiceSpec, old: ServiceSpec): boolean {
  return (
    spec.ipFamilyPolicy === 'PreferDualStack' &&
    old.ipFamilyPolicy === 'PreferDualStack' &&
    (old.ipFamilies ?? []).length > 0 &&
    (spec.clusterIPs ?? []).length > 0 &&
    deepEqual(spec.ipFamilies, old.ipFamilies) &&
    deepEqual(spec.clusterIPs, old.clusterIPs)
  );
}

function familiesOfAddresses(spec: ServiceSpec): readonly Family[] {
  if (isHeadless(spec)) return [];
  return (spec.clusterIPs ?? []).flatMap((text): readonly Family[] => {
    const family = ipFamily(text);
    return family === undefined ? [] : [`IPv${family}`];
  });
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

function completed(families: readonly Family[], policy: Policy): readonly Family[] {
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
function addressFamilyErrors(
  spec: ServiceSpec,
  named: number,
  configured: readonly Family[],
): FieldError[] {
  const { clusterIPs = [] } = spec;
  if (isHeadless(spec)) return [];
  return clusterIPs.flatMap((text, i) => {
    const family = ipFamily(text);
    if (i < named || family === undefined || configured.includes(`IPv${family}`)) return [];
    const detail = `IPv${family} is not configured on this cluster`;
    return [fieldError.invalid(`spec.clusterIPs[${i}]`, clusterIPs, detail)];
  });
}

function configurationErrors(
  asked: readonly Family[],
  policy: Policy,
  configured: readonly Family[],
): FieldError[] {
  const errors: FieldError[] = [];
  if (policy === 'RequireDualStack' && configured.length < 2) {
    const detail = 'this cluster is not configured for dual-stack services';
    errors.push(fieldError.invalid(POLICY_PATH, policy, detail));
  }
  for (const [i, family] of asked.entries()) {
    if (configured.includes(family)) continue;
    const detail = 'not configured on this cluster';
    errors.push(fieldError.invalid(`spec.ipFamilies[${i}]`, family, detail));
  }
  return errors;
}
