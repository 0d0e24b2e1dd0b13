// What a control plane would fill in, where Services come from files: addresses, and the slices of those
// whose pods are in the files as well, with the addresses they have. Slices in files are left as they are.
// Workloads start no pods here, and that is said.

import { Deployment } from '../api/apps/deployment.ts';
import { ReplicaSet } from '../api/apps/replica-set.ts';
import { StatefulSet } from '../api/apps/stateful-set.ts';
import { Pod } from '../api/core/pod.ts';
import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { formatRef } from '../api/finding.ts';
import type { Finding } from '../api/finding.ts';
import type { Kind, KubeObject } from '../api/kind.ts';
import { matchesLabels } from '../api/selectors.ts';
import { createAllocationController } from '../controllers/allocation/allocation.ts';
import type { Controller } from '../controllers/controller.ts';
import { createEndpointSliceController } from '../controllers/endpointslice/endpoint-slices.ts';
import { createEndpointSliceMirroringController } from '../controllers/endpointslice/mirroring.ts';
import { createLoadBalancerController } from '../controllers/loadbalancer/load-balancers.ts';
import { whenChanged } from '../store/remember.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { ObjectWrite } from '../store/write.ts';

export interface NodeControllersOptions {
  readonly nodeName: string;
  readonly serviceCidr: string;
  readonly loadBalancerCidr: string;
}

const SERVICE_LABEL = 'kubernetes.io/service-name';

export function createNodeControllers(options: NodeControllersOptions): readonly Controller[] {
  return [
    createAllocationController(options),
    createLoadBalancerController(options),
    besideWritten(createEndpointSliceController(options)),
    createEndpointSliceMirroringController(),
  ];
}

/** The controller, but for Services whose slices somebody has written down. */
function besideWritten(controller: Controller): Controller {
  let seen: unknown;
  let written: ReadonlySet<string> = new Set();
  return {
    name: controller.name,
    reconcile(snapshot, context) {
      const slices = snapshot.table(EndpointSlice);
      if (slices !== seen) written = servicesOfWritten(snapshot);
      seen = slices;
      const isFree = (write: ObjectWrite): boolean => {
        const service = serviceOfWrite(write, snapshot);
        return service === undefined || !written.has(service);
      };
      return controller.reconcile(snapshot, context).filter(isFree);
    },
  };
}

function servicesOfWritten(snapshot: Snapshot): ReadonlySet<string> {
  const services = new Set<string>();
  for (const { metadata } of snapshot.list(EndpointSlice)) {
    const { namespace = '', name = '', labels } = metadata;
    const service = labels?.[SERVICE_LABEL];
    const kind = EndpointSlice as unknown as Kind;
    if (service !== undefined && snapshot.sourceOf(kind, namespace, name) !== undefined) {
      services.add(`${namespace}/${service}`);
    }
  }
  return services;
}

function serviceOfWrite(write: ObjectWrite, snapshot: Snapshot): string | undefined {
  if (write.kind.kind !== EndpointSlice.kind) return undefined;
  const metadata =
    write.op === 'put'
      ? write.object.metadata
      : snapshot.get(EndpointSlice, write.namespace, write.name)?.metadata;
  const service = metadata?.labels?.[SERVICE_LABEL];
  return service === undefined ? undefined : `${metadata?.namespace ?? ''}/${service}`;
}

type Workload = KubeObject & {
  readonly spec: {
    readonly template: {
      readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
    };
  };
};

/** Finds Services that have nobody behind them because nobody starts pods here. */
export function createIdleWorkloadFinder(): (snapshot: Snapshot) => readonly Finding[] {
  const kinds = [Service, EndpointSlice, Pod, Deployment, StatefulSet, ReplicaSet];
  return whenChanged(kinds, idleWorkloadFindings);
}

function idleWorkloadFindings(snapshot: Snapshot): readonly Finding[] {
  const workloads = [Deployment, StatefulSet, ReplicaSet].flatMap((kind) =>
    (snapshot.list(kind as never) as readonly Workload[]).map((object) => ({
      kind: kind.kind,
      namespace: object.metadata.namespace ?? '',
      name: object.metadata.name ?? '',
      labels: object.spec.template.metadata?.labels,
    })),
  );
  const pods = snapshot
    .list(Pod)
    .filter(({ status }) => (status.podIP ?? '') === '')
    .map(({ metadata }) => ({
      kind: Pod.kind,
      namespace: metadata.namespace ?? '',
      name: metadata.name ?? '',
      labels: metadata.labels,
    }));
  const makers = [...workloads, ...pods];
  if (makers.length === 0) return [];
  const served = new Set(
    snapshot
      .list(EndpointSlice)
      .filter(({ endpoints }) => (endpoints ?? []).length > 0)
      .map(
        ({ metadata }) => `${metadata.namespace ?? ''}/${metadata.labels?.[SERVICE_LABEL] ?? ''}`,
      ),
  );
  return snapshot.list(Service).flatMap(({ metadata, spec }): readonly Finding[] => {
    const { namespace = '', name = '' } = metadata;
    const { selector = {} } = spec;
    if (Object.keys(selector).length === 0 || served.has(`${namespace}/${name}`)) return [];
    const maker = makers.find(
      (m) => m.namespace === namespace && matchesLabels(selector, m.labels),
    );
    if (maker === undefined) return [];
    return [
      {
        severity: 'warning',
        reason: 'NoPodsHere',
        message: `connections are refused: the pods are those of ${formatRef(maker)}, and fairway node starts none`,
        hint: 'let fairway up run them and give its kubeconfig by --kubeconfig, or add EndpointSlices, or pods that have addresses',
        origin: { object: { kind: Service.kind, namespace, name }, field: 'spec.selector' },
      },
    ];
  });
}
