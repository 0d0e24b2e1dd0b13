// All kinds of Gateway API v1.6, the experimental channel included. Each file named here can be read
// on its own; gateway.ts and httproute.ts are the ones to begin with.

import type { Kind } from '../kind.ts';
import { BackendTLSPolicy } from './backendtlspolicy.ts';
import { Gateway } from './gateway.ts';
import { GatewayClass } from './gatewayclass.ts';
import { GRPCRoute } from './grpcroute.ts';
import { HTTPRoute } from './httproute.ts';
import { ListenerSet } from './listenerset.ts';
import { ReferenceGrant } from './referencegrant.ts';
import { TCPRoute } from './tcproute.ts';
import { TLSRoute } from './tlsroute.ts';
import { UDPRoute } from './udproute.ts';
import { XBackend } from './xbackend.ts';
import { XBackendTrafficPolicy } from './xbackendtrafficpolicy.ts';
import { XMesh } from './xmesh.ts';

export const gatewayKinds: readonly Kind[] = [
  GatewayClass,
  Gateway,
  ListenerSet,
  HTTPRoute,
  GRPCRoute,
  TLSRoute,
  TCPRoute,
  UDPRoute,
  ReferenceGrant,
  BackendTLSPolicy,
  XBackend,
  XBackendTrafficPolicy,
  XMesh,
];
