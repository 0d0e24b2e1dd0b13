// What containers and pods ask of a node, and what they may use at most.

import { map, object, oneOf, opt } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { keyed, quantity, requiredText, text } from './fields.ts';

/** Amounts by resource: cpu, memory, example.com/gpu. */
export function resourceList(doc: string) {
  return map(quantity(), { doc });
}

const ResourceClaim = object({
  name: requiredText('Name of an entry of spec.resourceClaims of the pod.'),
  request: opt(text('The one request of the claim that is meant; all of them when absent.')),
});

export const ResourceRequirements = object({
  limits: opt(resourceList('The most that may be used.')),
  requests: opt(resourceList('What is set aside; the limits when absent.')),
  claims: opt(
    keyed(ResourceClaim, { keys: ['name'], doc: 'Claims on devices that the pod holds.' }),
  ),
});
export type ResourceRequirements = Infer<typeof ResourceRequirements>;

export const VolumeResourceRequirements = object({
  limits: opt(resourceList('The most the volume may hold.')),
  requests: opt(resourceList('The least the volume must hold, as storage: 1Gi.')),
});

export const ContainerResizePolicy = object({
  resourceName: oneOf(['cpu', 'memory'], { doc: 'The resource.' }),
  restartPolicy: oneOf(['NotRequired', 'RestartContainer'], {
    doc: 'Whether a change of the resource restarts the container.',
  }),
});
