// The RequestMirror filter as written → as the model has it, or why its reference leads nowhere. A mirror
// without a backend is left out, and the rule works without it (HTTPRequestMirrorFilter.backendRef).

import type { HTTPRouteFilter } from '../../api/gateway/httpfilters.ts';
import type { MirrorFilter } from '../../model/filter.ts';
import type { Origin } from '../../model/model.ts';
import { resolveBackendRef } from '../gateway/backends.ts';
import type { BackendUse } from '../gateway/backends.ts';
import type { Surroundings } from '../gateway/grants.ts';
import { problem } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';

export type ResolvedMirror =
  | { readonly filter: MirrorFilter; readonly use: BackendUse }
  | { readonly problem: Problem };

export function resolveMirror(
  written: HTTPRouteFilter['requestMirror'],
  origin: Origin,
  surroundings: Surroundings,
): ResolvedMirror {
  const field = `${origin.field}.requestMirror.backendRef`;
  if (written === undefined) {
    return { problem: problem('BackendNotFound', field, 'the mirror has no backendRef') };
  }
  const { backendRef, percent, fraction } = written;
  const ref = { ...backendRef, weight: 1 };
  const resolved = resolveBackendRef(ref, { ...origin, field }, surroundings);
  if ('problem' in resolved) {
    const { message } = resolved.problem;
    return { problem: { ...resolved.problem, message: `nothing is mirrored: ${message}` } };
  }
  const { numerator, denominator } = fraction ?? { numerator: percent ?? 100, denominator: 100 };
  return {
    use: resolved.use,
    filter: { kind: 'mirror', backend: resolved.use.key, numerator, denominator, origin },
  };
}
