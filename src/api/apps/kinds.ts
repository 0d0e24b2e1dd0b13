// The kinds of the group apps that Fairway understands.

import type { Kind } from '../kind.ts';
import { Deployment } from './deployment.ts';
import { ReplicaSet } from './replica-set.ts';
import { StatefulSet } from './stateful-set.ts';

export const appsKinds: readonly Kind[] = [Deployment, ReplicaSet, StatefulSet];
