// The kinds of the core group that Fairway understands, in the order discovery lists them.

import type { Kind } from '../kind.ts';
import { ConfigMap } from './config-map.ts';
import { Endpoints } from './endpoints.ts';
import { Event } from './event.ts';
import { Namespace } from './namespace.ts';
import { Node } from './node.ts';
import { Pod } from './pod.ts';
import { Secret } from './secret.ts';
import { ServiceAccount } from './service-account.ts';
import { Service } from './service.ts';

export const coreKinds: readonly Kind[] = [
  ConfigMap,
  Endpoints,
  Event,
  Namespace,
  Node,
  Pod,
  Secret,
  Service,
  ServiceAccount,
];
