// A request from a client → what becomes of it. The first thing every request meets: the listener and
// the rule that take it, the answers Fairway gives itself, or an exchange with a backend.
//
// Budget: 1 µs without filters (bench/proxy.ts). Allocates one record of the request.

import { decodeTarget } from '../../../lib/decoded-path.ts';
import { splitTarget } from '../../../lib/http-path.ts';
import type { PathPolicy, SplitTarget } from '../../../lib/http-path.ts';
import { normalizeHost } from '../../../lib/hostname.ts';
import type { Conduct } from '../../../model/conduct.ts';
import type { Session } from '../../../model/policy.ts';
import { fillTemplate } from '../../../model/template.ts';
import type { TemplateSource } from '../../../model/template.ts';
import type { FilterProgram, RedirectProgram } from '../program.ts';
import type { Action, Forward, MirrorChoice, Weighted } from './action.ts';
import type { Admission } from './admission.ts';
import { answer } from './answer.ts';
import type { Conversations } from './conversations.ts';
import type { Policy } from './attempts.ts';
import { Guard } from './auth/guard.ts';
import type { Certificate } from './certificates.ts';
import type { CrossOrigin } from './cors.ts';
import type { Counters } from './counters.ts';
import type { Endpoint } from './endpoint.ts';
import { BODY_TOO_LARGE, Exchange, RETRY_AFTER } from './exchange.ts';
import type { Pages } from './exchange.ts';
import { fieldValue } from './fields.ts';
import { addForwarded, withoutForwarded } from './forwarded.ts';
import type { H2Shared } from './h2/shared.ts';
import type { HostIndex } from './hosts.ts';
import type { Limits } from './limits.ts';
import type { Asking, Zones } from './gate.ts';
import { clientBehind, sourceOf } from './request-source.ts';
import type { Networks } from './request-source.ts';
import { ToldStream } from './told-stream.ts';
import { toldFields, withoutUnderscores } from './told-fields.ts';
import { startMirror } from './mirror.ts';
import type { Mirror } from './mirror.ts';
import type { Observer } from './observe/observer.ts';
import type { RouteTable } from './router.ts';
import { Stay, tokenOf } from './session.ts';
import type { Fields, Receiver, RequestHead, ServerStream } from './stream.ts';
import {
  filterRequest,
  filterResponse,
  NO_SOURCE,
  redirectLocation,
  REFUSED,
  withOrigin,
} from './transform.ts';
import type { Outgoing } from './transform.ts';

/** Where the rules of a host are; other rules for the same host take the same place. */
export interface TableSlot {
  table: RouteTable<Action>;
}

/** One listener of a port. Replaced, never changed. */
export interface Listener {
  readonly id: string;
  readonly hosts: HostIndex<TableSlot>;
}

/** What serves a port now. The fields are replaced between two requests when a program changes. */
export interface Entry {
  readonly port: number;
  readonly scheme: 'http' | 'https';
  /** The host of clients (of HTTP/1.0) that name none: the address they have dialled. */
  authority: string;
  /** Whose X-Forwarded fields are believed; absent: nobody's. */
  readonly trustedProxies?: readonly string[];
  listeners: HostIndex<Listener>;
  /** Where the Gateway's ports are really reached at this address, if not at their own numbers. */
  ports: ReadonlyMap<number, number>;
  /** Shown to backends that ask for a certificate. */
  identity: Certificate | null;
  /** Null: Fairway's own way. */
  conduct: RunningConduct | null;
}

/** A port's way of reading requests and handing them on, if it is that of another proxy. */
export interface RunningConduct {
  readonly program: Conduct;
  /** Null: nobody's word about a client counts. */
  readonly trusted: Networks | null;
  /** In every response over HTTPS. */
  readonly secureFields: Fields;
}

/** What all requests of a worker share. */
export interface Worker {
  /** Connections that are handed on whole. */
  readonly conversations: Conversations;
  readonly limits: Limits;
  readonly counters: Counters;
  /** Of rules that have none of their own; null for none. */
  readonly policy: Policy | null;
  readonly admission: Admission;
  readonly observer: Observer;
  /** What all HTTP/2 connections of the worker share. */
  readonly h2: H2Shared;
  readonly pathPolicy: PathPolicy;
  /** Whether `x-fairway-explain` is answered; only where clients may know how they are routed. */
  readonly explains: boolean;
  /** What guards count. */
  readonly zones: Zones;
}

/** Who is asking. */
export interface Client {
  readonly address: string;
  /** Asked for in the handshake, normalized; null without TLS. */
  readonly serverName: string | null;
  /** Subject of the certificate it shows and that is valid; absent without. */
  readonly certificate?: string;
}

export const MISDIRECTED = 'the connection was made for another server';

/** Decides what becomes of a request and starts it. Gives what receives the request's body. */
export function dispatch(
  worker: Worker,
  entry: Entry,
  client: Client,
  plain: ServerStream,
  received: RequestHead,
  hasBody: boolean,
): Receiver {
  const head = received.authority === '' ? { ...received, authority: entry.authority } : received;
  const { conduct } = entry;
  const adds = conduct !== null && entry.scheme === 'https' && conduct.secureFields.length > 0;
  const stream = adds ? new ToldStream(plain, conduct.secureFields) : plain;
  const target =
    conduct === null ? splitTarget(head.target, worker.pathPolicy) : decodeTarget(head.target);
  if (target === null) {
    worker.counters.badRequests++;
    return answer(stream, head, 400, 'the path can be read in two ways');
  }
  const host = normalizeHost(head.authority);
  const listener = entry.listeners.find(host);
  const { serverName } = client;
  if (serverName !== null && serverName !== host && listener !== undefined) {
    // Clients may send requests for other hosts on a connection (RFC 9113 9.1.1), though not for those of
    // another listener, which may ask other things of a connection.
    if (entry.listeners.find(serverName) !== listener)
      return answer(stream, head, 421, MISDIRECTED);
  }
  const request = {
    method: head.method,
    path: target.path,
    query: target.query,
    fields:
      conduct !== null && conduct.program.dropsUnderscores === true
        ? withoutUnderscores(head.fields)
        : head.fields,
  };
  const rule =
    listener === undefined
      ? null
      : listener.hosts.findEach(host, (slot) => slot.table.lookup(request));
  if (rule === null) {
    worker.counters.notFound++;
    return answer(stream, head, 404, 'no route takes this request');
  }
  const { trusted = null } = conduct ?? {};
  return run(rule.action, {
    worker,
    entry,
    client:
      trusted === null
        ? client
        : { ...client, address: clientBehind(client.address, head.fields, trusted) },
    stream,
    head: request.fields === head.fields ? head : { ...head, fields: request.fields },
    hasBody,
    host,
    target,
    granted: NOTHING_GRANTED,
  });
}

const NOTHING_GRANTED: readonly FilterProgram[] = [];

/** A request that has found its rule. */
export interface Routed {
  readonly worker: Worker;
  readonly entry: Entry;
  readonly client: Client;
  readonly stream: ServerStream;
  readonly head: RequestHead;
  readonly hasBody: boolean;
  readonly host: string;
  readonly target: SplitTarget;
  /** What services that were asked about it want of the response. */
  readonly granted: readonly FilterProgram[];
}

function run(action: Action, routed: Routed): Receiver {
  const { stream, head } = routed;
  const { result, cors, auths, gate } = action;
  if (stream.record !== null) stream.record.rule = action.id;
  if (gate !== null && gate.bodyBytesMax > 0 && head.contentLength > gate.bodyBytesMax) {
    routed.worker.counters.bodiesTooLarge++;
    return answer(stream, head, 413, BODY_TOO_LARGE, originFields(cors, head));
  }
  const preflight = cors === null ? null : cors.preflight(head.method, head.fields);
  if (preflight !== null) return answer(stream, head, 204, '', preflight);
  if (gate !== null) {
    const refusal = gate.refuse(askingOf(action, routed), routed.worker.zones, performance.now());
    if (refusal !== null) {
      const { status, reason, fields } = refusal;
      return answer(stream, head, status, reason, [...originFields(cors, head), ...fields]);
    }
  }
  if (auths === null || result.kind === 'respond') return decide(action, routed);
  const refused = refuseLoad(routed);
  if (refused !== null) return refused;
  return new Guard({
    choices: auths,
    routed,
    cors: cors === null ? null : changesFor(cors, head.fields),
    proceed: (allowed) => decide(action, allowed),
  }).start();
}

function askingOf(action: Pick<Action, 'groupsOf'>, routed: Routed): Asking {
  const { client, head } = routed;
  const source = sourceOf(action, routed);
  return { head, client: client.address, certificate: client.certificate ?? null, source };
}

function decide(action: Action, routed: Routed): Receiver {
  const { result } = action;
  const { stream, head } = routed;
  switch (result.kind) {
    case 'respond':
      return answer(
        stream,
        head,
        result.statusCode,
        result.reason,
        originFields(action.cors, head),
      );
    case 'redirect':
      return redirectTo(result, routed, originFields(action.cors, head), action);
    case 'forward':
      return forward(action, result, routed);
  }
}

function redirectTo(
  redirect: RedirectProgram,
  routed: Routed,
  fields: Fields,
  action: Action,
): Receiver {
  const { entry, stream, head, host, target } = routed;
  if (redirect.location !== undefined) {
    fields.push('location', fillTemplate(redirect.location, sourceOf(action, routed)));
    return answer(stream, head, redirect.statusCode, '', fields);
  }
  const location = redirectLocation(redirect, {
    scheme: entry.scheme,
    host,
    listenerPort: entry.port,
    ports: entry.ports,
    path: target.path,
    query: target.query,
  });
  fields.push('location', location);
  return answer(stream, head, redirect.statusCode, '', fields);
}

/** A choice among backends, and the endpoint a session leads to. */
interface Chosen {
  readonly weighted: Weighted;
  readonly endpoint: Endpoint | null;
}

/** The answer to a request that there is no room for, or whose body is too long. */
function refuseLoad({ worker, stream, head }: Routed): Receiver | null {
  const { counters, limits } = worker;
  if (counters.requestsOpen >= limits.requestsMax || counters.underPressure > 0) {
    counters.shedRequests++;
    return answer(stream, head, 503, 'there is more to do than can be done', [...RETRY_AFTER]);
  }
  if (limits.bodyBytesMax > 0 && head.contentLength > limits.bodyBytesMax) {
    counters.bodiesTooLarge++;
    return answer(stream, head, 413, BODY_TOO_LARGE);
  }
  return null;
}

function forward(action: Action, result: Forward, routed: Routed): Receiver {
  const { stream, head } = routed;
  const refused = refuseLoad(routed);
  if (refused !== null) return refused;
  const { session } = action;
  const token = session === null ? undefined : tokenOf(session, head.fields);
  const found = token === undefined ? null : result.find(token);
  const chosen = found ?? { weighted: result.choose(), endpoint: null };
  const { weighted } = chosen;
  const preflight = weighted.cors?.preflight(head.method, head.fields) ?? null;
  if (preflight !== null) return answer(stream, head, 204, '', preflight);
  if (weighted.auths === null) return send(action, chosen, routed);
  return new Guard({
    choices: weighted.auths,
    routed,
    cors: corsOf(action, weighted, head),
    proceed: (allowed) => send(action, chosen, allowed),
  }).start();
}

/** What the origin adds to answers of our own: what the backend's own filter says is the last word. */
function corsOf(action: Action, weighted: Weighted, { fields }: RequestHead): FilterProgram | null {
  const cors = weighted.cors ?? action.cors;
  return cors === null ? null : changesFor(cors, fields);
}

function send(action: Action, chosen: Chosen, routed: Routed): Receiver {
  const { worker, stream, head, hasBody, granted } = routed;
  const { weighted } = chosen;
  const session = action.session ?? weighted.backend?.session ?? null;
  const ruleCors = action.cors === null ? null : changesFor(action.cors, head.fields);
  const ownCors = weighted.cors === null ? null : changesFor(weighted.cors, head.fields);
  const cors = weighted.cors ?? action.cors;
  if (weighted.redirect !== null) {
    return redirectTo(weighted.redirect, routed, originFields(cors, head), action);
  }
  const source =
    action.fillsTemplates || routed.entry.conduct !== null ? sourceOf(action, routed) : NO_SOURCE;
  const outgoing = outgoingRequest(routed, source);
  const explain = worker.explains && takeExplain(outgoing) ? action.id : '';
  if (action.filters.length > 0) filterRequest(action.filters, outgoing);
  const byRule = action.mirrors === null ? null : { ...outgoing };
  if (weighted.filters.length > 0) filterRequest(weighted.filters, outgoing);
  if (outgoing.path === REFUSED) {
    worker.counters.badRequests++;
    return answer(
      stream,
      head,
      400,
      'the rewritten path can be read in two ways',
      originFields(cors, head),
    );
  }
  if (stream.record !== null) stream.record.backend = weighted.backend?.key ?? '';
  if (weighted.backend === null) {
    return answer(stream, head, weighted.statusCode, weighted.reason, originFields(cors, head));
  }
  const left = action.gate?.enter(routed.client.address, worker.zones) ?? null;
  if (left === 'full') {
    const status = action.gate?.fullStatus ?? 503;
    return answer(stream, head, status, 'too many requests', originFields(cors, head));
  }
  const ruleMirrors = byRule === null ? null : mirror(action.mirrors, routed, byRule, null);
  const mirrors =
    weighted.mirrors === null
      ? ruleMirrors
      : mirror(weighted.mirrors, routed, outgoing, ruleMirrors);
  return new Exchange({
    worker,
    stream,
    head: forwardedHead(head, outgoing),
    hasBody,
    backend: weighted.backend,
    identity: weighted.backend.identity ?? routed.entry.identity,
    ruleFilters: responseFilters(granted, action.filters, ruleCors),
    client: action.hashBy === null ? routed.client.address : fillTemplate(action.hashBy, source),
    source,
    bodyBytesMax: action.gate?.bodyBytesMax ?? 0,
    onFinished: left,
    pages: pagesOf(action, routed, source),
    ownFilters: ownCors === null ? weighted.filters : withOrigin(weighted.filters, ownCors),
    cors: ownCors ?? ruleCors,
    policy: action.policy ?? worker.policy,
    mirrors,
    stay:
      session === null
        ? null
        : new Stay(
            session,
            routed.entry.scheme === 'https',
            stayedWith(chosen, action, session, head),
          ),
    explain,
  }).start();
}

/** Asks another backend what is to be said of a status. */
function pagesOf(
  { errorPages }: Action,
  { worker, entry, client, stream, head }: Routed,
  source: TemplateSource,
): Pages | null {
  if (errorPages === null) return null;
  const { statuses, backend, headers } = errorPages;
  return {
    statuses,
    show: (status) => {
      const fields: Fields = [
        'x-code',
        String(status),
        'x-format',
        fieldValue(head.fields, 'accept') ?? '',
        'x-original-uri',
        head.target,
        'x-request-id',
        source.part('requestId'),
        'x-forwarded-for',
        client.address,
        ...headers.flatMap(({ name, value }) => [name, value]),
      ];
      new Exchange({
        worker,
        stream,
        head: {
          ...head,
          method: head.method === 'HEAD' ? 'HEAD' : 'GET',
          target: '/',
          fields,
          contentLength: 0,
          protocol: '',
          expectContinue: false,
        },
        hasBody: false,
        backend,
        identity: entry.identity,
        client: client.address,
        source,
        bodyBytesMax: 0,
        onFinished: null,
        pages: null,
        ruleFilters: [],
        ownFilters: [],
        cors: null,
        policy: worker.policy,
        mirrors: null,
        stay: null,
        explain: '',
      }).start();
    },
  };
}

/** The endpoint a client comes back to: by the rule's session it is known before the choice of a backend. */
function stayedWith(
  { weighted, endpoint }: Chosen,
  action: Action,
  session: Session,
  { fields }: RequestHead,
): Endpoint | null {
  if (action.session !== null) return endpoint;
  const token = tokenOf(session, fields);
  return (token === undefined ? undefined : weighted.backend?.withToken(token)) ?? null;
}

/** What the services that were asked want of the response comes before what the rule wants. */
function responseFilters(
  granted: readonly FilterProgram[],
  filters: readonly FilterProgram[],
  cors: FilterProgram | null,
): readonly FilterProgram[] {
  const own = cors === null ? filters : withOrigin(filters, cors);
  return granted.length === 0 ? own : [...granted, ...own];
}

/** What lets scripts see an answer of our own. */
function originFields(cors: CrossOrigin | null, head: RequestHead): Fields {
  return cors === null ? [] : filterResponse([changesFor(cors, head.fields)], []);
}

function changesFor(cors: CrossOrigin, fields: Fields): FilterProgram {
  return { kind: 'responseHeaders', ...cors.changes(fields) };
}

function forwardedHead(
  head: RequestHead,
  { authority, path, query, fields }: Outgoing,
): RequestHead {
  // Written out: to copy all and then change some of it takes longer, and this is for each request.
  const { method, scheme, contentLength, protocol, expectContinue } = head;
  const target = path + query;
  return { method, target, authority, scheme, fields, contentLength, protocol, expectContinue };
}

/** Starts copies of a request as it is now, for those that chance chooses; `before` are under way. */
function mirror(
  choices: readonly MirrorChoice[] | null,
  { worker, entry, head, hasBody }: Routed,
  outgoing: Outgoing,
  before: readonly Mirror[] | null,
): readonly Mirror[] | null {
  // A change of protocol is a conversation: there is no half of it to copy.
  if (head.protocol !== '') return before;
  const started: Mirror[] = before === null ? [] : [...before];
  for (const { backend, chance } of choices ?? []) {
    if (chance < 1 && Math.random() >= chance) continue;
    const fields = [...outgoing.fields];
    const own = { ...forwardedHead(head, outgoing), fields, expectContinue: false };
    const copy = startMirror({
      worker,
      backend,
      identity: backend.identity ?? entry.identity,
      head: own,
      hasBody,
    });
    if (copy !== null) started.push(copy);
  }
  return started.length === 0 ? null : started;
}

/** The request as the backend is to see it before filters: who asked and how is said by us alone. */
function outgoingRequest(routed: Routed, source: TemplateSource): Outgoing {
  const { entry, client, head, target } = routed;
  const common = { authority: head.authority, query: target.query, matched: target.path, source };
  if (entry.conduct !== null) {
    const fields = toldFields(entry, client, head, source);
    return { ...common, path: writtenPath(head.target), fields };
  }
  const fields = addForwarded(withoutForwarded(head.fields), routed);
  return { ...common, path: target.path, fields };
}

/** The path as it was sent: without a rewrite, it is what backends see. */
export function writtenPath(target: string): string {
  const mark = target.indexOf('?');
  return mark === -1 ? target : target.slice(0, mark);
}

const EXPLAIN = 'x-fairway-explain';

/** True when the client asks which rule took its request; the question itself goes no further. */
function takeExplain(outgoing: Outgoing): boolean {
  const { fields } = outgoing;
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i]!.length === EXPLAIN.length && fields[i]!.toLowerCase() === EXPLAIN) {
      fields.splice(i, 2);
      return true;
    }
  }
  return false;
}
