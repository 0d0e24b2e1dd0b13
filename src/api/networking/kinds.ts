// The kinds of the group networking.k8s.io that Fairway understands.

import type { Kind } from '../kind.ts';
import { IngressClass } from './ingress-class.ts';
import { Ingress } from './ingress.ts';

export const networkingKinds: readonly Kind[] = [Ingress, IngressClass];
