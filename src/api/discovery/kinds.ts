// The kinds of the group discovery.k8s.io that Fairway understands.

import type { Kind } from '../kind.ts';
import { EndpointSlice } from './endpoint-slice.ts';

export const discoveryKinds: readonly Kind[] = [EndpointSlice];
