// ReferenceGrant: the consent of one namespace to be referred to from others. Without one, a
// reference across namespaces does nothing but set a condition.

import { defineKind } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { described, list, object, opt } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { GATEWAY_GROUP, Group, KindName, Namespace, ObjectName } from './fields.ts';

const doc =
  'Consent to references from other namespaces: objects of the kinds in from may name objects of the kinds in to in this namespace. Removing it withdraws the consent at once.';

const From = object(
  {
    group: described(Group, 'API group of the objects that refer.'),
    kind: described(KindName, 'Kind of the objects that refer, such as HTTPRoute or Gateway.'),
    namespace: described(Namespace, 'Namespace of the objects that refer.'),
  },
  { doc: 'Objects of one kind in one namespace.' },
);

const To = object(
  {
    group: described(Group, 'API group of the objects referred to. Empty for Service and Secret.'),
    kind: described(KindName, 'Kind of the objects referred to, such as Service or Secret.'),
    name: opt(
      described(ObjectName, 'The one object meant. Without it, all of the kind in this namespace.'),
    ),
  },
  { doc: 'Objects of one kind in this namespace, or a single one.' },
);

const schema = object(
  {
    ...typeMeta,
    metadata: ObjectMeta,
    spec: object(
      {
        from: list(From, {
          listType: 'atomic',
          minItems: 1,
          maxItems: 16,
          doc: 'Who may refer: any one of these. Every entry of from is trusted with every entry of to.',
        }),
        to: list(To, {
          listType: 'atomic',
          minItems: 1,
          maxItems: 16,
          doc: 'What may be referred to: any one of these.',
        }),
      },
      { doc: 'Who may refer to what.' },
    ),
  },
  { doc },
);
export type ReferenceGrant = Infer<typeof schema>;

// Upstream stores v1beta1 and has no status; the two versions are the same but for their name.
export const ReferenceGrant = defineKind<ReferenceGrant>({
  group: GATEWAY_GROUP,
  version: 'v1',
  versions: ['v1', 'v1beta1'],
  kind: 'ReferenceGrant',
  plural: 'referencegrants',
  shortNames: ['refgrant'],
  categories: ['gateway-api'],
  namespaced: true,
  doc,
  schema,
  hasGeneration: true,
});
