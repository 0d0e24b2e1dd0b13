// What `ipvsadm -Ln` says → the virtual servers a kernel has; and the lines for `ipvsadm -R` that bring it from
// there to what it should have. A destination that is needed no longer gets weight 0: it finishes what it has,
// and goes when it is idle.

import { joinHostPort } from '../../lib/cidr.ts';
import { serverKey } from './compile.ts';
import type { Transport, VirtualServer } from './program.ts';
import { destinationWords, schedulingWords, serverWords } from './text.ts';

export interface ServerState {
  readonly transport: Transport;
  readonly address: string;
  readonly port: number;
  scheduler: string;
  persistSeconds: number;
  readonly destinations: Map<string, DestinationState>;
}

export interface DestinationState {
  readonly address: string;
  readonly port: number;
  weight: number;
  /** Connections when it was last looked, active or not. */
  connections: number;
}

/** By key, as `tcp 10.96.0.1:80`. */
export type ServerStates = Map<string, ServerState>;

const SERVER =
  /^(TCP|UDP|SCTP)\s+(?:\[([^\]]+)\]|([^\s:]+)):(\d+)\s+(\S+)(?:.*\bpersistent (\d+))?/;
const DESTINATION = /^\s+->\s+(?:\[([^\]]+)\]|([^\s:]+)):(\d+)\s+\S+\s+(\d+)\s+(\d+)\s+(\d+)/;

/** Reads `ipvsadm -Ln`. Servers by mark are nobody's of ours, and left out. */
export function parseServers(listing: string): ServerStates {
  const states: ServerStates = new Map();
  let current: ServerState | undefined;
  for (const line of listing.split('\n')) {
    const server = SERVER.exec(line);
    if (server !== null) {
      const [, protocol = '', v6, v4, port, scheduler = '', persist = '0'] = server;
      current = {
        transport: protocol.toLowerCase() as Transport,
        address: v6 ?? v4 ?? '',
        port: Number(port),
        scheduler,
        persistSeconds: Number(persist),
        destinations: new Map(),
      };
      states.set(serverKey(current), current);
      continue;
    }
    const destination = DESTINATION.exec(line);
    if (destination === null) {
      if (/^\S/.test(line)) current = undefined;
      continue;
    }
    const [, v6, v4, port, weight, active, inactive] = destination;
    const address = v6 ?? v4 ?? '';
    current?.destinations.set(joinHostPort(address, Number(port)), {
      address,
      port: Number(port),
      weight: Number(weight),
      connections: Number(active) + Number(inactive),
    });
  }
  return states;
}

/** IPv6 addresses as the kernel writes them. */
function canonical(address: string): string {
  return address.includes(':') ? new URL(`http://[${address}]/`).hostname.slice(1, -1) : address;
}

function canonicalServer(server: VirtualServer): VirtualServer {
  if (!server.address.includes(':')) return server;
  return {
    ...server,
    address: canonical(server.address),
    destinations: server.destinations.map((d) => ({ ...d, address: canonical(d.address) })),
  };
}

/** Key of a server in what the kernel lists. */
export function stateKey(server: VirtualServer): string {
  return serverKey({ ...server, address: canonical(server.address) });
}

/** Lines that bring one server to what it should be, and the state that it then has. */
export function changeServer(
  states: ServerStates,
  wanted: VirtualServer,
): { readonly lines: readonly string[]; readonly after: ServerState } {
  const server = canonicalServer(wanted);
  const words = serverWords(server);
  const known = states.get(serverKey(server));
  const { transport, address, port, scheduler, persistSeconds } = server;
  const lines: string[] = [];
  if (known === undefined) lines.push(`-A ${words} ${schedulingWords(server)}`);
  else if (known.scheduler !== scheduler || known.persistSeconds !== persistSeconds) {
    lines.push(`-E ${words} ${schedulingWords(server)}`);
  }
  const destinations = new Map<string, DestinationState>();
  for (const destination of server.destinations) {
    const key = joinHostPort(destination.address, destination.port);
    const before = known?.destinations.get(key);
    if (before === undefined) lines.push(`-a ${words} ${destinationWords(destination, 1)}`);
    else if (before.weight !== 1) lines.push(`-e ${words} ${destinationWords(destination, 1)}`);
    destinations.set(key, { ...destination, weight: 1, connections: before?.connections ?? 0 });
  }
  for (const [key, destination] of known?.destinations ?? []) {
    if (destinations.has(key)) continue;
    // Datagrams have no end to wait for.
    if (transport === 'udp') {
      lines.push(`-d ${words} -r ${key}`);
      continue;
    }
    if (destination.weight !== 0) lines.push(`-e ${words} ${destinationWords(destination, 0)}`);
    destinations.set(key, { ...destination, weight: 0 });
  }
  return {
    lines,
    after: { transport, address, port, scheduler, persistSeconds, destinations },
  };
}

/** Line that removes a server with all its destinations. */
export function removeServer(server: Pick<ServerState, 'transport' | 'address' | 'port'>): string {
  return `-D ${serverWords(server)}`;
}

/** Lines that remove destinations that end and have no connection left; they are removed from the states, too. */
export function sweepLines(
  states: ServerStates,
  isOurs: (key: string) => boolean,
): readonly string[] {
  const lines: string[] = [];
  for (const [key, server] of states) {
    if (!isOurs(key)) continue;
    for (const [name, { weight, connections }] of server.destinations) {
      if (weight > 0 || connections > 0) continue;
      lines.push(`-d ${serverWords(server)} -r ${name}`);
      server.destinations.delete(name);
    }
  }
  return lines;
}

/** Whether something ends. */
export function hasEnding(states: ServerStates): boolean {
  return [...states.values()].some(({ destinations }) =>
    [...destinations.values()].some(({ weight }) => weight === 0),
  );
}
