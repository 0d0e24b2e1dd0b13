// A pod's quality-of-service class from what its containers ask for and may use.

import type { Container } from '../../api/core/containers.ts';
import type { Pod } from '../../api/core/pod.ts';
import { compareQuantities, parseQuantity } from '../../api/core/quantity.ts';

const RESOURCES = ['cpu', 'memory'];

/**
 * BestEffort when no container asks for CPU or memory, Guaranteed when every container has limits for
 * both and requests equal to them, else Burstable.
 */
export function qosClass(pod: Pod): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const { initContainers = [], containers } = pod.spec;
  const all = [...initContainers, ...containers];
  if (!all.some((container) => asksForAnything(container))) return 'BestEffort';
  return all.every((container) => RESOURCES.every((name) => isGuaranteed(container, name)))
    ? 'Guaranteed'
    : 'Burstable';
}

function asksForAnything(container: Container): boolean {
  const { limits = {}, requests = {} } = container.resources ?? {};
  return RESOURCES.some((name) => isPositive(limits[name]) || isPositive(requests[name]));
}

/** A request that is not set is the limit. */
function isGuaranteed(container: Container, name: string): boolean {
  const limit = parseQuantity(container.resources?.limits?.[name] ?? '');
  if (limit === undefined || limit.unscaled <= 0n) return false;
  const request = container.resources?.requests?.[name];
  const asked = request === undefined ? limit : parseQuantity(request);
  return asked !== undefined && compareQuantities(asked, limit) === 0;
}

function isPositive(quantity: string | undefined): boolean {
  return (parseQuantity(quantity ?? '')?.unscaled ?? 0n) > 0n;
}
