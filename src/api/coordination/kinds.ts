// The kinds of the group coordination.k8s.io that Fairway understands.

import type { Kind } from '../kind.ts';
import { Lease } from './lease.ts';

export const coordinationKinds: readonly Kind[] = [Lease];
