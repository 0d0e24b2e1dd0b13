// Backends of Ingresses → backends by key, or why there is none.

import { Service } from '../../api/core/service.ts';
import type { IngressBackend } from '../../api/networking/ingress.ts';
import type { BackendManner, BackendUse } from '../gateway/backends.ts';
import { externalNameTrouble } from '../gateway/external-backends.ts';
import type { Origin } from '../../model/model.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { problem } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';

export type ResolvedIngressBackend = { readonly use: BackendUse } | { readonly problem: Problem };

/** What a Service may be, and how its port is looked for. */
export interface PortRules {
  /** ingress-nginx takes the number of the pods as well. */
  readonly takesTargetPorts: boolean;
  /** Whether Services may be names outside. */
  readonly externalNames: boolean;
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
    return resolveName(ref, service, { namespace, field }, rules, manner);
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

/** A name needs no ports, and then every port may be asked for; those there are, are asked for alike. */
function resolveName(
  ref: NonNullable<IngressBackend['service']>,
  service: Service,
  { namespace, field }: Pick<Origin, 'namespace' | 'field'>,
  { externalNames }: PortRules,
  manner?: BackendManner,
): ResolvedIngressBackend {
  const name = `Service ${namespace}/${ref.name}`;
  const refuse = (message: string, hint?: string): ResolvedIngressBackend => ({
    problem: problem('BackendNotFound', `${field}.service.name`, message, hint),
  });
  if (!externalNames) {
    return refuse(
      `${name} is of type ExternalName, which is only a DNS name and has no endpoints`,
      'use a Service with a selector, or allow such Services: externalBackends.externalNameServices in the configuration',
    );
  }
  const trouble = externalNameTrouble(service);
  if (trouble !== undefined) return refuse(`${name}: ${trouble}`);
  const ports = (service.spec.ports ?? []).filter((p) => p.protocol === 'TCP');
  const { number, name: portName = '' } = ref.port;
  const found = ports.find((p) => (portName === '' ? p.port === number : p.name === portName));
  if (found !== undefined) return { use: useOf(namespace, ref.name, found, manner) };
  if (number !== undefined && portName === '' && ports.length === 0) {
    return { use: useOf(namespace, ref.name, { port: number }, manner) };
  }
  return refuse(
    `${name} has no TCP port ${portName === '' ? String(number) : `"${portName}"`}`,
    `its ports: ${ports.map((p) => p.port).join(', ')}`,
  );
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
