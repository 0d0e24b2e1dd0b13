// What is wrong with amounts of resources, in Kubernetes' words (k8s.io/kubernetes
// pkg/apis/core/validation).

import { fieldError } from '../../schema/errors.ts';
import type { FieldError } from '../../schema/errors.ts';
import { checkName, labelKey } from '../names.ts';
import { compareQuantities, formatQuantity, isWhole, parseQuantity } from '../quantity.ts';
import type { Quantity } from '../quantity.ts';
import { notFound } from '../not-found.ts';
import type { PodSpec } from '../pod-spec.ts';
import type { ResourceRequirements } from '../resources.ts';

type Amounts = Readonly<Record<string, string>>;

const ZERO: Quantity = { unscaled: 0n, scale: 0, format: 'decimal' };

/** Resources every container can ask for. */
const CONTAINER_RESOURCES = ['cpu', 'memory', 'ephemeral-storage'];

/** What quotas count; whole numbers only. */
const COUNTED_RESOURCES = [
  'configmaps',
  'persistentvolumeclaims',
  'pods',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'services',
  'services.loadbalancers',
  'services.nodeports',
];

/** Other resources without a prefix. */
const STANDARD_RESOURCES = new Set([
  ...COUNTED_RESOURCES,
  'storage',
  ...['cpu', 'memory', 'ephemeral-storage'].flatMap((name) => [
    `requests.${name}`,
    `limits.${name}`,
  ]),
  'requests.storage',
]);

/** Amounts of any resources, none of them negative. */
export function checkAmounts(
  amounts: Amounts | undefined,
  path: string,
  errors: FieldError[],
): void {
  for (const [resource, text] of Object.entries(amounts ?? {})) {
    checkAmount(resource, amountOf(text), `${path}.${resource}`, errors);
  }
}

/** Limits and requests of a container. */
export function checkRequirements(
  requirements: ResourceRequirements,
  path: string,
  errors: FieldError[],
): void {
  const { limits = {}, requests = {} } = requirements;
  for (const [resource, text] of Object.entries(limits)) {
    const at = `${path}.limits[${resource}]`;
    checkResourceName(resource, at, errors);
    checkAmount(resource, amountOf(text), at, errors);
  }
  for (const [resource, text] of Object.entries(requests)) {
    const at = `${path}.requests[${resource}]`;
    checkResourceName(resource, at, errors);
    checkAmount(resource, amountOf(text), at, errors);
    checkAgainstLimit(resource, text, limits[resource], path, errors);
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePages) && !names.includes('cpu') && !names.includes('memory')) {
    errors.push(fieldError.forbidden(path, 'HugePages require cpu or memory'));
  }
}

/** The claims a container names must be those of its Pod. */
export function checkResourceClaimNames(
  { claims = [] }: ResourceRequirements,
  spec: PodSpec,
  path: string,
  errors: FieldError[],
): void {
  const known = (spec.resourceClaims ?? [])
    .map((claim) => claim.name)
    .filter((name) => name !== '');
  const seen = new Set<string>();
  for (const [i, { name, request = '' }] of claims.entries()) {
    const at = `${path}.claims[${i}]`;
    if (name === '') {
      errors.push(fieldError.required(at));
      continue;
    }
    const key = request === '' ? name : `${name}/${request}`;
    if (seen.has(name) || seen.has(key)) errors.push(fieldError.duplicate(at, key));
    seen.add(key);
    if (known.includes(name)) continue;
    const names = known.length === 0 ? ' which is empty' : `: ${known.toSorted().join(', ')}`;
    errors.push(notFound(at, name, `must be one of the names in pod.spec.resourceClaims${names}`));
  }
}

function checkAmount(resource: string, amount: Quantity, path: string, errors: FieldError[]): void {
  if (compareQuantities(amount, ZERO) < 0) {
    const detail = 'must be greater than or equal to 0';
    errors.push(fieldError.invalid(path, formatQuantity(amount), detail));
  }
  if (isCounted(resource) && !isWhole(amount)) {
    errors.push(fieldError.invalid(path, formatQuantity(amount), 'must be an integer'));
  }
}

function checkResourceName(resource: string, path: string, errors: FieldError[]): void {
  const before = errors.length;
  checkName(labelKey, resource, path, errors);
  if (errors.length > before) return;
  if (!resource.includes('/')) {
    if (CONTAINER_RESOURCES.includes(resource) || isHugePages(resource)) return;
    if (!STANDARD_RESOURCES.has(resource)) {
      const detail = 'must be a standard resource type or fully qualified';
      errors.push(fieldError.invalid(path, resource, detail));
    }
    errors.push(fieldError.invalid(path, resource, 'must be a standard resource for containers'));
  } else if (!isNative(resource) && !isExtended(resource)) {
    const detail = "doesn't follow extended resource name standard";
    errors.push(fieldError.invalid(path, resource, detail));
  }
}

function checkAgainstLimit(
  resource: string,
  request: string,
  limit: string | undefined,
  path: string,
  errors: FieldError[],
): void {
  // Only cpu and the like can be promised to more than one.
  const overcommits = isNative(resource) && !isHugePages(resource);
  if (limit === undefined) {
    if (overcommits) return;
    const detail = 'Limit must be set for non overcommitable resources';
    errors.push(fieldError.required(`${path}.limits`, detail));
    return;
  }
  const order = compareQuantities(amountOf(request), amountOf(limit));
  if (order === 0 || (order < 0 && overcommits)) return;
  const relation = overcommits ? 'less than or equal' : 'equal';
  const detail = `must be ${relation} to ${resource} limit of ${limit}`;
  errors.push(fieldError.invalid(`${path}.requests`, request, detail));
}

function isHugePages(resource: string): boolean {
  return resource.startsWith('hugepages-');
}

/** Known to Kubernetes itself, as opposed to devices of a vendor. */
function isNative(resource: string): boolean {
  return !resource.includes('/') || resource.includes('kubernetes.io/');
}

function isExtended(resource: string): boolean {
  if (isNative(resource) || resource.startsWith('requests.')) return false;
  return labelKey(`requests.${resource}`).length === 0;
}

function isCounted(resource: string): boolean {
  return COUNTED_RESOURCES.includes(resource) || isExtended(resource);
}

/** Texts that are no quantities have been reported before any of these checks runs. */
function amountOf(text: string): Quantity {
  return parseQuantity(text) ?? ZERO;
}
