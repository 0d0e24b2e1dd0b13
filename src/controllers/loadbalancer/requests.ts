// The address a Service of type LoadBalancer asks for: in loadBalancerIP, or in MetalLB's annotation, as
// people write it for clusters of their own.

import type { Service } from '../../api/core/service.ts';
import { parseIPv4 } from '../../lib/ipv4.ts';

const ADDRESSES_ANNOTATION = 'metallb.io/loadBalancerIPs';

/** What a Service may name in loadBalancerClass to be served here; nothing means the same. */
const OWN_CLASS = 'fairway.dev/load-balancer';

export interface AddressRequest {
  readonly address: string;
  /** Where it is written. */
  readonly field: string;
}

/** True for a Service that gets its address here, and not from another controller. */
export function isOurs({ spec }: Service): boolean {
  return spec.type === 'LoadBalancer' && (spec.loadBalancerClass ?? OWN_CLASS) === OWN_CLASS;
}

/** The IPv4 address that is asked for; of several in the annotation, the first. */
export function requestedAddress({ spec, metadata }: Service): AddressRequest | undefined {
  const annotation = metadata.annotations?.[ADDRESSES_ANNOTATION];
  const listed = annotation?.split(',').map((text) => text.trim()) ?? [];
  const address = listed.find((text) => parseIPv4(text) !== undefined);
  if (address !== undefined) {
    return { address, field: `metadata.annotations[${ADDRESSES_ANNOTATION}]` };
  }
  const { loadBalancerIP = '' } = spec;
  return parseIPv4(loadBalancerIP) === undefined
    ? undefined
    : { address: loadBalancerIP, field: 'spec.loadBalancerIP' };
}

/** The address the Service has now. */
export function currentAddress({ status }: Service): string | undefined {
  return status.loadBalancer.ingress?.[0]?.ip;
}
