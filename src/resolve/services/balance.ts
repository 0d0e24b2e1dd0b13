// `fairway.dev/balance` on a Service: how requests and connections that routes send to it are spread over
// its endpoints.

import { Service } from '../../api/core/service.ts';
import type { Finding } from '../../api/finding.ts';
import type { Balance } from '../../model/policy.ts';
import type { Snapshot } from '../../store/snapshot.ts';

export const BALANCE_ANNOTATION = 'fairway.dev/balance';

const BALANCES: Readonly<Record<string, Balance>> = {
  'least-requests': 'leastRequests',
  'round-robin': 'roundRobin',
  'source-hash': 'sourceHash',
};

/** Undefined for the default: when nothing is said, or nothing that is known. */
export function balanceOf(service: Service | undefined): Balance | undefined {
  const written = service?.metadata.annotations?.[BALANCE_ANNOTATION] ?? '';
  const balance = Object.hasOwn(BALANCES, written) ? BALANCES[written] : undefined;
  return balance === 'leastRequests' ? undefined : balance;
}

/** Findings about the annotation on all Services; looks at them only when one has changed. */
export function createBalanceFinder(): (snapshot: Snapshot) => readonly Finding[] {
  let table: unknown;
  let last: readonly Finding[] = [];
  return (snapshot) => {
    const now = snapshot.table(Service);
    if (now !== table) last = balanceFindings(snapshot.list(Service));
    table = now;
    return last;
  };
}

function balanceFindings(services: readonly Service[]): readonly Finding[] {
  return services.flatMap((service): readonly Finding[] => {
    const { namespace = '', name = '', annotations = {} } = service.metadata;
    const written = annotations[BALANCE_ANNOTATION];
    if (written === undefined || Object.hasOwn(BALANCES, written)) return [];
    return [
      {
        severity: 'error',
        reason: 'InvalidBalance',
        message: `${BALANCE_ANNOTATION}: "${written}" is not a way to balance; the annotation is ignored`,
        hint: `Write one of ${Object.keys(BALANCES).join(', ')}.`,
        origin: {
          object: { kind: 'Service', namespace, name },
          field: `metadata.annotations[${BALANCE_ANNOTATION}]`,
        },
      },
    ];
  });
}
