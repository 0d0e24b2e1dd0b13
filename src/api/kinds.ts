// The kinds Fairway serves: what sources take in and what everything else may expect to find.

import { Deployment } from './apps/deployment.ts';
import { ReplicaSet } from './apps/replica-set.ts';
import { StatefulSet } from './apps/stateful-set.ts';
import { ConfigMap } from './core/config-map.ts';
import { Endpoints } from './core/endpoints.ts';
import { Namespace } from './core/namespace.ts';
import { Pod } from './core/pod.ts';
import { Secret } from './core/secret.ts';
import { Service } from './core/service.ts';
import { EndpointSlice } from './discovery/endpoint-slice.ts';
import { extensionKinds } from './extensions/kinds.ts';
import { BackendTLSPolicy } from './gateway/backendtlspolicy.ts';
import { Gateway } from './gateway/gateway.ts';
import { GatewayClass } from './gateway/gatewayclass.ts';
import { GRPCRoute } from './gateway/grpcroute.ts';
import { HTTPRoute } from './gateway/httproute.ts';
import { ListenerSet } from './gateway/listenerset.ts';
import { ReferenceGrant } from './gateway/referencegrant.ts';
import { TCPRoute } from './gateway/tcproute.ts';
import { TLSRoute } from './gateway/tlsroute.ts';
import { UDPRoute } from './gateway/udproute.ts';
import { XBackend } from './gateway/xbackend.ts';
import { XBackendTrafficPolicy } from './gateway/xbackendtrafficpolicy.ts';
import type { Kind } from './kind.ts';
import { IngressClass } from './networking/ingress-class.ts';
import { Ingress } from './networking/ingress.ts';

export const SERVED_KINDS: readonly Kind[] = [
  Namespace,
  Pod,
  Deployment,
  ReplicaSet,
  StatefulSet,
  Service,
  EndpointSlice,
  Endpoints,
  Secret,
  ConfigMap,
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
  ...extensionKinds,
  IngressClass,
  Ingress,
];
