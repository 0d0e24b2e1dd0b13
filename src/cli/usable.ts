// Whether the files that were named say anything at all: where every one of them is refused, there is
// nothing to serve, check or run a command against.

import type { Finding } from '../api/finding.ts';
import { SERVED_KINDS } from '../api/kinds.ts';
import type { Snapshot } from '../store/snapshot.ts';

/** Findings for which objects may be missing that were there before: of a file or a path, as a whole or from some place on. */
export function unread(findings: readonly Finding[]): readonly Finding[] {
  // An object without a name is invalid, too, and was never there.
  return findings.filter((finding) => isRefused(finding) && finding.reason !== 'Invalid');
}

function isRefused({ severity, origin }: Finding): boolean {
  return severity === 'error' && origin.object === undefined && origin.position !== undefined;
}

/** True when no object was written in a file and something is wrong with the files themselves. */
export function isUnusable(snapshot: Snapshot, findings: readonly Finding[]): boolean {
  return findings.some(isRefused) && !SERVED_KINDS.some((kind) => hasWritten(snapshot, kind));
}

function hasWritten(snapshot: Snapshot, kind: (typeof SERVED_KINDS)[number]): boolean {
  return snapshot.list(kind).some(({ metadata: { namespace = '', name = '' } }) => {
    const file = snapshot.sourceOf(kind, namespace, name)?.file ?? '';
    return file !== '';
  });
}
