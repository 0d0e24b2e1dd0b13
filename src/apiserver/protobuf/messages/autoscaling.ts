// Scale of the group autoscaling, as the subresource scale has it. The notation is explained in notation.ts.

import type { Package } from '../notation.ts';

export const autoscalingMessages: Package = {
  Scale: '1 metadata meta.ObjectMeta, 2 spec ScaleSpec, 3 status ScaleStatus',
  ScaleSpec: '1 replicas int32?',
  ScaleStatus: '1 replicas int32, 2 selector string?',
};
