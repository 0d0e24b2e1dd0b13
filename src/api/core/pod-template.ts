// The template that Deployments, ReplicaSets and StatefulSets make pods from.

import { def, described, object } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { ObjectMeta } from '../meta.ts';
import { PodSpec } from './pod-spec.ts';

export const PodTemplateSpec = object({
  metadata: def(described(ObjectMeta, 'Labels and annotations of the pods.'), {}),
  spec: def(described(PodSpec, 'What the pods are made of.'), {}),
});
export type PodTemplateSpec = Infer<typeof PodTemplateSpec>;
