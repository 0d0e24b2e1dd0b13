// What Services of type LoadBalancer asked for and were not given.

import { Service } from '../../api/core/service.ts';
import type { Finding } from '../../api/finding.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { refOf } from '../shared/findings.ts';
import { objectKey } from '../shared/metadata.ts';
import { currentAddress, isOurs, requestedAddress } from './requests.ts';

/** Findings about load balancer addresses, for a snapshot that controllers have come to rest on. */
export function loadBalancerFindings(snapshot: Snapshot): readonly Finding[] {
  const balanced = snapshot.list(Service).filter(({ spec }) => spec.type === 'LoadBalancer');
  return balanced.flatMap((service): readonly Finding[] => {
    if (!isOurs(service)) return [foreignClass(service)];
    const request = requestedAddress(service);
    const current = currentAddress(service);
    if (current === undefined && request === undefined) return [poolIsFull(service)];
    if (request === undefined || request.address === current) return [];
    const origin = { object: refOf(service), field: request.field };
    if (current !== undefined) {
      return [
        {
          severity: 'warning',
          reason: 'NotAllocated',
          message: `load balancer address ${request.address} is not in the pool`,
          hint: `The Service is served at ${current} instead.`,
          origin,
        },
      ];
    }
    const holder = balanced.find((other) => currentAddress(other) === request.address);
    return [
      {
        severity: 'error',
        reason: 'NotAllocated',
        message: `load balancer address ${request.address} is already allocated`,
        ...(holder === undefined ? {} : { hint: `${objectKey(holder)} has it.` }),
        origin,
      },
    ];
  });
}

function foreignClass(service: Service): Finding {
  return {
    severity: 'info',
    reason: 'OtherLoadBalancer',
    message: `load balancer class ${service.spec.loadBalancerClass} is not served here: the Service gets no external address`,
    hint: 'Leave loadBalancerClass out to have the Service served by Fairway.',
    origin: { object: refOf(service), field: 'spec.loadBalancerClass' },
  };
}

function poolIsFull(service: Service): Finding {
  return {
    severity: 'error',
    reason: 'NotAllocated',
    message: 'no load balancer address is free',
    origin: { object: refOf(service), field: 'spec.type' },
  };
}
