// The ports of a Service as one of its pods has them: names are looked up in the pod, so that pods with
// different numbers for one name end up in different slices.

import type { Container } from '../../api/core/containers.ts';
import type { Pod } from '../../api/core/pod.ts';
import type { ServicePort } from '../../api/core/service-spec.ts';
import type { Service } from '../../api/core/service.ts';
import type { EndpointPort } from '../../api/discovery/endpoint-slice.ts';

/** A port whose name the pod does not have is left out. */
export function endpointPorts({ spec }: Service, pod: Pod): readonly EndpointPort[] {
  return (spec.ports ?? []).flatMap((port) => {
    const number = targetPort(port, pod);
    return number === undefined ? [] : [endpointPort(port, number)];
  });
}

/** The port of a Service, led to a number at its endpoints. */
export function endpointPort(port: ServicePort, number: number): EndpointPort {
  const { name = '', protocol, appProtocol } = port;
  return { name, protocol, port: number, ...(appProtocol === undefined ? {} : { appProtocol }) };
}

function targetPort(port: ServicePort, pod: Pod): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === 'number') return target;
  const sidecars = (pod.spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always');
  return (
    namedPort(pod.spec.containers, target, port.protocol) ??
    namedPort(sidecars, target, port.protocol)
  );
}

function namedPort(
  containers: readonly Container[],
  name: string,
  protocol: string,
): number | undefined {
  for (const { ports = [] } of containers) {
    const found = ports.find((port) => port.name === name && port.protocol === protocol);
    if (found !== undefined) return found.containerPort;
  }
  return undefined;
}
