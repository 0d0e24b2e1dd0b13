// A pod template → a pod. What the API server would fill into the pod is filled in once per template.

import { Pod } from '../../api/core/pod.ts';
import type { PodTemplateSpec } from '../../api/core/pod-template.ts';
import type { OwnerReference } from '../shared/metadata.ts';

export interface NewPod {
  readonly template: PodTemplateSpec;
  readonly namespace: string;
  readonly name: string;
  readonly generateName?: string;
  readonly owner: OwnerReference;
}

/** The pod as it is created: pending, on no node yet. */
export function podFromTemplate({ template, namespace, name, generateName, owner }: NewPod): Pod {
  const { labels, annotations, finalizers } = template.metadata;
  return {
    apiVersion: 'v1',
    kind: Pod.kind,
    metadata: {
      ...(generateName === undefined ? {} : { generateName }),
      name,
      namespace,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [owner],
    },
    spec: specOf(template),
    status: { phase: 'Pending' },
  };
}

/** Thousands of pods may come from one template. */
const specs = new WeakMap<PodTemplateSpec['spec'], Pod['spec']>();

function specOf({ spec }: PodTemplateSpec): Pod['spec'] {
  let known = specs.get(spec);
  if (known === undefined) {
    const pod: Pod = { apiVersion: 'v1', kind: Pod.kind, metadata: {}, spec, status: {} };
    known = (Pod.setDefaults?.(pod) ?? pod).spec;
    specs.set(spec, known);
  }
  return known;
}
