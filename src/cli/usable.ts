// Whether the files that were named say anything at all: where every one of them is refused, there is
// nothing to serve, check or run a command against.

import type { Finding } from '../api/finding.ts';
import { SERVED_KINDS } from '../api/kinds.ts';
import type { Snapshot } from '../store/snapshot.ts';

/** True when no object was written in a file and something is wrong with the files themselves. */
export function isUnusable(snapshot: Snapshot, findings: readonly Finding[]): boolean {
  const isRefused = ({ severity, origin }: Finding): boolean =>
    severity === 'error' && origin.object === undefined && origin.position !== undefined;
  return findings.some(isRefused) && !SERVED_KINDS.some((kind) => hasWritten(snapshot, kind));
}

function hasWritten(snapshot: Snapshot, kind: (typeof SERVED_KINDS)[number]): boolean {
  return snapshot.list(kind).some(({ metadata: { namespace = '', name = '' } }) => {
    const file = snapshot.sourceOf(kind, namespace, name)?.file ?? '';
    return file !== '';
  });
}
