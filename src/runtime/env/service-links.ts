// Services → the environment variables by which programs find them without DNS, named as Kubernetes
// names them: SHOP_SERVICE_HOST, SHOP_SERVICE_PORT and the forms that Docker links once had.

import type { Service } from '../../api/core/service.ts';
import { servedPorts } from '../../lib/privileged-ports.ts';

/**
 * The variables for all services that have a cluster address. Headless services and those of type
 * ExternalName have none. `services` are those of the pod's namespace, sorted by name. Values are the
 * ports that can be dialled: those below `firstOpenPort` are served at other numbers.
 */
export function serviceVariables(
  services: readonly Service[],
  firstOpenPort = 0,
): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const service of services) addService(service, firstOpenPort, variables);
  return variables;
}

function addService(service: Service, firstOpenPort: number, variables: Map<string, string>): void {
  const address = service.spec?.clusterIP ?? '';
  const ports = service.spec?.ports ?? [];
  const asked = ports.map(({ port }) => port);
  const served = servedPorts(asked, firstOpenPort);
  const at = (port: number): number => served.get(port) ?? port;
  const first = ports[0];
  if (address === '' || address === 'None' || first === undefined) return;
  const prefix = variableName(service.metadata.name ?? '');
  variables.set(`${prefix}_SERVICE_HOST`, address);
  variables.set(`${prefix}_SERVICE_PORT`, String(at(first.port)));
  for (const port of ports) {
    if (port.name === undefined || port.name === '') continue;
    variables.set(`${prefix}_SERVICE_PORT_${variableName(port.name)}`, String(at(port.port)));
  }
  variables.set(`${prefix}_PORT`, link(first.protocol, address, at(first.port)));
  for (const port of ports) {
    const linkPrefix = `${prefix}_PORT_${port.port}_${(port.protocol ?? 'TCP').toUpperCase()}`;
    variables.set(linkPrefix, link(port.protocol, address, at(port.port)));
    variables.set(`${linkPrefix}_PROTO`, (port.protocol ?? 'TCP').toLowerCase());
    variables.set(`${linkPrefix}_PORT`, String(at(port.port)));
    variables.set(`${linkPrefix}_ADDR`, address);
  }
}

function link(protocol = 'TCP', address: string, port: number): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return `${protocol.toLowerCase()}://${host}:${port}`;
}

function variableName(name: string): string {
  return name.toUpperCase().replaceAll('-', '_');
}
