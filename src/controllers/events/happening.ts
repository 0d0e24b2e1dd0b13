// Something that happened to an object, before it is an Event: what, why, and who noticed it.

import { apiVersionOf } from '../../api/kind.ts';
import type { Kind, KubeObject } from '../../api/kind.ts';
import type { Pod } from '../../api/core/pod.ts';

/** The object it happened to, or a part of it (`spec.containers{web}`). */
export interface Regarding {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly fieldPath?: string;
}

export interface Happening {
  readonly regarding: Regarding;
  readonly type: 'Normal' | 'Warning';
  /** In one word for programs. */
  readonly reason: string;
  /** In a sentence for people. */
  readonly message: string;
  /** Who noticed it, named as people know it from Kubernetes where there is such a part. */
  readonly component: string;
  /** The node it was noticed on. */
  readonly host?: string;
}

export function regarding(kind: Kind, { metadata }: KubeObject, fieldPath?: string): Regarding {
  return {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    ...(fieldPath === undefined ? {} : { fieldPath }),
  };
}

/** What is asked of the objects as they are when something happens. */
export interface Objects {
  get(kind: Kind, namespace: string, name: string): KubeObject | undefined;
  podsIn(namespace: string): readonly Pod[];
}
