// The kind ControllerRevision: a template a StatefulSet had, to make pods of it again while an update is
// on its way, and to go back to.

import { isRecord } from '../../../api/schema/normalize.ts';
import { defineKind } from '../../../api/kind.ts';
import { ObjectMeta, typeMeta } from '../../../api/meta.ts';
import { any, def, integer, object, opt } from '../../../api/schema/schema.ts';
import type { Infer } from '../../../api/schema/schema.ts';
import type { PodTemplateSpec } from '../../../api/core/pod-template.ts';

const shape = object({
  ...typeMeta,
  metadata: def(ObjectMeta, {}),
  data: opt(any({ doc: 'What the owner looked like: a patch of its specification.' })),
  revision: integer({ format: 'int64', doc: 'Counts the changes of the owner.' }),
});
export type ControllerRevision = Infer<typeof shape>;

export const ControllerRevision = defineKind<ControllerRevision>({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  namespaced: true,
  doc: 'A former state of a StatefulSet.',
  schema: shape,
  columns: [
    { name: 'Controller', type: 'string', value: controllerColumn },
    { name: 'Revision', type: 'integer', value: ({ revision }: ControllerRevision) => revision },
  ],
});

/** `statefulset.apps/web` */
function controllerColumn({ metadata }: ControllerRevision): string | undefined {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  if (owner === undefined) return undefined;
  const [group = ''] = owner.apiVersion.split('/');
  return `${owner.kind.toLowerCase()}.${group}/${owner.name}`;
}

/** The data of a revision: kubectl rollout undo sends it as a patch. */
export function revisionData(template: PodTemplateSpec): unknown {
  return { spec: { template: { ...template, $patch: 'replace' } } };
}

/** The template of a revision; undefined when there is none in it. */
export function templateOf({ data }: ControllerRevision): PodTemplateSpec | undefined {
  const spec = isRecord(data) ? data['spec'] : undefined;
  const template = isRecord(spec) ? spec['template'] : undefined;
  if (!isRecord(template)) return undefined;
  const { $patch: _patch, ...rest } = template;
  return rest as unknown as PodTemplateSpec;
}
