// What a program would make of a connection or a datagram, asked of the same lookup that serves. Only
// the sockets are left out, and chance: a choice by weight gives all its outcomes.

import { normalizeHost } from '../../lib/hostname.ts';
import type { ConnectionFate, ConnectionProbe } from '../../model/answer.ts';
import { HostIndex } from './datapath/hosts.ts';
import type { ListenerProgram, ProxyProgram, SocketProgram, StreamProgram } from './program.ts';
import { listenersOf, placesOf } from './trace.ts';

/** Answers a connection from a program. */
export function traceProxyConnection(
  program: ProxyProgram,
  probe: ConnectionProbe,
): ConnectionFate {
  const host = normalizeHost(probe.serverName);
  const socket = chooseSocket(program.sockets, probe, host);
  if (socket === undefined) {
    return { kind: 'refused', reason: `nothing listens on ${probe.transport} port ${probe.port}` };
  }
  if (socket.protocol === 'http') return { kind: 'http', listener: socket.id };
  const listener = chooseListener(socket, probe, host);
  if (listener === undefined) return { kind: 'reset', reason: 'no listener takes the connection' };
  if (listener.stream === null) return { kind: 'http', listener: listener.id };
  return traceStream(program, listener.stream, host);
}

function chooseSocket(
  sockets: readonly SocketProgram[],
  { transport, port, address }: ConnectionProbe,
  host: string,
): SocketProgram | undefined {
  const candidates = sockets.filter(
    (socket) =>
      socket.port === port &&
      (socket.protocol === 'udp') === (transport === 'udp') &&
      (address === undefined || socket.addresses.includes(address)),
  );
  // Without an address, several Gateways may serve the port: ask the one that knows the host best.
  const best = new HostIndex<SocketProgram>();
  for (const socket of candidates.toReversed()) {
    for (const listener of socket.listeners) best.set(listener.hostname, socket);
  }
  return best.find(host) ?? candidates[0];
}

function chooseListener(
  socket: SocketProgram,
  { transport }: ConnectionProbe,
  host: string,
): ListenerProgram | undefined {
  if (socket.protocol === 'tcp' || socket.protocol === 'udp') return socket.listeners[0];
  return transport === 'tls' ? listenersOf(socket).find(host) : undefined;
}

function traceStream(
  program: ProxyProgram,
  { mode, hosts }: StreamProgram,
  host: string,
): ConnectionFate {
  const index = new HostIndex<StreamProgram['hosts'][number]['rule']>();
  for (const { hostname, rule } of hosts) index.set(hostname, rule);
  const rule = mode === 'plain' ? hosts[0]?.rule : index.find(host);
  if (rule === undefined) return { kind: 'reset', reason: 'no route takes the connection' };
  const weighted = rule.backends.filter((b) => b.weight > 0);
  if (weighted.length === 0) return { kind: 'reset', reason: `${rule.id} sends nothing anywhere` };
  return {
    kind: 'relay',
    mode,
    shares: weighted.map(({ backend: key, weight }) => {
      const backend = key === null ? undefined : program.backends.get(key);
      const endpoints = placesOf(backend);
      const secured = (backend?.tls ?? null) === null ? {} : { secured: true as const };
      return { weight, to: backend?.key ?? null, endpoints, ...secured };
    }),
  };
}
