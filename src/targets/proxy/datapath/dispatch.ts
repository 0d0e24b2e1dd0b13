// A request from a client → what becomes of it. The first thing every request meets: the listener and
// the rule that take it, the answers Fairway gives itself, or an exchange with a backend.
//
// Budget: 1 µs without filters (bench/proxy.ts). Allocates one record of the request.

import { splitTarget } from '../../../lib/http-path.ts';
import type { PathPolicy, SplitTarget } from '../../../lib/http-path.ts';
import { normalizeHost } from '../../../lib/hostname.ts';
import type { Action } from './action.ts';
import { answer } from './answer.ts';
import type { Certificate } from './certificates.ts';
import type { Counters } from './counters.ts';
import { Exchange } from './exchange.ts';
import type { H2Shared } from './h2/shared.ts';
import type { HostIndex } from './hosts.ts';
import type { Limits } from './limits.ts';
import type { RouteTable } from './router.ts';
import type { Fields, Receiver, RequestHead, ServerStream } from './stream.ts';
import { filterRequest, redirectLocation } from './transform.ts';
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
  listeners: HostIndex<Listener>;
  /** Where the Gateway's ports are really reached at this address, if not at their own numbers. */
  ports: ReadonlyMap<number, number>;
  /** Shown to backends that ask for a certificate. */
  identity: Certificate | null;
}

/** What all requests of a worker share. */
export interface Worker {
  readonly limits: Limits;
  readonly counters: Counters;
  /** What all HTTP/2 connections of the worker share. */
  readonly h2: H2Shared;
  readonly pathPolicy: PathPolicy;
  /** Whether `x-fairway-explain` is answered; only where clients may know how they are routed. */
  readonly explains: boolean;
}

/** Who is asking. */
export interface Client {
  readonly address: string;
  /** Asked for in the handshake, normalized; null without TLS. */
  readonly serverName: string | null;
}

export const MISDIRECTED = 'the connection was made for another server';

/** Decides what becomes of a request and starts it. Gives what receives the request's body. */
export function dispatch(
  worker: Worker,
  entry: Entry,
  client: Client,
  stream: ServerStream,
  head: RequestHead,
  hasBody: boolean,
): Receiver {
  const target = splitTarget(head.target, worker.pathPolicy);
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
    fields: head.fields,
  };
  const rule =
    listener === undefined
      ? null
      : listener.hosts.findEach(host, (slot) => slot.table.lookup(request));
  if (rule === null) {
    worker.counters.notFound++;
    return answer(stream, head, 404, 'no route takes this request');
  }
  return run(rule.action, { worker, entry, client, stream, head, hasBody, host, target });
}

/** A request that has found its rule. */
interface Routed {
  readonly worker: Worker;
  readonly entry: Entry;
  readonly client: Client;
  readonly stream: ServerStream;
  readonly head: RequestHead;
  readonly hasBody: boolean;
  readonly host: string;
  readonly target: SplitTarget;
}

function run(action: Action, routed: Routed): Receiver {
  const { worker, entry, stream, head, host, target } = routed;
  const { result } = action;
  switch (result.kind) {
    case 'respond':
      return answer(stream, head, result.statusCode, result.reason);
    case 'redirect': {
      const location = redirectLocation(result, {
        scheme: entry.scheme,
        host,
        listenerPort: entry.port,
        ports: entry.ports,
        path: target.path,
        query: target.query,
      });
      return answer(stream, head, result.statusCode, '', ['location', location]);
    }
    case 'forward': {
      const weighted = result.choose();
      const outgoing = outgoingRequest(routed);
      const explain = worker.explains && takeExplain(outgoing) ? action.id : '';
      if (action.filters.length > 0) filterRequest(action.filters, outgoing);
      if (weighted.filters.length > 0) filterRequest(weighted.filters, outgoing);
      if (weighted.backend === null) {
        return answer(stream, head, weighted.statusCode, weighted.reason);
      }
      const { authority, path, query, fields } = outgoing;
      const forwarded: RequestHead = { ...head, authority, target: path + query, fields };
      return new Exchange({
        worker,
        stream,
        head: forwarded,
        hasBody: routed.hasBody,
        backend: weighted.backend,
        identity: entry.identity,
        action,
        weighted,
        explain,
      }).start();
    }
  }
}

/** The request as the backend is to see it before filters: who asked and how is said by us alone. */
function outgoingRequest({ entry, client, head, target }: Routed): Outgoing {
  const fields = withoutForwarded(head.fields);
  fields.push('x-forwarded-for', client.address, 'x-forwarded-proto', entry.scheme);
  fields.push('x-forwarded-host', head.authority);
  return { authority: head.authority, path: target.path, query: target.query, fields };
}

/**
 * Drops what a client says about itself in the name of a proxy: nobody in front of us is trusted to
 * say it. Lengths are looked at first, as nearly all names differ by them.
 */
function withoutForwarded(fields: Fields): Fields {
  for (let i = 0; i < fields.length; i += 2) {
    if (isForwardedName(fields[i]!)) {
      const kept: Fields = [];
      for (let j = 0; j < fields.length; j += 2) {
        if (!isForwardedName(fields[j]!)) kept.push(fields[j]!, fields[j + 1]!);
      }
      return kept;
    }
  }
  return fields;
}

function isForwardedName(name: string): boolean {
  switch (name.length) {
    case 9: {
      const lower = name.toLowerCase();
      return lower === 'forwarded' || lower === 'x-real-ip';
    }
    case 15:
      return name.toLowerCase() === 'x-forwarded-for';
    case 16: {
      const lower = name.toLowerCase();
      return lower === 'x-forwarded-host' || lower === 'x-forwarded-port';
    }
    case 17:
      return name.toLowerCase() === 'x-forwarded-proto';
    default:
      return false;
  }
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
