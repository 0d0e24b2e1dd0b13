// What a program would make of a request, asked of the very code that serves: the lookup tables, the
// filters, the redirects. Only the sockets are left out, and chance: a choice by weight gives all its
// outcomes.

import { isDisguised } from '../../lib/disguised-name.ts';
import { normalizeHost } from '../../lib/hostname.ts';
import { splitTarget } from '../../lib/http-path.ts';
import type { HeaderChange, RequestFate, RequestProbe, Share } from '../../model/answer.ts';
import { HostIndex } from './datapath/hosts.ts';
import { RouteTable } from './datapath/router.ts';
import type { Fields } from './datapath/stream.ts';
import { filterRequest, redirectLocation } from './datapath/transform.ts';
import type { Outgoing } from './datapath/transform.ts';
import type {
  ActionProgram,
  FilterProgram,
  ListenerProgram,
  ProxyProgram,
  SocketProgram,
  WeightedProgram,
} from './program.ts';

/** Answers a request from a program. */
export function traceProxy(program: ProxyProgram, probe: RequestProbe): RequestFate {
  const host = normalizeHost(probe.host);
  const socket = chooseSocket(program.sockets, probe, host);
  if (socket === undefined) {
    return { kind: 'refused', reason: `nothing listens for ${probe.scheme} on port ${probe.port}` };
  }
  const listener = listenersOf(socket).find(host);
  if (listener === undefined && socket.tls) {
    return { kind: 'refused', reason: `no listener has a certificate for ${host}` };
  }
  const target = splitTarget(probe.target);
  if (target === null) {
    return { kind: 'respond', statusCode: 400, reason: 'the path can be read in two ways' };
  }
  const fields = probe.headers.filter(([name]) => !isDisguised(name)).flat();
  const request = { method: probe.method, path: target.path, query: target.query, fields };
  const rule =
    listener === undefined
      ? null
      : tablesOf(program, listener).findEach(host, (table) => table.lookup(request));
  if (rule === null) {
    return { kind: 'respond', statusCode: 404, reason: 'no route takes this request' };
  }
  const outgoing = { authority: probe.host, path: target.path, query: target.query, fields };
  return traceAction(program, rule.action, { probe, host, socket, outgoing });
}

function chooseSocket(
  sockets: readonly SocketProgram[],
  probe: RequestProbe,
  host: string,
): SocketProgram | undefined {
  const candidates = sockets.filter(
    (socket) =>
      socket.port === probe.port &&
      socket.tls === (probe.scheme === 'https') &&
      (probe.address === undefined || socket.addresses.includes(probe.address)),
  );
  // Without an address, several Gateways may serve the port: ask the one that knows the host best.
  const best = new HostIndex<SocketProgram>();
  for (const socket of candidates.toReversed()) {
    for (const listener of socket.listeners) best.set(listener.hostname, socket);
  }
  return best.find(host) ?? candidates[0];
}

function listenersOf(socket: SocketProgram): HostIndex<ListenerProgram> {
  const index = new HostIndex<ListenerProgram>();
  for (const listener of socket.listeners) index.set(listener.hostname, listener);
  return index;
}

function tablesOf(
  program: ProxyProgram,
  listener: ListenerProgram,
): HostIndex<RouteTable<ActionProgram>> {
  const index = new HostIndex<RouteTable<ActionProgram>>();
  for (const { hostname, table } of listener.hosts) {
    const found = program.tables.get(table);
    if (found !== undefined) index.set(hostname, new RouteTable(found, (rule) => rule));
  }
  return index;
}

interface Traced {
  readonly probe: RequestProbe;
  readonly host: string;
  readonly socket: SocketProgram;
  readonly outgoing: Outgoing;
}

function traceAction(program: ProxyProgram, action: ActionProgram, traced: Traced): RequestFate {
  const { result } = action;
  const { probe, host, socket, outgoing } = traced;
  switch (result.kind) {
    case 'respond':
      return result;
    case 'redirect': {
      const { path, query } = outgoing;
      const location = redirectLocation(result, {
        scheme: probe.scheme,
        host,
        listenerPort: socket.port,
        ports: new Map(),
        path,
        query,
      });
      return { kind: 'redirect', statusCode: result.statusCode, location };
    }
    case 'forward': {
      filterRequest(action.filters, outgoing);
      const shares = result.backends
        .filter((backend) => backend.weight > 0)
        .map((backend) => shareOf(program, action, backend, traced));
      return { kind: 'forward', shares };
    }
  }
}

function shareOf(
  program: ProxyProgram,
  action: ActionProgram,
  weighted: WeightedProgram,
  { probe, outgoing }: Traced,
): Share {
  const own = { ...outgoing };
  filterRequest(weighted.filters, own);
  const backend = weighted.backend === null ? undefined : program.backends.get(weighted.backend);
  const { statusCode, reason, weight } = weighted;
  return {
    weight,
    to: backend === undefined ? { statusCode, reason } : backend.key,
    endpoints: (backend?.endpoints ?? []).map((e) => `${e.address}:${e.port}`),
    request: {
      method: probe.method,
      host: own.authority,
      target: own.path + own.query,
      headers: pairs(own.fields),
    },
    responseHeaders: [...action.filters, ...weighted.filters].flatMap(responseChanges),
  };
}

function pairs(fields: Fields): readonly (readonly [string, string])[] {
  const out: [string, string][] = [];
  for (let i = 0; i < fields.length; i += 2) {
    out.push([(fields[i] ?? '').toLowerCase(), fields[i + 1] ?? '']);
  }
  return out;
}

function responseChanges(filter: FilterProgram): readonly HeaderChange[] {
  if (filter.kind !== 'responseHeaders') return [];
  return [
    ...filter.set.map((h) => ({ change: 'set' as const, ...h })),
    ...filter.add.map((h) => ({ change: 'add' as const, ...h })),
    ...filter.remove.map((name) => ({ change: 'remove' as const, name, value: '' })),
  ];
}
