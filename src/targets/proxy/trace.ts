// What a program would make of a request, asked of the very code that serves: the lookup tables, the
// filters, the redirects. Only the sockets are left out, and chance: a choice by weight gives all its
// outcomes.

import { isDisguised } from '../../lib/disguised-name.ts';
import { normalizeHost } from '../../lib/hostname.ts';
import { decodeTarget } from '../../lib/decoded-path.ts';
import { splitTarget } from '../../lib/http-path.ts';
import type {
  HeaderChange,
  Mirrored,
  OwnAnswer,
  RequestFate,
  RequestProbe,
  SeenRequest,
  Share,
} from '../../model/answer.ts';
import { takeOver } from './datapath/auth/fields.ts';
import { UNASKED_STATUS } from './datapath/auth/guard.ts';
import { Cors } from './datapath/cors.ts';
import type { CrossOrigin } from './datapath/cors.ts';
import { CorsHeaders } from './datapath/cors-headers.ts';
import { MISDIRECTED, writtenPath } from './datapath/dispatch.ts';
import type { Entry, RunningConduct } from './datapath/dispatch.ts';
import { fieldValue } from './datapath/fields.ts';
import { Gate, Zones } from './datapath/gate.ts';
import { HostIndex } from './datapath/hosts.ts';
import { clientBehind, Networks, RequestSource } from './datapath/request-source.ts';
import { RouteTable } from './datapath/router.ts';
import type { Fields, RequestHead } from './datapath/stream.ts';
import { toldFields, withoutUnderscores } from './datapath/told-fields.ts';
import { fillTemplate } from '../../model/template.ts';
import { filterRequest, redirectLocation, REFUSED, withOrigin } from './datapath/transform.ts';
import type { Outgoing } from './datapath/transform.ts';
import type {
  ActionProgram,
  BackendProgram,
  FilterProgram,
  ListenerProgram,
  ProxyProgram,
  RedirectProgram,
  SocketProgram,
  TableProgram,
  WeightedProgram,
} from './program.ts';
import { tableKey } from './program.ts';

/** Answers a request from a program. */
export function traceProxy(program: ProxyProgram, probe: RequestProbe): RequestFate {
  const host = normalizeHost(probe.host);
  const serverName = normalizeHost(probe.serverName ?? probe.host);
  const asked = probe.scheme === 'https' ? serverName : host;
  const socket = chooseSocket(program, probe, asked);
  if (socket === undefined) {
    return { kind: 'refused', reason: `nothing listens for ${probe.scheme} on port ${probe.port}` };
  }
  const listeners = listenersOf(socket);
  const listener = listeners.find(asked);
  if (listener !== undefined && listener.stream !== null) {
    return { kind: 'refused', reason: `listener ${listener.id} takes connections, not requests` };
  }
  if (listener === undefined && socket.protocol !== 'http') {
    return { kind: 'refused', reason: `no listener has a certificate for ${host}` };
  }
  if (socket.clientValidation?.isRequired === true && probe.clientCertificate !== 'valid') {
    return { kind: 'refused', reason: 'the client shows no certificate that is valid here' };
  }
  const meant = listeners.find(host);
  if (meant !== undefined && meant !== listener) {
    return { kind: 'respond', statusCode: 421, reason: MISDIRECTED };
  }
  const target = socket.conduct === null ? splitTarget(probe.target) : decodeTarget(probe.target);
  if (target === null) {
    return { kind: 'respond', statusCode: 400, reason: 'the path can be read in two ways' };
  }
  const { conduct } = socket;
  const plain = probe.headers.filter(([name]) => !isDisguised(name)).flat();
  const fields = conduct?.dropsUnderscores === true ? withoutUnderscores(plain) : plain;
  const request = { method: probe.method, path: target.path, query: target.query, fields };
  const rule =
    meant === undefined
      ? null
      : tablesOf(program, meant).findEach(host, (table) => table.lookup(request));
  if (rule === null) {
    return { kind: 'respond', statusCode: 404, reason: 'no route takes this request' };
  }
  const running = runningConduct(conduct);
  const peer = probe.client ?? SOMEBODY;
  const client =
    running === null || running.trusted === null
      ? peer
      : clientBehind(peer, fields, running.trusted);
  const head = headOf(probe, fields);
  const source = new RequestSource({
    head,
    host,
    scheme: probe.scheme,
    target,
    client,
    ports: new Map(),
    trusts: running !== null && running.trusted !== null,
    groupsOf: rule.action.groupsOf,
  });
  const entry = { port: socket.port, conduct: running };
  const told = running === null ? fields : tellFields(entry, client, head, source);
  const outgoing: Outgoing = {
    authority: probe.host,
    path: running === null ? target.path : writtenPath(probe.target),
    query: target.query,
    fields: told,
    matched: target.path,
    source,
  };
  return traceAction(program, rule.action, { probe, host, socket, outgoing, head, client });
}

/** An address that no rule of a test speaks of by chance. */
const SOMEBODY = '192.0.2.1';

/** Stands for an identifier that is made by chance. */
const SOME_ID = '(request id)';

function runningConduct(conduct: SocketProgram['conduct']): RunningConduct | null {
  if (conduct === null) return null;
  const { trustedProxies } = conduct;
  return {
    program: conduct,
    trusted: trustedProxies === undefined ? null : new Networks(trustedProxies),
    secureFields: [],
  };
}

function headOf(probe: RequestProbe, fields: Fields): RequestHead {
  const length = fields.find((_, i) => fields[i - 1]?.toLowerCase() === 'content-length');
  return {
    method: probe.method,
    target: probe.target,
    authority: probe.host,
    scheme: probe.scheme,
    fields,
    contentLength: Number(length ?? 0),
    protocol: '',
    expectContinue: false,
  };
}

function tellFields(
  entry: Pick<Entry, 'port' | 'conduct'>,
  client: string,
  head: RequestHead,
  source: RequestSource,
): Fields {
  const told = toldFields(entry, { address: client, serverName: null }, head, source);
  const given = fieldValue(head.fields, 'x-request-id');
  return told.map((value, i) =>
    given === undefined && told[i - 1] === 'x-request-id' && i % 2 === 1 ? SOME_ID : value,
  );
}

function chooseSocket(
  program: ProxyProgram,
  probe: RequestProbe,
  host: string,
): SocketProgram | undefined {
  const protocols = probe.scheme === 'https' ? ['https', 'tls'] : ['http'];
  const candidates = program.sockets.filter(
    (socket) =>
      socket.port === probe.port &&
      protocols.includes(socket.protocol) &&
      (probe.address === undefined || socket.addresses.includes(probe.address)),
  );
  // Without an address, several Gateways may serve the port: ask the one that knows the host best.
  const best = new HostIndex<SocketProgram>();
  for (const socket of candidates.toReversed()) {
    for (const listener of socket.listeners) best.set(listener.hostname, socket);
  }
  for (const socket of candidates.toReversed()) {
    for (const { id } of socket.listeners) {
      for (const { hostname } of program.hosts.get(id) ?? []) {
        if (hostname !== '') best.set(hostname, socket);
      }
    }
  }
  return best.find(host) ?? candidates[0];
}

export function listenersOf(socket: SocketProgram): HostIndex<ListenerProgram> {
  const index = new HostIndex<ListenerProgram>();
  for (const listener of socket.listeners) index.set(listener.hostname, listener);
  return index;
}

function tablesOf(
  program: ProxyProgram,
  listener: ListenerProgram,
): HostIndex<RouteTable<ActionProgram>> {
  const index = new HostIndex<RouteTable<ActionProgram>>();
  for (const { hostname } of program.hosts.get(listener.id) ?? []) {
    const found = program.tables.get(tableKey(listener.id, hostname));
    if (found !== undefined) index.set(hostname, routeTableOf(found));
  }
  return index;
}

const routeTables = new WeakMap<TableProgram, RouteTable<ActionProgram>>();

/** Parts of programs never change, so that a table is made once. */
function routeTableOf(table: TableProgram): RouteTable<ActionProgram> {
  let known = routeTables.get(table);
  if (known === undefined) {
    known = new RouteTable(table, (action) => action);
    routeTables.set(table, known);
  }
  return known;
}

const REFUSAL = { statusCode: 400, reason: 'the rewritten path can be read in two ways' };

interface Traced {
  readonly probe: RequestProbe;
  readonly host: string;
  readonly socket: SocketProgram;
  readonly outgoing: Outgoing;
  /** As it was sent. */
  readonly head: RequestHead;
  readonly client: string;
}

function traceAction(program: ProxyProgram, action: ActionProgram, traced: Traced): RequestFate {
  const { result } = action;
  const { probe, outgoing, head, client } = traced;
  const gate = action.guard === null ? null : new Gate(action.guard);
  if (gate !== null && gate.bodyBytesMax > 0 && head.contentLength > gate.bodyBytesMax) {
    return { kind: 'respond', statusCode: 413, reason: 'the body is too long' };
  }
  const preflight = answerPreflight(action.filters, probe, head.fields);
  if (preflight !== null) return { kind: 'respond', ...preflight };
  const certificate = probe.clientCertificate === 'valid' ? 'CN=somebody' : null;
  const asking = { head, client, certificate, source: outgoing.source };
  const refusal = gate?.refuse(asking, new Zones(), 0) ?? null;
  if (refusal !== null) {
    const { status: statusCode, reason, fields } = refusal;
    return { kind: 'respond', statusCode, reason, headers: pairs(fields) };
  }
  const unasked = result.kind === 'respond' ? null : answerUnasked(program, action.filters);
  if (unasked !== null) return { kind: 'respond', ...unasked };
  switch (result.kind) {
    case 'respond':
      return result;
    case 'redirect': {
      const location =
        result.location === undefined
          ? locationOf(result, traced)
          : fillTemplate(result.location, outgoing.source);
      return { kind: 'redirect', statusCode: result.statusCode, location };
    }
    case 'forward': {
      const sent = head.fields;
      const asked = { ...outgoing };
      outgoing.fields = dropTaken(action.filters, outgoing.fields);
      filterRequest(action.filters, outgoing);
      if (outgoing.path === REFUSED) return { kind: 'respond', ...REFUSAL };
      const shares = result.backends
        .filter((backend) => backend.weight > 0)
        .map((backend) => shareOf(program, action, backend, { ...traced, sent, asked }));
      return { kind: 'forward', shares };
    }
  }
}

function shareOf(
  program: ProxyProgram,
  action: ActionProgram,
  weighted: WeightedProgram,
  { sent, asked, ...traced }: Traced & { readonly sent: Fields; readonly asked: Outgoing },
): Share {
  const { probe, outgoing } = traced;
  const own = { ...outgoing, fields: dropTaken(weighted.filters, outgoing.fields) };
  filterRequest(weighted.filters, own);
  const filters = [...forOrigin(action.filters, sent), ...forOrigin(weighted.filters, sent)];
  const preflight = answerPreflight(weighted.filters, probe, sent);
  const backend = weighted.backend === null ? undefined : program.backends.get(weighted.backend);
  const { statusCode, reason, weight } = weighted;
  const ourselves =
    preflight ??
    answerUnasked(program, weighted.filters) ??
    redirectShare(weighted, { ...traced, outgoing: asked }) ??
    (own.path === REFUSED ? REFUSAL : backend === undefined ? { statusCode, reason } : null);
  const endpoints = ourselves === null ? placesOf(backend) : [];
  return {
    weight,
    to: ourselves ?? weighted.backend ?? '',
    endpoints,
    ...(ourselves !== null || backend === undefined || backend.tls === null
      ? {}
      : { serverName: backend.tls.serverName }),
    request: seenOf(probe, own),
    responseHeaders: filters.flatMap(responseChanges),
    mirrors:
      ourselves !== null
        ? []
        : [
            ...mirrorsOf(action.filters, seenOf(probe, outgoing)),
            ...mirrorsOf(weighted.filters, seenOf(probe, own)),
          ],
  };
}

/** Endpoints, or the name that they are looked up by. */
export function placesOf(backend: BackendProgram | undefined): readonly string[] {
  if (backend?.host !== undefined) return [`${backend.host.name}:${backend.host.port}`];
  return (backend?.endpoints ?? []).map((e) => `${e.address}:${e.port}`);
}

function redirectShare(
  { redirect }: WeightedProgram,
  traced: Traced,
): Omit<OwnAnswer, 'kind'> | null {
  if (redirect === null) return null;
  const { statusCode } = redirect;
  const headers = [['location', locationOf(redirect, traced)]] as const;
  return { statusCode, reason: 'the backend redirects', headers };
}

function locationOf(redirect: RedirectProgram, { probe, host, socket, outgoing }: Traced): string {
  const { path, query } = outgoing;
  return redirectLocation(redirect, {
    scheme: probe.scheme,
    host,
    listenerPort: socket.port,
    ports: new Map(),
    path,
    query,
  });
}

/** What a service that is asked will say of the request nobody knows; the client cannot say it. */
function dropTaken(filters: readonly FilterProgram[], fields: Fields): Fields {
  return filters.reduce<Fields>(
    (left, filter) =>
      filter.kind === 'auth' && filter.question.protocol === 'http'
        ? takeOver(left, [], filter.question.takes)
        : left,
    fields,
  );
}

/** The answer when a filter has nobody to ask. */
function answerUnasked(
  program: ProxyProgram,
  filters: readonly FilterProgram[],
): Omit<OwnAnswer, 'kind'> | null {
  for (const filter of filters) {
    if (filter.kind !== 'auth') continue;
    if (placesOf(program.backends.get(filter.backend)).length > 0) continue;
    return { statusCode: UNASKED_STATUS, reason: `${filter.backend} cannot be asked` };
  }
  return null;
}

function seenOf(
  { method }: RequestProbe,
  { authority, path, query, fields }: Outgoing,
): SeenRequest {
  // Nothing is left of a target whose path is refused: there is no query without one.
  const target = path === REFUSED ? REFUSED : path + query;
  return { method, host: authority, target, headers: pairs(fields) };
}

function mirrorsOf(filters: readonly FilterProgram[], request: SeenRequest): readonly Mirrored[] {
  return filters
    .filter((filter) => filter.kind === 'mirror')
    .map(({ backend, numerator, denominator }) => ({
      to: backend,
      numerator,
      denominator,
      request,
    }));
}

function corsOf(filters: readonly FilterProgram[]): CrossOrigin | null {
  const open = filters.find((filter) => filter.kind === 'corsHeaders');
  if (open !== undefined) return new CorsHeaders(open);
  const cors = filters.find((filter) => filter.kind === 'cors');
  return cors === undefined ? null : new Cors(cors);
}

function answerPreflight(
  filters: readonly FilterProgram[],
  { method }: RequestProbe,
  fields: Fields,
): Omit<OwnAnswer, 'kind'> | null {
  const answer = corsOf(filters)?.preflight(method, fields) ?? null;
  return answer === null
    ? null
    : { statusCode: 204, reason: 'a preflight request', headers: pairs(answer) };
}

function forOrigin(filters: readonly FilterProgram[], fields: Fields): readonly FilterProgram[] {
  const cors = corsOf(filters);
  if (cors === null) return filters;
  return withOrigin(filters, { kind: 'responseHeaders', ...cors.changes(fields) });
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
