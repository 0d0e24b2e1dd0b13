// JSON merge patch (RFC 7386): members replace members, null removes, lists are replaced.

import { isRecord } from '../../api/schema/normalize.ts';
import { undecodable } from './errors.ts';
import { getOwn, setOwn } from './values.ts';
import type { JsonObject } from './values.ts';

/** `patch` is of limited depth. The result shares with both what the patch does not touch. */
export function applyMergePatch(target: JsonObject, patch: unknown): JsonObject {
  // An array or a text would replace the object by something that is none.
  if (!isRecord(patch)) throw undecodable(patch, 'map[string]interface {}');
  return mergeObject(target, patch);
}

function mergeObject(target: unknown, patch: JsonObject): JsonObject {
  const merged: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value === null) delete merged[key];
    else setOwn(merged, key, isRecord(value) ? mergeObject(getOwn(merged, key), value) : value);
  }
  return merged;
}
