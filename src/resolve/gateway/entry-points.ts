// Resolved Gateways and the hosts attached to their listeners → the entry points of the model. An entry
// point is the same value as long as nothing in it changes.

import { compareHostnames } from '../../lib/hostname.ts';
import type { EntryPoint, EntryProtocol, Host, Listener, StreamHost } from '../../model/model.ts';
import { same } from '../reader.ts';
import { allListeners } from './gateways.ts';
import type { ResolvedGateway, ResolvedGateways } from './gateways.ts';
import type { HostsByListener } from './hosts.ts';
import type { StreamHostsByListener } from './stream-hosts.ts';
import { isServing } from './listeners.ts';
import type { ResolvedListener } from './listeners.ts';

const NO_HOSTS: readonly Host[] = [];
const NO_STREAM_HOSTS: readonly StreamHost[] = [];

interface Made {
  readonly inputs: readonly unknown[];
  readonly entryPoint: EntryPoint;
}

export function createEntryPointAssembler(): (
  gateways: ResolvedGateways,
  hosts: HostsByListener,
  streams: StreamHostsByListener,
) => readonly EntryPoint[] {
  let made = new Map<string, Made>();
  const toListener = createListenerMaker();
  return (gateways, hosts, streams) => {
    const next = new Map<string, Made>();
    for (const gateway of gateways.all) {
      // What is not accepted is not served, not even on localhost.
      if (gateway.unaccepted.length > 0) continue;
      const serving = allListeners(gateway).filter(isServing);
      for (const [place, listeners] of Map.groupBy(serving, placeOf)) {
        const id = `${gateway.key}:${place}`;
        const inputs = [
          gateway,
          ...listeners.map((l) => hosts.get(l.id) ?? NO_HOSTS),
          ...listeners.map((l) => streams.get(l.id) ?? NO_STREAM_HOSTS),
        ];
        const known = made.get(id);
        next.set(
          id,
          known !== undefined && same(known.inputs, inputs)
            ? known
            : {
                inputs,
                entryPoint: assemble(id, gateway, listeners, (l) =>
                  toListener(l, { hosts, streams }),
                ),
              },
        );
      }
    }
    made = next;
    return [...next.keys()].toSorted().map((id) => (next.get(id) as Made).entryPoint);
  };
}

/** Of a port, `80` or `53/udp`: one number is two ports. */
function placeOf({ port, protocol }: ResolvedListener): string {
  return protocol === 'udp' ? `${port}/udp` : String(port);
}

/** A port is for TLS as soon as one listener wants connections and not requests. */
function protocolOf(listeners: readonly ResolvedListener[]): EntryProtocol {
  const isTls = listeners.some((l) => l.protocol === 'tls');
  return isTls ? 'tls' : (listeners[0]?.protocol ?? 'http');
}

interface Attached {
  readonly hosts: HostsByListener;
  readonly streams: StreamHostsByListener;
}

function assemble(
  id: string,
  gateway: ResolvedGateway,
  listeners: readonly ResolvedListener[],
  toListener: (listener: ResolvedListener) => Listener,
): EntryPoint {
  const [first] = listeners as readonly [ResolvedListener];
  return {
    id,
    gateway: gateway.key,
    addresses: gateway.assigned.addresses,
    port: first.port,
    protocol: protocolOf(listeners),
    ...clientValidationOf(listeners),
    ...(gateway.settings === undefined ? {} : { settings: gateway.settings }),
    ...(gateway.backendCertificate === undefined
      ? {}
      : { backendCertificate: gateway.backendCertificate.key }),
    listeners: listeners
      .toSorted((a, b) => compareHostnames(a.hostname, b.hostname))
      .map(toListener),
  };
}

/** It is said by port, so that all listeners for HTTPS on it have the same. */
function clientValidationOf(
  listeners: readonly ResolvedListener[],
): Pick<EntryPoint, 'clientValidation'> {
  const found = listeners.find((l) => l.clientValidation !== undefined);
  return found?.clientValidation === undefined ? {} : { clientValidation: found.clientValidation };
}

/** Makes listeners of the model; the same ones as long as nothing in them changes. */
function createListenerMaker(): (listener: ResolvedListener, attached: Attached) => Listener {
  const made = new WeakMap<ResolvedListener, readonly [readonly unknown[], Listener]>();
  return (listener, attached) => {
    const inputs = [attached.hosts.get(listener.id), attached.streams.get(listener.id)];
    const known = made.get(listener);
    if (known !== undefined && same(known[0], inputs)) return known[1];
    const value = makeListener(listener, attached);
    made.set(listener, [inputs, value]);
    return value;
  };
}

function makeListener(listener: ResolvedListener, { hosts, streams }: Attached): Listener {
  return {
    id: listener.id,
    name: listener.name,
    hostname: listener.hostname,
    certificates: listener.certificates.map((c) => c.key),
    hosts: hosts.get(listener.id) ?? NO_HOSTS,
    ...(listener.mode === undefined
      ? {}
      : { stream: { mode: listener.mode, hosts: streams.get(listener.id) ?? NO_STREAM_HOSTS } }),
    origin: { ...listener.owner, field: listener.field },
  };
}
