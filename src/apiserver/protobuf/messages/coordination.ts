// The kinds of the group coordination.k8s.io. The notation is explained in notation.ts.

import type { Package } from '../notation.ts';

export const coordinationMessages: Package = {
  Lease: '1 metadata meta.ObjectMeta, 2 spec LeaseSpec',
  LeaseSpec: `
    1 holderIdentity string*?, 2 leaseDurationSeconds int32*?, 3 acquireTime MicroTime*?,
    4 renewTime MicroTime*?, 5 leaseTransitions int32*?, 6 strategy string*?,
    7 preferredHolder string*?`,
};
