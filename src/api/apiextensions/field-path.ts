// A path of fields (`.spec.ports['http']`) → the schema it leads to. Used by fieldPath of rules and by
// selectable fields.

import { isRecord } from '../schema/normalize.ts';
import type { JsonSchema } from './json-schema.ts';

type Found = { readonly schema: JsonSchema } | { readonly error: string };

const STEP = /^(?:\.([^.[\]]+)|\['((?:[^'\\]|\\.)*)'\])/;

/** Follows a path through properties and maps; `brackets` says whether ['name'] may be written. */
export function fieldAt(schema: JsonSchema, path: string, brackets = true): Found {
  let at = schema;
  let rest = path;
  while (rest !== '') {
    if (rest.startsWith('[') && !brackets) return { error: 'array notation is not allowed' };
    const step = STEP.exec(rest);
    if (step === null) return { error: `expected [ or . but got: ${rest}` };
    const name = step[1] ?? (step[2] ?? '').replaceAll(/\\(.)/g, '$1');
    const next = childOf(at, name);
    if (next === undefined) return { error: 'does not refer to a valid field' };
    at = next;
    rest = rest.slice(step[0].length);
  }
  return { schema: at };
}

function childOf(
  { properties, additionalProperties }: JsonSchema,
  name: string,
): JsonSchema | undefined {
  if (properties !== undefined)
    return Object.hasOwn(properties, name) ? properties[name] : undefined;
  return isRecord(additionalProperties) ? additionalProperties : undefined;
}
