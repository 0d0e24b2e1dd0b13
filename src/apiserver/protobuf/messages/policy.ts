// Eviction of the group policy. The notation is explained in notation.ts.

import type { Package } from '../notation.ts';

export const policyMessages: Package = {
  Eviction: '1 metadata meta.ObjectMeta, 2 deleteOptions meta.DeleteOptions*?',
};
