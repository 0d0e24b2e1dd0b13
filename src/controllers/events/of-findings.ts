// Findings that were not there before → what happened: an address that cannot be given, Endpoints that
// cannot be mirrored, a pod whose image stands for nothing. What an object's own conditions say already
// is not said twice.

import { ALL_KINDS } from '../../api/all-kinds.ts';
import type { Finding } from '../../api/finding.ts';
import type { Kind } from '../../api/kind.ts';
import { regarding } from './happening.ts';
import type { Happening, Objects } from './happening.ts';
import { troublesOf } from './of-conditions.ts';

const KINDS: ReadonlyMap<string, Kind> = new Map(ALL_KINDS.map((kind) => [kind.kind, kind]));

/** Undefined for what is of no object, of one that is gone, or told by its conditions. */
export function findingHappening(finding: Finding, objects: Objects): Happening | undefined {
  const { severity, reason, message, hint, origin } = finding;
  const kind = KINDS.get(origin.object?.kind ?? '');
  if (severity === 'info' || origin.object === undefined || kind === undefined) return undefined;
  const { namespace, name } = origin.object;
  const object = objects.get(kind, namespace, name);
  if (object === undefined || troublesOf(object).has(reason)) return undefined;
  const field = origin.field ?? '';
  const where = field === '' ? '' : `${field}: `;
  return {
    regarding: regarding(kind, object),
    type: 'Warning',
    reason,
    message: hint === undefined ? `${where}${message}` : `${where}${message} (${hint})`,
    component: 'fairway',
  };
}
