// The one node there is where pods run as processes of this machine.

import { Node } from '../../api/core/node.ts';
import { deepEqual } from '../../lib/equal.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { ObjectWrite } from '../../store/write.ts';
import type { Controller, ReconcileContext } from '../controller.ts';
import { timestamp } from '../shared/metadata.ts';
import type { Labels } from '../shared/metadata.ts';
import { putWrite, statusWrite } from '../shared/writes.ts';

export interface NodeOptions {
  readonly nodeName: string;
  /** IP addresses at which node ports are served. */
  readonly nodeAddresses: readonly string[];
  /** For hints and traffic policies; the node is in no zone when absent. */
  readonly zone?: string;
  /** As `amd64`; not told when absent. */
  readonly architecture?: string;
  /** Shown as the version of the node; Fairway's own. */
  readonly version?: string;
}

export function createNodeController(options: NodeOptions): Controller {
  const { nodeName, architecture, zone } = options;
  const labels: Labels = {
    'kubernetes.io/hostname': nodeName,
    // What manifests take for granted, whatever the machine.
    'kubernetes.io/os': 'linux',
    ...(architecture === undefined ? {} : { 'kubernetes.io/arch': architecture }),
    ...(zone === undefined ? {} : { 'topology.kubernetes.io/zone': zone }),
  };
  return {
    name: 'node',
    reconcile(snapshot: Snapshot, { now }: ReconcileContext): readonly ObjectWrite[] {
      const node = snapshot.get(Node, '', nodeName);
      const status = statusOf(options, node, now);
      if (node === undefined) {
        const metadata = { name: nodeName, labels };
        const created: Node = { apiVersion: 'v1', kind: Node.kind, metadata, spec: {}, status };
        return [putWrite(snapshot, Node, created)];
      }
      const writes: ObjectWrite[] = [];
      const wanted = { ...node.metadata.labels, ...labels };
      if (!deepEqual(node.metadata.labels, wanted)) {
        const metadata = { ...node.metadata, labels: wanted };
        writes.push(putWrite(snapshot, Node, { ...node, metadata }));
      }
      if (!deepEqual(node.status, status)) writes.push(statusWrite(Node, node, status));
      return writes;
    },
  };
}

/** What others have written into the status is kept. */
function statusOf(
  { nodeName, nodeAddresses, architecture = '', version = '' }: NodeOptions,
  node: Node | undefined,
  now: Date,
): Node['status'] {
  const { conditions = [], nodeInfo, daemonEndpoints, ...others } = node?.status ?? {};
  const ready = conditions.find(({ type }) => type === 'Ready');
  const time = timestamp(now);
  return {
    ...others,
    addresses: [
      ...nodeAddresses.map((address) => ({ type: 'InternalIP', address })),
      { type: 'Hostname', address: nodeName },
    ],
    conditions:
      ready?.status === 'True'
        ? conditions
        : [
            ...conditions.filter(({ type }) => type !== 'Ready'),
            {
              type: 'Ready',
              status: 'True',
              lastHeartbeatTime: time,
              lastTransitionTime: time,
              reason: 'KubeletReady',
              message: 'pods run as local processes',
            },
          ],
    daemonEndpoints: daemonEndpoints ?? { kubeletEndpoint: { Port: 0 } },
    nodeInfo: {
      machineID: '',
      systemUUID: '',
      bootID: '',
      kernelVersion: '',
      osImage: '',
      containerRuntimeVersion: '',
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      ...nodeInfo,
      architecture,
      kubeletVersion: version,
    },
  };
}
