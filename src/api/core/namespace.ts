// The kind Namespace.

import { isRecord } from '../schema/normalize.ts';
import { defineKind } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { fieldError } from '../schema/errors.ts';
import type { FieldError } from '../schema/errors.ts';
import { def, described, object, opt } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { checked, keyed, requiredText, text, texts, time } from './fields.ts';
import { checkName, labelKey } from './names.ts';

const NamespaceSpec = object({
  finalizers: opt(texts('Who must still act before a deleted namespace vanishes.')),
});

const NamespaceCondition = object({
  type: requiredText('What the condition is about.'),
  status: requiredText('Whether it holds: True, False or Unknown.'),
  lastTransitionTime: opt(time('When status last changed.')),
  reason: opt(text('Why, in one word for programs.')),
  message: opt(text('Why, in a sentence for people.')),
});

const NamespaceStatus = object({
  phase: def(text('Active, or Terminating while what is in it is deleted.'), 'Active'),
  conditions: opt(
    keyed(NamespaceCondition, { keys: ['type'], doc: 'What keeps a deleted namespace.' }),
  ),
});

const shape = object({
  ...typeMeta,
  metadata: def(ObjectMeta, {}),
  spec: def(described(NamespaceSpec, 'How the namespace behaves.'), {}),
  status: def(described(NamespaceStatus, 'What is known of it.'), {}),
});
export type Namespace = Infer<typeof shape>;

/** Selectors choose a namespace by its name with this label, which is always there. */
const NAME_LABEL = 'kubernetes.io/metadata.name';

function namespaceDefaults(namespace: Namespace): Namespace {
  const { metadata } = namespace;
  if (!isRecord(metadata) || typeof metadata.name !== 'string' || metadata.name === '') {
    return namespace;
  }
  const labels = metadata.labels ?? {};
  if (!isRecord(labels) || labels[NAME_LABEL] === metadata.name) return namespace;
  return {
    ...namespace,
    metadata: { ...metadata, labels: { ...labels, [NAME_LABEL]: metadata.name } },
  };
}

function checkNamespace(
  { spec }: Namespace,
  _path: string,
  old: Namespace | undefined,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (old !== undefined) return errors;
  for (const finalizer of spec.finalizers ?? []) {
    const path = 'spec.finalizers';
    checkName(labelKey, finalizer, path, errors);
    if (!finalizer.includes('/') && !STANDARD_FINALIZERS.includes(finalizer)) {
      const detail = 'name is neither a standard finalizer name nor is it fully qualified';
      errors.push(fieldError.invalid(path, finalizer, detail));
    }
  }
  return errors;
}

const STANDARD_FINALIZERS = ['kubernetes', 'orphan', 'foregroundDeletion'];

export const Namespace = defineKind<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  doc: 'A room for names: objects of most kinds live in one.',
  schema: checked(shape, checkNamespace),
  hasStatus: true,
  nameFormat: 'dns1123Label',
  setDefaults: namespaceDefaults,
  columns: [{ name: 'Status', type: 'string', value: ({ status }: Namespace) => status.phase }],
});
