// Kinds of our own, which Gateway API objects may refer to.

import type { Kind } from '../kind.ts';
import { GatewayParameters } from './gateway-parameters.ts';
import { PathRewrite } from './path-rewrite.ts';
import { TrafficPolicy } from './traffic-policy.ts';

export const extensionKinds: readonly Kind[] = [PathRewrite, GatewayParameters, TrafficPolicy];
