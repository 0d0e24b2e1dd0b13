// The kind ConfigMap.

import { defineKind } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { fieldError } from '../schema/errors.ts';
import type { FieldError } from '../schema/errors.ts';
import { def, map, object, opt, string } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { bytes, checked, flag } from './fields.ts';
import { checkName, configKey } from './names.ts';
import { DATA_BYTES_MAX, checkUnchangedData, decodedLength } from './checks/secret-check.ts';

const shape = object({
  ...typeMeta,
  metadata: def(ObjectMeta, {}),
  immutable: opt(flag('The data cannot be changed; the ConfigMap can only be deleted.')),
  data: opt(map(string(), { doc: 'The values, as text.' })),
  binaryData: opt(map(bytes(), { doc: 'Values that are no text, in base64.' })),
});
export type ConfigMap = Infer<typeof shape>;

function checkConfigMap(
  configMap: ConfigMap,
  _path: string,
  old: ConfigMap | undefined,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { data = {}, binaryData = {} } = configMap;
  if (old !== undefined) checkUnchangedData(configMap, old, ['data', 'binaryData'], errors);
  let byteCount = 0;
  for (const key of Object.keys(data)) {
    const at = `data[${key}]`;
    checkName(configKey, key, at, errors);
    if (key in binaryData) {
      errors.push(fieldError.invalid(at, key, 'duplicate of key present in binaryData'));
    }
    byteCount += Buffer.byteLength(data[key] ?? '');
  }
  for (const key of Object.keys(binaryData)) {
    checkName(configKey, key, `binaryData[${key}]`, errors);
    byteCount += decodedLength(binaryData[key] ?? '');
  }
  if (byteCount > DATA_BYTES_MAX) errors.push(fieldError.tooLong('', DATA_BYTES_MAX));
  return errors;
}

export const ConfigMap = defineKind<ConfigMap>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  namespaced: true,
  doc: 'Settings that pods read as variables or files.',
  schema: checked(shape, checkConfigMap),
  columns: [
    {
      name: 'Data',
      type: 'string',
      value: ({ data = {}, binaryData = {} }: ConfigMap) =>
        Object.keys(data).length + Object.keys(binaryData).length,
    },
  ],
});
