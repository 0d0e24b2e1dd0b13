// References from core objects to other objects.

import { object, opt } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { requiredText, text } from './fields.ts';

/** A reference to any object, as events and endpoints carry it. */
export const ObjectReference = object(
  {
    kind: opt(text('Kind of the object.')),
    namespace: opt(text('Namespace of the object.')),
    name: opt(text('Name of the object.')),
    uid: opt(text('UID of the object, to tell it from a later one of the same name.')),
    apiVersion: opt(text('API version of the object.')),
    resourceVersion: opt(text('The exact version of the object that is meant.')),
    fieldPath: opt(text('The part of the object that is meant, as spec.containers{web}.')),
  },
  { atomic: true },
);
export type ObjectReference = Infer<typeof ObjectReference>;

/** A reference to an object of any kind in the same namespace. */
export const TypedLocalObjectReference = object(
  {
    apiGroup: opt(text('API group of the object; empty for the core group.')),
    kind: requiredText('Kind of the object.'),
    name: requiredText('Name of the object.'),
  },
  { atomic: true },
);
export type TypedLocalObjectReference = Infer<typeof TypedLocalObjectReference>;

/** The same across namespaces. */
export const TypedObjectReference = object({
  apiGroup: opt(text('API group of the object; empty for the core group.')),
  kind: requiredText('Kind of the object.'),
  name: requiredText('Name of the object.'),
  namespace: opt(
    text('Namespace of the object, where a ReferenceGrant allows another than its own.'),
  ),
});
