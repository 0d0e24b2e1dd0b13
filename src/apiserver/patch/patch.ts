// Object and patch → the object the patch asks for, or why not. The three types of patch a client may
// send besides server-side apply, each with its content type. Nothing is defaulted, pruned or validated
// here: what comes out goes the way of every written object. Neither input is ever changed.

import type { Kind } from '../../api/kind.ts';
import { isBuiltIn } from '../built-in.ts';
import { PatchRefusal } from './errors.ts';
import type { PatchError } from './errors.ts';
import { applyJsonPatch } from './json-patch.ts';
import { applyMergePatch } from './merge-patch.ts';
import { applyStrategicPatch } from './strategic.ts';
import { checkDepth } from './values.ts';
import type { JsonObject } from './values.ts';

export const JSON_PATCH = 'application/json-patch+json';
export const MERGE_PATCH = 'application/merge-patch+json';
export const STRATEGIC_MERGE_PATCH = 'application/strategic-merge-patch+json';
/** Server-side apply: the verb is PATCH, but it is not for this folder to do. */
export const APPLY_PATCH = 'application/apply-patch+yaml';

type PatchedKind = Pick<Kind, 'group' | 'schema'>;

export type PatchResult = { readonly object: JsonObject } | { readonly error: PatchError };

/** The content types a PATCH of the kind may have. Custom resources have no strategic merge. */
export function patchTypes(kind: Pick<Kind, 'group'>): readonly string[] {
  return isBuiltIn(kind)
    ? [JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, APPLY_PATCH]
    : [JSON_PATCH, MERGE_PATCH, APPLY_PATCH];
}

/**
 * Applies `patch`, a parsed JSON body, to `target`. `type` is a content type and may have parameters.
 * The result shares with both inputs what was not changed.
 */
export function applyPatch(
  type: string,
  target: JsonObject,
  patch: unknown,
  kind: PatchedKind,
): PatchResult {
  try {
    checkDepth(patch, 400, 'the patch');
    const object = applyAs(mediaType(type), target, patch, kind);
    checkDepth(object, 422, 'the patched object');
    return { object };
  } catch (error) {
    if (!(error instanceof PatchRefusal)) throw error;
    return { error: { status: error.status, message: error.message } };
  }
}

function applyAs(type: string, target: JsonObject, patch: unknown, kind: PatchedKind): JsonObject {
  if (type === JSON_PATCH) return applyJsonPatch(target, patch);
  if (type === MERGE_PATCH) return applyMergePatch(target, patch);
  if (type === STRATEGIC_MERGE_PATCH && isBuiltIn(kind)) {
    return applyStrategicPatch(kind.schema, target, patch);
  }
  const accepted = patchTypes(kind).join(', ');
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted}`;
  throw new PatchRefusal(415, message);
}

/** `application/merge-patch+json; charset=utf-8` without what follows the type. */
function mediaType(contentType: string): string {
  return (contentType.split(';')[0] ?? '').trim().toLowerCase();
}
