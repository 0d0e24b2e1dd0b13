// BackendTLSPolicy: TLS between gateway and backend. Without one, the gateway speaks plain text to a
// Service even where clients came by HTTPS.

import { defineKind } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { described, list, object, opt } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { BackendTlsValidation } from './backendtls.ts';
import { PolicyStatus } from './conditions.ts';
import { GATEWAY_GROUP, Group, KindName, ObjectName, Options, SectionName } from './fields.ts';
import { sameDetail } from './references.ts';
import { distinct, rule } from './rules.ts';

const doc = 'Makes gateways speak TLS to a Service, and says which certificates are good.';

const TargetRef = object(
  {
    group: described(Group, 'API group of the target. Empty for a Service.'),
    kind: described(KindName, 'Kind of the target: Service.'),
    name: described(ObjectName, 'Name of the target, in the namespace of the policy.'),
    sectionName: opt(
      described(
        SectionName,
        'One port of the Service, by name. Without it, all ports that no other policy names.',
      ),
    ),
  },
  { doc: 'What the policy is for.' },
);
type TargetRef = Infer<typeof TargetRef>;

const targetOf = ({ group, kind, name }: TargetRef) => [group, kind, name];

const schema = object(
  {
    ...typeMeta,
    metadata: ObjectMeta,
    spec: object(
      {
        targetRefs: list(TargetRef, {
          listType: 'atomic',
          minItems: 1,
          maxItems: 16,
          doc: 'The Services this policy is for. Of several policies for one port, the oldest holds.',
          rules: [
            rule<readonly TargetRef[]>(
              'sectionName must be specified when targetRefs includes 2 or more references to the same target',
              (refs) => sameDetail(refs, targetOf, (ref) => (ref.sectionName ?? '') === ''),
            ),
            rule<readonly TargetRef[]>(
              'sectionName must be unique when targetRefs includes 2 or more references to the same target',
              (refs) => distinct(refs, (ref) => [...targetOf(ref), ref.sectionName ?? '']),
            ),
          ],
        }),
        validation: BackendTlsValidation,
        options: opt(Options),
      },
      { doc: 'Which backends get TLS, and how it is checked.' },
    ),
    status: opt(PolicyStatus),
  },
  { doc },
);
export type BackendTLSPolicy = Infer<typeof schema>;

export const BackendTLSPolicy = defineKind<BackendTLSPolicy>({
  group: GATEWAY_GROUP,
  version: 'v1',
  versions: ['v1', 'v1alpha3'],
  kind: 'BackendTLSPolicy',
  plural: 'backendtlspolicies',
  shortNames: ['btlspolicy'],
  categories: ['gateway-api'],
  namespaced: true,
  doc,
  schema,
  hasStatus: true,
  hasGeneration: true,
});
