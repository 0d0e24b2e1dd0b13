// Resolved Gateways and the hosts attached to their listeners → the entry points of the model. An entry
// point is the same value as long as nothing in it changes.

import { compareHostnames } from '../../lib/hostname.ts';
import type { EntryPoint, Host, Listener } from '../../model/model.ts';
import { same } from '../reader.ts';
import type { ResolvedGateway, ResolvedGateways } from './gateways.ts';
import type { HostsByListener } from './hosts.ts';
import { isServing } from './listeners.ts';
import type { ResolvedListener } from './listeners.ts';

const NO_HOSTS: readonly Host[] = [];

interface Made {
  readonly inputs: readonly unknown[];
  readonly entryPoint: EntryPoint;
}

export function createEntryPointAssembler(): (
  gateways: ResolvedGateways,
  hosts: HostsByListener,
) => readonly EntryPoint[] {
  let made = new Map<string, Made>();
  return (gateways, hosts) => {
    const next = new Map<string, Made>();
    for (const gateway of gateways.values()) {
      const serving = gateway.listeners.filter(isServing);
      for (const [port, listeners] of Map.groupBy(serving, (l) => l.port)) {
        const id = `${gateway.key}:${port}`;
        const inputs = [gateway, ...listeners.map((l) => hosts.get(l.id) ?? NO_HOSTS)];
        const known = made.get(id);
        next.set(
          id,
          known !== undefined && same(known.inputs, inputs)
            ? known
            : { inputs, entryPoint: assemble(id, gateway, listeners, hosts) },
        );
      }
    }
    made = next;
    return [...next.keys()].toSorted().map((id) => (next.get(id) as Made).entryPoint);
  };
}

function assemble(
  id: string,
  gateway: ResolvedGateway,
  listeners: readonly ResolvedListener[],
  hosts: HostsByListener,
): EntryPoint {
  const [first] = listeners as readonly [ResolvedListener];
  return {
    id,
    gateway: gateway.key,
    addresses: gateway.address === '' ? [] : [gateway.address],
    port: first.port,
    protocol: first.protocol ?? 'http',
    listeners: listeners
      .toSorted((a, b) => compareHostnames(a.hostname, b.hostname))
      .map((listener) => toListener(listener, gateway, hosts.get(listener.id) ?? NO_HOSTS)),
  };
}

function toListener(
  listener: ResolvedListener,
  { namespace, name }: ResolvedGateway,
  hosts: readonly Host[],
): Listener {
  return {
    id: listener.id,
    name: listener.name,
    hostname: listener.hostname,
    certificates: listener.certificates.map((c) => c.key),
    hosts,
    origin: { kind: 'Gateway', namespace, name, field: listener.field },
  };
}
