// Every kind there is a schema of: what the API serves, whether anything is made of it or not.

import { appsKinds } from './apps/kinds.ts';
import { coordinationKinds } from './coordination/kinds.ts';
import { coreKinds } from './core/kinds.ts';
import { discoveryKinds } from './discovery/kinds.ts';
import { extensionKinds } from './extensions/kinds.ts';
import { gatewayKinds } from './gateway/kinds.ts';
import type { Kind } from './kind.ts';
import { networkingKinds } from './networking/kinds.ts';

export const ALL_KINDS: readonly Kind[] = [
  ...coreKinds,
  ...appsKinds,
  ...coordinationKinds,
  ...discoveryKinds,
  ...networkingKinds,
  ...gatewayKinds,
  ...extensionKinds,
];
