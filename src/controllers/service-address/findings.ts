// What is wrong with the addresses that Services name in place of their pods.

import { Service } from '../../api/core/service.ts';
import type { Finding } from '../../api/finding.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { refOf } from '../shared/findings.ts';
import { ADDRESS_ANNOTATION, serviceAddressOf } from './service-address.ts';

/** Findings about the annotation `fairway.dev/address` of all Services. */
export function serviceAddressFindings(snapshot: Snapshot): readonly Finding[] {
  return snapshot.list(Service).flatMap((service): readonly Finding[] => {
    const parsed = serviceAddressOf(service);
    if (parsed.type === 'none') return [];
    const origin = { object: refOf(service), field: `metadata.annotations[${ADDRESS_ANNOTATION}]` };
    if (parsed.type === 'bad') {
      return [
        {
          severity: 'error',
          reason: 'InvalidAddress',
          message: `${ADDRESS_ANNOTATION}: ${parsed.why}; the annotation is ignored`,
          hint: `Write ${ADDRESS_ANNOTATION}: "localhost:3000", or several with commas between them.`,
          origin,
        },
      ];
    }
    if (service.spec.type !== 'ExternalName') return [];
    return [
      {
        severity: 'warning',
        reason: 'AddressIgnored',
        message: `${ADDRESS_ANNOTATION} has no effect: a Service of type ExternalName is a DNS name only`,
        origin,
      },
    ];
  });
}
