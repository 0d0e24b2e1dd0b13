// What `fairway node` reads of a cluster: the kinds that say where packets go, as little of them as does.

import { Node } from '../api/core/node.ts';
import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import type { Kind } from '../api/kind.ts';
import type { KubeJson } from '../sources/kube/client.ts';
import type { KubeInterest } from '../sources/kube/kube.ts';

/** Services of other proxies, and those that are DNS names only, are none of ours. */
const OURS = '!service.kubernetes.io/service-proxy-name,!service.kubernetes.io/headless';

/** For a node of that name. */
export function nodeInterests(nodeName: string): readonly KubeInterest[] {
  return [
    { kind: Service as unknown as Kind, labelSelector: OURS },
    { kind: EndpointSlice as unknown as Kind, labelSelector: OURS },
    {
      kind: Node as unknown as Kind,
      fieldSelector: `metadata.name=${nodeName}`,
      keep: withoutReports,
    },
  ];
}

/** A node reports on itself every few seconds, at length, and nothing of that matters here. */
function withoutReports({ spec, metadata }: KubeJson): KubeJson {
  return { ...(metadata === undefined ? {} : { metadata }), spec, status: {} };
}
