// What people are told of hosts outside whose names lead inside: requests are not sent there. It is known
// only while serving, since names are looked up by who sends, and settles when they lead elsewhere.

import type { Finding } from '../api/finding.ts';
import type { Model } from '../model/model.ts';
import type { ForbiddenHost } from '../targets/proxy/messages.ts';

/** A finding for each backend that is there. */
export function forbiddenHostFindings(
  { backends }: Pick<Model, 'backends'>,
  forbidden: readonly ForbiddenHost[],
): readonly Finding[] {
  return forbidden.flatMap(({ backend, name, address, why, isOurs }): Finding[] => {
    const known = backends.get(backend);
    // A host that was changed meanwhile is looked up anew, which is told in its turn.
    if (known?.host?.name !== name) return [];
    const { kind, namespace, name: object, field } = known.origin;
    return [
      {
        severity: 'error',
        reason: 'HostNotOutside',
        message: `requests are not sent to host ${name}: its address ${address} is ${why}`,
        hint: isOurs
          ? 'name another host: this one would send requests round in a circle'
          : 'name a host elsewhere, or, if requests are to go there, let its network in by externalBackends.allowNetworks',
        origin: { object: { kind, namespace, name: object }, field },
      },
    ];
  });
}
