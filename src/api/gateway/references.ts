// How objects of Gateway API point at others. A reference into another namespace needs the consent of
// that namespace: a ReferenceGrant there, or for parents what the parent itself allows.

import { def, described, integer, list, object, opt } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import {
  GATEWAY_GROUP,
  Group,
  KindName,
  Namespace,
  ObjectName,
  PortNumber,
  SectionName,
} from './fields.ts';
import { distinct, rule } from './rules.ts';

/** An object of any kind in the same namespace. */
export const LocalObjectReference = object(
  { group: Group, kind: KindName, name: ObjectName },
  { doc: 'An object in the same namespace.' },
);

/** An object of any kind in any namespace. */
export const ObjectReference = object(
  { group: Group, kind: KindName, name: ObjectName, namespace: opt(Namespace) },
  { doc: 'An object; in another namespace it needs a ReferenceGrant there.' },
);

/** Where a class or mesh keeps its own configuration; may be an object of the whole cluster. */
export const ParametersReference = object(
  {
    group: Group,
    kind: KindName,
    name: ObjectName,
    namespace: opt(
      described(Namespace, 'Namespace of the object. Left out for kinds of the whole cluster.'),
    ),
  },
  { doc: 'An object with settings that only this implementation knows, such as a ConfigMap.' },
);

/** A Secret unless it says otherwise. */
export const SecretReference = object(
  {
    group: def(Group, ''),
    kind: def(KindName, 'Secret'),
    name: ObjectName,
    namespace: opt(Namespace),
  },
  {
    doc: 'A Secret with tls.crt and tls.key; in another namespace it needs a ReferenceGrant there.',
  },
);

const parentFields = {
  group: def(
    described(Group, 'API group of the parent. For a Service write "", the core group.'),
    GATEWAY_GROUP,
  ),
  kind: def(
    described(KindName, 'Kind of the parent: Gateway, ListenerSet, or Service in a mesh.'),
    'Gateway',
  ),
  name: described(ObjectName, 'Name of the parent.'),
  namespace: opt(described(Namespace, 'Namespace of the parent. Without it, that of this object.')),
};

/** The Gateway a ListenerSet adds to. */
export const ParentGatewayReference = object(parentFields, {
  doc: 'The Gateway these listeners join. It must allow so in allowedListeners.',
});

export const ParentReference = object(
  {
    ...parentFields,
    sectionName: opt(
      described(
        SectionName,
        'One listener of the Gateway, or one port of the Service, by name. Without it, all of them.',
      ),
    ),
    port: opt(
      described(
        PortNumber,
        'Only listeners (or the Service port) with this number. Together with sectionName, both must fit.',
      ),
    ),
  },
  { doc: 'What a route wants to be attached to. The parent must allow it as well.' },
);
type ParentReference = Infer<typeof ParentReference>;

/** In these rules an empty name and port 0 count as left out. */
const parentOf = (ref: ParentReference) => [ref.group, ref.kind, ref.name, ref.namespace ?? ''];

export const ParentRefs = list(ParentReference, {
  listType: 'atomic',
  maxItems: 32,
  doc: 'The Gateways, ListenerSets or Services this route is attached to. Several entries for one parent must name different listeners or ports.',
  rules: [
    rule<readonly ParentReference[]>(
      'sectionName or port must be specified when parentRefs includes 2 or more references to the same parent',
      (refs) =>
        sameDetail(refs, parentOf, (ref) => [
          (ref.sectionName ?? '') === '',
          (ref.port ?? 0) === 0,
        ]),
    ),
    rule<readonly ParentReference[]>(
      'sectionName or port must be unique when parentRefs includes 2 or more references to the same parent',
      (refs) => distinct(refs, (ref) => [...parentOf(ref), ref.sectionName ?? '', ref.port ?? 0]),
    ),
  ],
});

/** True when references to one and the same object all say the same about how exact they are. */
export function sameDetail<T>(
  refs: readonly T[],
  objectOf: (ref: T) => unknown,
  detailOf: (ref: T) => unknown,
): boolean {
  const seen = new Map<string, string>();
  return refs.every((ref) => {
    const object = JSON.stringify(objectOf(ref));
    const detail = JSON.stringify(detailOf(ref));
    const first = seen.get(object);
    if (first === undefined) seen.set(object, detail);
    return first === undefined || first === detail;
  });
}

const backendFields = {
  group: def(Group, ''),
  kind: def(KindName, 'Service'),
  name: described(ObjectName, 'Name of the backend.'),
  namespace: opt(
    described(Namespace, 'Namespace of the backend; another one needs a ReferenceGrant there.'),
  ),
  port: opt(
    described(PortNumber, 'Port of the Service (not of its pods). A Service needs one here.'),
  ),
};

interface BackendObject {
  readonly group: string;
  readonly kind: string;
  readonly port?: number;
}

export const backendRules = [
  rule<BackendObject>(
    'Must have port for Service reference',
    ({ group, kind, port }) => group !== '' || kind !== 'Service' || port !== undefined,
  ),
];

/** One backend, without a share of the traffic. */
export const BackendObjectReference = object(backendFields, {
  rules: backendRules,
  doc: 'The Service (or other backend) meant.',
});

/** A backend and its share of the traffic; routes of HTTP and gRPC add filters. */
export const weightedBackendFields = {
  ...backendFields,
  weight: def(
    integer({
      format: 'int32',
      minimum: 0,
      maximum: 1_000_000,
      doc: 'Share of the traffic: this weight out of the sum of all weights. 0 gets nothing.',
    }),
    1,
  ),
};
