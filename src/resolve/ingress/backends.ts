// Backends of Ingresses → backends by key, or why there is none.

import { Service } from '../../api/core/service.ts';
import type { IngressBackend } from '../../api/networking/ingress.ts';
import type { BackendManner, BackendUse } from '../gateway/backends.ts';
import type { Origin } from '../../model/model.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { problem } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';

export type ResolvedIngressBackend = { readonly use: BackendUse } | { readonly problem: Problem };

/** How the port of a backend is looked for; ingress-nginx takes the number of the pods as well. */
export interface PortRules {
  readonly takesTargetPorts: boolean;
}

export function resolveIngressBackend(
  backend: IngressBackend,
  { namespace, field }: Pick<Origin, 'namespace' | 'field'>,
  snapshot: Snapshot,
  rules: PortRules,
  manner?: BackendManner,
): ResolvedIngressBackend {
  const { service: ref, resource } = backend;
  if (ref === undefined) {
    const what = `${resource?.kind ?? ''}${resource?.apiGroup === undefined ? '' : `.${resource.apiGroup}`} "${resource?.name ?? ''}"`;
    return {
      problem: problem('ResourceBackend', field, `${what} cannot be a backend`, 'use a Service'),
    };
  }
  const name = `Service ${namespace}/${ref.name}`;
  const service = snapshot.get(Service, namespace, ref.name);
  if (service === undefined) {
    return {
      problem: problem('BackendNotFound', `${field}.service.name`, `${name} does not exist`),
    };
  }
  if (service.spec.type === 'ExternalName') {
    return {
      problem: problem(
        'BackendNotFound',
        `${field}.service.name`,
        `${name} is of type ExternalName, which is only a DNS name and has no endpoints`,
        'use a Service with a selector, or one without and an EndpointSlice',
      ),
    };
  }
  const ports = (service.spec.ports ?? []).filter((p) => p.protocol === 'TCP');
  const { number, name: portName } = ref.port;
  const found =
    portName !== undefined && portName !== ''
      ? ports.find((p) => p.name === portName)
      : (ports.find((p) => p.port === number) ??
        (rules.takesTargetPorts ? ports.find((p) => p.targetPort === number) : undefined));
  if (found === undefined) {
    const asked = portName === undefined || portName === '' ? String(number) : `"${portName}"`;
    const have = ports.map((p) => ((p.name ?? '') === '' ? p.port : `${p.port} (${p.name})`));
    return {
      problem: problem(
        'BackendNotFound',
        `${field}.service.port`,
        `${name} has no TCP port ${asked}`,
        `its ports: ${have.join(', ')}`,
      ),
    };
  }
  return { use: useOf(namespace, ref.name, found, manner) };
}

/** The use of one port of a Service. */
export function useOf(
  namespace: string,
  name: string,
  port: { readonly port: number; readonly name?: string },
  manner?: BackendManner,
): BackendUse {
  return {
    key: `Service ${namespace}/${name}:${port.port}${manner === undefined ? '' : `/${manner.id}`}`,
    kind: 'Service',
    namespace,
    name,
    port: port.port,
    protocol: 'TCP',
    carries: 'requests',
    portName: port.name ?? '',
    ...(manner === undefined ? {} : { manner }),
  };
}
