// What only a running container shows: it is not ready, or it listens where it should not. Pure; the
// runtime asks the system (process/listeners.ts) and this says what it means.

import type { Container } from '../api/core/containers.ts';
import type { Pod } from '../api/core/pod.ts';
import type { Finding } from '../api/finding.ts';
import { isUnspecified } from './process/listeners.ts';
import type { Listener } from './process/listeners.ts';

export interface Observation {
  readonly pod: Pod;
  readonly container: Container;
  readonly podIp: string;
  readonly ready: boolean;
  /** What the readiness probe said. */
  readonly message?: string | undefined;
  /** What the container's processes listen on; empty when that cannot be known. */
  readonly listeners: readonly Listener[];
}

export const POD_IP_HINT =
  "Pods have an address of their own but share one network. Let the program listen on the pod's " +
  'address: $(FAIRWAY_POD_IP) in its command and args, or a variable with valueFrom.fieldRef.fieldPath: status.podIP.';

/** What there is to say about a container, or undefined when all is well. */
export function observe(observation: Observation): Finding | undefined {
  const { pod, container, podIp, ready, message, listeners } = observation;
  const origin = {
    object: {
      kind: 'Pod',
      namespace: pod.metadata.namespace ?? '',
      name: pod.metadata.name ?? '',
    },
    field: `spec.containers[${indexOf(pod, container)}]`,
  };
  const everywhere = listeners.filter(({ address }) => isUnspecified(address));
  if (everywhere.length > 0) {
    return {
      severity: 'warning',
      reason: 'ListensOnAllAddresses',
      message:
        `container ${container.name} listens on ${show(everywhere)}: ` +
        'every other pod that wants the same port will fail, and the port is open to the network',
      hint: POD_IP_HINT,
      origin,
    };
  }
  if (ready && message === undefined) return undefined;
  const elsewhere = listeners.filter(({ address }) => address !== podIp);
  if (elsewhere.length > 0 && !listeners.some(({ address }) => address === podIp)) {
    return {
      severity: 'warning',
      reason: 'ListensElsewhere',
      message: `container ${container.name} listens on ${show(elsewhere)} and not on the pod's address ${podIp}`,
      hint: POD_IP_HINT,
      origin,
    };
  }
  const own = listeners.filter(({ address }) => address === podIp);
  return {
    severity: 'warning',
    reason: ready ? 'PortNotOpen' : 'NotReady',
    message: ready
      ? `container ${container.name} declares a port on which nothing accepts: ${message}`
      : `container ${container.name} is not ready: ${message ?? 'its probe has not succeeded'}`,
    ...(own.length === 0 ? {} : { hint: `It listens on ${show(own)}.` }),
    origin,
  };
}

function show(listeners: readonly Listener[]): string {
  return listeners
    .map(({ address, port }) =>
      address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
    )
    .join(', ');
}

function indexOf(pod: Pod, container: Container): number {
  return pod.spec.containers.findIndex((each) => each.name === container.name);
}
