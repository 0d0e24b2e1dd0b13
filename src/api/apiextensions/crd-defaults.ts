// What a CustomResourceDefinition that leaves names and conversion out means.

import { isRecord } from '../schema/normalize.ts';
import type { CustomResourceDefinition } from './crd.ts';

/** Fills in singular, listKind, conversion and the names of status. The object may still be invalid. */
export function withDefaults(crd: CustomResourceDefinition): CustomResourceDefinition {
  const spec: unknown = isRecord(crd) ? crd.spec : undefined;
  if (!isRecord(spec)) return crd;
  const names = withNames(spec['names']);
  const conversion = spec['conversion'] === undefined ? { strategy: 'None' } : spec['conversion'];
  if (names === spec['names'] && conversion === spec['conversion']) return crd;
  return { ...crd, spec: { ...spec, names, conversion } } as CustomResourceDefinition;
}

function withNames(names: unknown): unknown {
  if (!isRecord(names) || typeof names['kind'] !== 'string' || names['kind'] === '') return names;
  const { kind, singular, listKind } = names;
  const isMissing = (name: unknown) => name === undefined || name === '';
  if (!isMissing(singular) && !isMissing(listKind)) return names;
  return {
    ...names,
    singular: isMissing(singular) ? kind.toLowerCase() : singular,
    listKind: isMissing(listKind) ? `${kind}List` : listKind,
  };
}
