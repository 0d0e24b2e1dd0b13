// The kind Secret. stringData is for writing only: what it holds is moved to data, encoded.

import { defineKind } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { def, map, object, opt, string } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { canonical } from './canonical.ts';
import { isObject } from './defaulting.ts';
import { bytes, checked, flag, text } from './fields.ts';
import { checkSecret } from './checks/secret-check.ts';

const shape = object({
  ...typeMeta,
  metadata: def(ObjectMeta, {}),
  immutable: opt(flag('The data cannot be changed; the Secret can only be deleted.')),
  data: opt(map(bytes(), { doc: 'The values, in base64.' })),
  stringData: opt(map(string(), { doc: 'Values as plain text; never read back.' })),
  type: def(text('What the Secret is for; some types require certain keys.'), 'Opaque'),
});
export type Secret = Infer<typeof shape>;

function moveStringData(secret: Secret): Secret {
  const { stringData, ...rest } = secret;
  if (stringData === undefined) return secret;
  const plain: unknown[] = isObject(stringData) ? Object.values(stringData) : [stringData];
  // What is no text is left for validation to complain about.
  if (!plain.every((value) => typeof value === 'string')) return secret;
  const encoded = Object.entries(stringData).map(([key, value]) => [
    key,
    Buffer.from(value).toString('base64'),
  ]);
  return { ...rest, data: { ...rest.data, ...Object.fromEntries(encoded) } };
}

export const Secret = defineKind<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  namespaced: true,
  doc: 'Data that not everybody should read: passwords, keys, certificates.',
  schema: checked(shape, checkSecret),
  setDefaults: (secret) => moveStringData(canonical(shape, secret)),
  columns: [
    { name: 'Type', type: 'string', value: ({ type }: Secret) => type },
    { name: 'Data', type: 'string', value: ({ data = {} }: Secret) => Object.keys(data).length },
  ],
});
