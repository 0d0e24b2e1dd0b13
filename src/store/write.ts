// A wanted change of one object: what sources and controllers hand to the store.

import type { Kind, KubeObject } from '../api/kind.ts';
import type { ObjectMeta } from '../api/meta.ts';
import type { SourceRef } from './table.ts';

export type ObjectWrite =
  /** Creates the object, or replaces what its writer wants of it; status and identity are kept. */
  | {
      readonly op: 'put';
      readonly kind: Kind;
      readonly object: KubeObject;
      readonly source?: SourceRef;
    }
  /** Replaces the status, and with `managedFields` who owns which of its fields. */
  | {
      readonly op: 'status';
      readonly kind: Kind;
      readonly namespace: string;
      readonly name: string;
      readonly status: unknown;
      readonly managedFields?: NonNullable<ObjectMeta['managedFields']>;
    }
  /** Sets the time by which the object is to be gone; whoever runs it deletes it then. */
  | {
      readonly op: 'terminate';
      readonly kind: Kind;
      readonly namespace: string;
      readonly name: string;
      readonly gracePeriodSeconds: number;
    }
  | {
      readonly op: 'delete';
      readonly kind: Kind;
      readonly namespace: string;
      readonly name: string;
    };
