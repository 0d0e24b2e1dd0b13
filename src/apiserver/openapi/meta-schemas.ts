// Schemas of what belongs to no kind and appears in every document: metadata of lists, the answer
// Status, the options of requests, and Scale, which several kinds have as a subresource.

import { ObjectMeta, typeMeta } from '../../api/meta.ts';
import {
  any,
  boolean,
  def,
  described,
  integer,
  list,
  object,
  opt,
  string,
} from '../../api/schema/schema.ts';
import type { Node } from '../../api/schema/schema.ts';

const ListMeta = object({
  selfLink: opt(string({ doc: 'No longer filled in.' })),
  resourceVersion: opt(
    string({ doc: 'The state of the store the list shows; a watch goes on from here.' }),
  ),
  continue: opt(string({ doc: 'Asks for the next part of a list that came in parts.' })),
  remainingItemCount: opt(
    integer({ format: 'int64', doc: 'How many objects follow, where that is known.' }),
  ),
});

const StatusCause = object({
  reason: opt(string({ doc: 'What is wrong, in one word for programs.' })),
  message: opt(string({ doc: 'What is wrong, in a sentence for people.' })),
  field: opt(string({ doc: 'The field it is about, as spec.ports[0].port.' })),
});

const StatusDetails = object({
  name: opt(string({ doc: 'Name of the object.' })),
  group: opt(string({ doc: 'API group of the object.' })),
  kind: opt(string({ doc: 'Resource or kind of the object.' })),
  uid: opt(string({ doc: 'UID of the object, where there is a single one.' })),
  causes: opt(list(StatusCause, { listType: 'atomic', doc: 'All that is wrong, one by one.' })),
  retryAfterSeconds: opt(
    integer({ format: 'int32', doc: 'Seconds after which another try makes sense.' }),
  ),
});

const optionalTypeMeta = { apiVersion: opt(typeMeta.apiVersion), kind: opt(typeMeta.kind) };

const Status = object(
  {
    ...optionalTypeMeta,
    metadata: opt(ListMeta),
    status: opt(string({ doc: 'Success or Failure.' })),
    message: opt(string({ doc: 'What happened, in a sentence for people.' })),
    reason: opt(string({ doc: 'Why it failed, in one word for programs.' })),
    details: opt(described(StatusDetails, 'What it is about, in fields for programs.')),
    code: opt(integer({ format: 'int32', doc: 'The HTTP code of the answer.' })),
  },
  { doc: 'The answer to a request that gives no object.' },
);

const Preconditions = object({
  uid: opt(string({ doc: 'The object must have this UID.' })),
  resourceVersion: opt(string({ doc: 'The object must be of this version.' })),
});

const DeleteOptions = object(
  {
    ...optionalTypeMeta,
    gracePeriodSeconds: opt(
      integer({ format: 'int64', doc: 'Seconds the object has to end; 0 ends it at once.' }),
    ),
    preconditions: opt(
      described(Preconditions, 'What must be true, else nothing is deleted and 409 answered.'),
    ),
    orphanDependents: opt(boolean({ doc: 'Deprecated: use propagationPolicy Orphan.' })),
    propagationPolicy: opt(
      string({ doc: 'What happens to objects it owns: Orphan, Background or Foreground.' }),
    ),
    dryRun: opt(
      list(string(), { listType: 'atomic', doc: 'All: everything is checked, nothing is stored.' }),
    ),
    ignoreStoreReadErrorWithClusterBreakingPotential: opt(
      boolean({ doc: 'Deletes an object that cannot be read any more.' }),
    ),
  },
  { doc: 'How an object is to be deleted.' },
);

const Scale = object(
  {
    ...optionalTypeMeta,
    metadata: def(ObjectMeta, {}),
    spec: opt(
      object(
        { replicas: opt(integer({ format: 'int32', doc: 'How many pods there are to be.' })) },
        { doc: 'The number that is wanted.' },
      ),
    ),
    status: opt(
      object(
        {
          replicas: integer({ format: 'int32', doc: 'How many pods there are.' }),
          selector: opt(string({ doc: 'The pods, as a label selector in text form.' })),
        },
        { doc: 'The number there is.' },
      ),
    ),
  },
  {
    doc: 'How many pods something has: read and set in the same way for every kind that has pods.',
  },
);

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';

/** Names of components that others refer to. */
export const OBJECT_META = `${META}.ObjectMeta`;
export const LIST_META = `${META}.ListMeta`;
export const STATUS = `${META}.Status`;
export const DELETE_OPTIONS = `${META}.DeleteOptions`;
export const PATCH = `${META}.Patch`;
export const SCALE = 'io.k8s.api.autoscaling.v1.Scale';

export interface SharedSchema {
  readonly node: Node;
  /** The kind it is, where it can be sent or received by itself. */
  readonly type?: { readonly group: string; readonly version: string; readonly kind: string };
}

export const SHARED: Readonly<Record<string, SharedSchema>> = {
  [OBJECT_META]: {
    node: described(ObjectMeta, 'What every object is known by, and what is noted about it.'),
  },
  [LIST_META]: { node: described(ListMeta, 'What is known of a list.') },
  [STATUS]: { node: Status, type: { group: '', version: 'v1', kind: 'Status' } },
  [DELETE_OPTIONS]: {
    node: DeleteOptions,
    type: { group: '', version: 'v1', kind: 'DeleteOptions' },
  },
  [PATCH]: {
    node: any({ doc: 'A change to an object: what it holds depends on its Content-Type.' }),
  },
  [SCALE]: { node: Scale, type: { group: 'autoscaling', version: 'v1', kind: 'Scale' } },
};
