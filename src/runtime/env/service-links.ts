// Services → the environment variables by which programs find them without DNS, named as Kubernetes
// names them: SHOP_SERVICE_HOST, SHOP_SERVICE_PORT and the forms that Docker links once had.

import type { Service } from '../../api/core/service.ts';

/**
 * The variables for all services that have a cluster address. Headless services and those of type
 * ExternalName have none. `services` are those of the pod's namespace, sorted by name.
 */
export function serviceVariables(services: readonly Service[]): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const service of services) addService(service, variables);
  return variables;
}

function addService(service: Service, variables: Map<string, string>): void {
  const address = service.spec?.clusterIP ?? '';
  const ports = service.spec?.ports ?? [];
  const first = ports[0];
  if (address === '' || address === 'None' || first === undefined) return;
  const prefix = variableName(service.metadata.name ?? '');
  variables.set(`${prefix}_SERVICE_HOST`, address);
  variables.set(`${prefix}_SERVICE_PORT`, String(first.port));
  for (const port of ports) {
    if (port.name === undefined || port.name === '') continue;
    variables.set(`${prefix}_SERVICE_PORT_${variableName(port.name)}`, String(port.port));
  }
  variables.set(`${prefix}_PORT`, link(first, address));
  for (const port of ports) {
    const linkPrefix = `${prefix}_PORT_${port.port}_${(port.protocol ?? 'TCP').toUpperCase()}`;
    variables.set(linkPrefix, link(port, address));
    variables.set(`${linkPrefix}_PROTO`, (port.protocol ?? 'TCP').toLowerCase());
    variables.set(`${linkPrefix}_PORT`, String(port.port));
    variables.set(`${linkPrefix}_ADDR`, address);
  }
}

function link(port: { protocol?: string; port: number }, address: string): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return `${(port.protocol ?? 'TCP').toLowerCase()}://${host}:${port.port}`;
}

function variableName(name: string): string {
  return name.toUpperCase().replaceAll('-', '_');
}
