// Listeners of one Gateway that traffic could not be told apart by. None of them is served: to pick one
// would make the others' traffic go to the wrong place (Gateway API, "Handling indistinct Listeners").

import { problem } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';
import type { ResolvedListener } from './listeners.ts';

/** The same listeners, those in conflict marked. */
export function markConflicts(listeners: readonly ResolvedListener[]): readonly ResolvedListener[] {
  return listeners.map((listener) => {
    const conflicts = conflictsOf(listener, listeners);
    return conflicts.length === 0 ? listener : { ...listener, conflicts };
  });
}

/** Protocols that are told apart by what comes first, the server name of a handshake, can share a port. */
function familyOf({ protocol }: ResolvedListener): ResolvedListener['protocol'] {
  return protocol === 'https' ? 'tls' : protocol;
}

function conflictsOf(
  listener: ResolvedListener,
  all: readonly ResolvedListener[],
): readonly Problem[] {
  const conflict = conflictWith(
    listener,
    all.filter((other) => other !== listener),
  );
  return conflict === undefined ? [] : [conflict];
}

/** Why `listener` cannot be served beside `others`, if it cannot. */
export function conflictWith(
  listener: ResolvedListener,
  others: readonly ResolvedListener[],
): Problem | undefined {
  // Who is not accepted for itself takes no connections and stands in nobody's way.
  const isBeside = (other: ResolvedListener): boolean =>
    other.port === listener.port &&
    // One number is two ports: one for UDP, one for everything else.
    (other.protocol === 'udp') === (listener.protocol === 'udp') &&
    other.unaccepted.length === 0;
  const neighbours = listener.unaccepted.length > 0 ? [] : others.filter(isBeside);
  const otherProtocol = neighbours.find((other) => familyOf(other) !== familyOf(listener));
  if (otherProtocol !== undefined) {
    return problem(
      'ProtocolConflict',
      `${listener.field}.protocol`,
      `listener "${listener.name}" and listener "${otherProtocol.name}" want port ${listener.port} for different protocols`,
      'give one of them another port',
    );
  }
  const twin = neighbours.find((other) => other.hostname === listener.hostname);
  if (twin === undefined) return undefined;
  const host = listener.hostname === '' ? 'every host' : listener.hostname;
  return problem(
    'HostnameConflict',
    `${listener.field}.hostname`,
    `listener "${listener.name}" and listener "${twin.name}" are both for ${host} on port ${listener.port}`,
    'give one of them another hostname or another port',
  );
}
