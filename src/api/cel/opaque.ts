// Values CEL has in Kubernetes and the evaluator does not know: addresses, networks, URLs, quantities,
// named formats, and values that may be missing. Each is a map with one key that no JSON object of a
// schema can have, so that functions recognize their own and equality compares what is inside.

import { celMap, isCelMap } from '@bufbuild/cel';
import type { CelInput, CelMap, CelValue } from '@bufbuild/cel';

type OpaqueKind = 'ip' | 'cidr' | 'url' | 'quantity' | 'format' | 'optional' | 'none';

export function wrap(kind: OpaqueKind, value: CelInput): CelMap {
  return celMap(new Map([[`\0${kind}`, value]]));
}

/** What is inside; undefined when the value is of another kind. */
export function unwrap(kind: OpaqueKind, value: unknown): CelValue | undefined {
  return isCelMap(value) && value.size === 1 ? value.get(`\0${kind}`) : undefined;
}

/** The text inside; throws, which the evaluator makes an error value of, on anything else. */
export function textIn(kind: OpaqueKind, value: unknown): string {
  const text = unwrap(kind, value);
  if (typeof text !== 'string') throw new Error(`no such overload: not a value of type ${kind}`);
  return text;
}

export function isOpaque(kind: OpaqueKind, value: unknown): boolean {
  return unwrap(kind, value) !== undefined;
}

/** The optional value that is not there. It is not null: CEL tells the two apart. */
export const NONE: CelMap = wrap('none', true);
