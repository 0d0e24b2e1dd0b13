// metadata, conditions, references and selectors: what many kinds share.

import {
  boolean,
  def,
  integer,
  list,
  map,
  object,
  oneOf,
  opt,
  string,
  any,
} from './schema/schema.ts';
import type { Infer } from './schema/schema.ts';

const OwnerReference = object(
  {
    apiVersion: string({ doc: 'API version of the owner.' }),
    kind: string({ doc: 'Kind of the owner.' }),
    name: string({ doc: 'Name of the owner.' }),
    uid: string({ doc: 'UID of the owner: a new object of the same name does not own this one.' }),
    controller: opt(boolean({ doc: 'The owner is the controller that manages this object.' })),
    blockOwnerDeletion: opt(
      boolean({ doc: 'With foreground deletion, the owner waits until this object is gone.' }),
    ),
  },
  { atomic: true },
);

const ManagedFieldsEntry = object({
  manager: opt(string({ doc: 'Who wrote the fields.' })),
  operation: opt(string({ doc: 'Apply for server-side apply, Update for everything else.' })),
  apiVersion: opt(string({ doc: 'The version the fields are named in.' })),
  time: opt(string({ format: 'date-time', doc: 'When the set of fields last changed.' })),
  fieldsType: opt(string({ doc: 'The form of fieldsV1; always FieldsV1.' })),
  fieldsV1: opt(any({ doc: 'The fields, as a tree of f:, k: and v: keys.' })),
  subresource: opt(string({ doc: 'The subresource that was written; empty for the object.' })),
});

export const ObjectMeta = object({
  name: opt(string({ doc: 'Name of the object, unique among its kind in its namespace.' })),
  generateName: opt(string({ doc: 'Prefix the server completes to a unique name.' })),
  namespace: opt(string({ doc: 'Namespace of the object; empty for kinds of the whole cluster.' })),
  selfLink: opt(string({ doc: 'No longer filled in.' })),
  uid: opt(string({ doc: 'Identity of this very object, never used again.' })),
  resourceVersion: opt(
    string({ doc: 'Changes with every write; sent back, it guards an update.' }),
  ),
  generation: opt(integer({ format: 'int64', doc: 'Counts changes of the desired state.' })),
  creationTimestamp: opt(string({ format: 'date-time', doc: 'When the object was created.' })),
  deletionTimestamp: opt(string({ format: 'date-time', doc: 'When the object is to be gone.' })),
  deletionGracePeriodSeconds: opt(
    integer({ format: 'int64', doc: 'Seconds it has to end in good order.' }),
  ),
  labels: opt(map(string(), { doc: 'Names and values that selectors choose objects by.' })),
  annotations: opt(map(string(), { doc: 'Notes of tools and people; not for selecting.' })),
  ownerReferences: opt(
    list(OwnerReference, {
      listType: 'map',
      keys: ['uid'],
      doc: 'Objects this one belongs to; when all are gone, so is this one.',
    }),
  ),
  finalizers: opt(
    list(string(), { listType: 'set', doc: 'Who must still act before the object may vanish.' }),
  ),
  managedFields: opt(list(ManagedFieldsEntry, { doc: 'Which writer owns which fields.' })),
});
export type ObjectMeta = Infer<typeof ObjectMeta>;

export const Condition = object({
  type: string({
    maxLength: 316,
    pattern:
      '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$',
    doc: 'What the condition is about.',
  }),
  status: oneOf(['True', 'False', 'Unknown'], { doc: 'Whether it holds.' }),
  observedGeneration: opt(
    integer({
      format: 'int64',
      minimum: 0,
      doc: 'The metadata.generation the verdict was made for.',
    }),
  ),
  lastTransitionTime: string({ format: 'date-time', doc: 'When status last changed.' }),
  reason: string({
    minLength: 1,
    maxLength: 1024,
    pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
    doc: 'Why, in one word for programs.',
  }),
  message: string({ maxLength: 32768, doc: 'Why, in a sentence for people.' }),
});
export type Condition = Infer<typeof Condition>;

const LabelSelectorRequirement = object({
  key: string({ doc: 'The label the requirement is about.' }),
  operator: string({ doc: 'How values are compared: In, NotIn, Exists or DoesNotExist.' }),
  values: opt(
    list(string(), { listType: 'atomic', doc: 'What In and NotIn compare with; else empty.' }),
  ),
});

export const LabelSelector = object(
  {
    matchLabels: opt(
      map(string(), { doc: 'Labels that must be there with exactly these values.' }),
    ),
    matchExpressions: opt(
      list(LabelSelectorRequirement, {
        listType: 'atomic',
        doc: 'Requirements that must all hold.',
      }),
    ),
  },
  { atomic: true },
);
export type LabelSelector = Infer<typeof LabelSelector>;

/** A reference to another object in the same namespace, by name. */
export const LocalObjectReference = object(
  { name: def(string({ doc: 'Name of the object.' }), '') },
  { atomic: true },
);

/** The two lines every object begins with. */
export const typeMeta = {
  apiVersion: string({ doc: 'API group and version of the kind.' }),
  kind: string({ doc: 'Kind of the object.' }),
};
