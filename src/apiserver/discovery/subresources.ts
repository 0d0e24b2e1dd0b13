// What lies below a resource: status, scale, and the subresources of Pods and Services that carry
// streams. A list: the server serves what stands here, and discovery announces it.

import type { Kind } from '../../api/kind.ts';

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface Subresource {
  /** `status` of pods/status. */
  readonly name: string;
  /** The kind that is read and written there. */
  readonly type: GroupVersionKind;
  readonly verbs: readonly string[];
}

const READ_WRITE = ['get', 'patch', 'update'];
const CONNECT = ['create', 'get'];
const PROXY = ['create', 'delete', 'get', 'patch', 'update'];

const SCALED = ['apps/Deployment', 'apps/ReplicaSet', 'apps/StatefulSet'];
const SCALE: GroupVersionKind = { group: 'autoscaling', version: 'v1', kind: 'Scale' };

function core(name: string, kind: string, verbs: readonly string[]): Subresource {
  return { name, type: { group: '', version: 'v1', kind }, verbs };
}

const STREAMS: Readonly<Record<string, readonly Subresource[]>> = {
  '/Pod': [
    core('attach', 'PodAttachOptions', CONNECT),
    {
      name: 'eviction',
      type: { group: 'policy', version: 'v1', kind: 'Eviction' },
      verbs: ['create'],
    },
    core('exec', 'PodExecOptions', CONNECT),
    core('log', 'Pod', ['get']),
    core('portforward', 'PodPortForwardOptions', CONNECT),
    core('proxy', 'PodProxyOptions', PROXY),
  ],
  '/Service': [core('proxy', 'ServiceProxyOptions', PROXY)],
};

/** The subresources of a kind in one of its versions, by name. */
export function subresourcesOf(kind: Kind, version: string): readonly Subresource[] {
  const name = `${kind.group}/${kind.kind}`;
  const own: GroupVersionKind = { group: kind.group, version, kind: kind.kind };
  return [
    ...(STREAMS[name] ?? []),
    ...(SCALED.includes(name) || kind.scale !== undefined
      ? [{ name: 'scale', type: SCALE, verbs: READ_WRITE }]
      : []),
    ...(kind.hasStatus ? [{ name: 'status', type: own, verbs: READ_WRITE }] : []),
  ];
}
