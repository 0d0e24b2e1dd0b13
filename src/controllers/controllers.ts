// The controllers there are, in the order in which they run: each reads what those before it wrote.

import { createAllocationController } from './allocation/allocation.ts';
import { createDeletionPolicyController } from './cluster/deletion-policies.ts';
import { createGarbageController } from './cluster/garbage.ts';
import { createGatewayClassController } from './cluster/gateway-class.ts';
import { createIngressClassController } from './cluster/ingress-classes.ts';
import { createGatewayInfrastructureController } from './cluster/gateway-infrastructure.ts';
import { createNamespaceController } from './cluster/namespaces.ts';
import { createNodeController } from './cluster/nodes.ts';
import { createSchedulerController } from './cluster/scheduler.ts';
import type { Kind } from '../api/kind.ts';
import type { Controller } from './controller.ts';
import { createEndpointSliceController } from './endpointslice/endpoint-slices.ts';
import { createEndpointSliceMirroringController } from './endpointslice/mirroring.ts';
import { CONTROLLED_KINDS } from './kinds.ts';
import { createLoadBalancerController } from './loadbalancer/load-balancers.ts';
import { createDeploymentController } from './workloads/deployment/deployments.ts';
import { createReplicaSetController } from './workloads/replicaset/replica-sets.ts';
import { createStatefulSetController } from './workloads/statefulset/stateful-sets.ts';

export interface ControllersOptions {
  /** Kinds that users have defined, as they are now; none when absent. */
  readonly customKinds?: () => readonly Kind[];
  /** The node of this process. */
  readonly nodeName: string;
  /** IP addresses at which node ports are served. */
  readonly nodeAddresses: readonly string[];
  /** The zone the node is in; none when absent. */
  readonly zone?: string;
  /** The processor, as `amd64`. */
  readonly architecture?: string;
  /** Fairway's own version. */
  readonly version?: string;
  /** Addresses of Services, as `127.96.0.0/16`. */
  readonly serviceCidr: string;
  /** Addresses of Services of type LoadBalancer, as `127.80.128.0/17`. */
  readonly loadBalancerCidr: string;
  /** 30000 to 32767 when absent. */
  readonly nodePorts?: { readonly first: number; readonly last: number };
}

/** Throws a FairwayError when a range of addresses is none. */
export function createControllers(options: ControllersOptions): readonly Controller[] {
  const { customKinds = () => [] } = options;
  const kinds = (): readonly Kind[] => [...CONTROLLED_KINDS, ...customKinds()];
  return [
    createNamespaceController({ kinds }),
    createNodeController(options),
    createGatewayClassController(),
    createIngressClassController(),
    createGatewayInfrastructureController(),
    createAllocationController(options),
    createLoadBalancerController(options),
    // A ReplicaSet in a file finds its Deployment before that makes another one.
    createGarbageController({ kinds }),
    createDeletionPolicyController({ kinds }),
    // What counts pods runs before what decides by the counts.
    createReplicaSetController(),
    createStatefulSetController(),
    createDeploymentController(),
    createSchedulerController(),
    createEndpointSliceController(options),
    createEndpointSliceMirroringController(),
  ];
}
