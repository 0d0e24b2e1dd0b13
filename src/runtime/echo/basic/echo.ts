// The heart of echo-basic's HTTP modes: answers a request with a JSON description of it.
//
//   GET /a?b=c →
//   {
//    "path": "/a?b=c",
//    "host": "example.org",
//    "method": "GET",
//    "proto": "HTTP/1.1",
//    "headers": {
//     "Accept": [
//      "*/*"
//     ]
//    },
//    "httpPort": "3000",
//    "namespace": "…", "ingress": "…", "service": "…", "pod": "…"
//   }

import type { Exchange } from '../exchange.ts';
import { parseDuration } from '../duration.ts';
import { readForm, type Form } from '../form.ts';
import type { GoHeaders } from '../go-headers.ts';
import { marshal, marshalIndent } from '../go-json.ts';
import type { Listeners } from '../listeners.ts';
import type { EchoPod } from '../pod.ts';
import type { TlsFacts } from '../tls.ts';
import type { PodContext } from './context.ts';

export interface EchoSettings {
  readonly pod: EchoPod;
  readonly listeners: Listeners;
  readonly context: PodContext;
  /** HTTP_PORT as given, which every answer repeats. */
  readonly httpPort: string;
}

/** Logs the request, waits for `?delay=` if there is one, and describes the request to its sender. */
export function echo(
  exchange: Exchange,
  query: string,
  settings: EchoSettings,
): void | Promise<void> {
  const { log } = settings.pod;
  // Tests of request mirroring find this line, with path and query exactly as received, in the pod's log.
  log(`Echoing back request made to ${exchange.target} to client (${exchange.peer.remote})`);
  const form = readForm(exchange, query);
  if (!(form instanceof Promise) && form.value('delay') === '') return describe(exchange, settings);
  return echoLater(exchange, form, settings);
}

async function echoLater(
  exchange: Exchange,
  form: Form | Promise<Form>,
  settings: EchoSettings,
): Promise<void> {
  if (await waited(exchange, (await form).value('delay'), settings.listeners))
    describe(exchange, settings);
}

/**
 * Sleeps for a Go duration; the empty string is no time at all. False if there is nothing left to do: the duration was
 * bad and the client has been told (500), or the pod was closed.
 */
export async function waited(
  exchange: Exchange,
  duration: string,
  listeners: Listeners,
): Promise<boolean> {
  if (duration === '') return true;
  const parsed = parseDuration(duration);
  if (parsed.ok) return listeners.sleep(parsed.durationMs);
  replyError(exchange, parsed.error);
  return false;
}

/** 500 with `{"message": …}`. */
export function replyError(exchange: Exchange, message: string): void {
  exchange.reply(500, JSON_HEADERS, marshal({ message }));
}

/** Exactly this: the conformance client reads the body only if Content-Type equals `application/json`. */
const JSON_HEADERS = [
  'Content-Type',
  'application/json',
  'X-Content-Type-Options',
  'nosniff',
] as const;

function describe(exchange: Exchange, settings: EchoSettings): void {
  const { headers, peer } = exchange;
  const { namespace, ingress, service, pod } = settings.context;
  const body = marshalIndent({
    path: exchange.target,
    host: exchange.host,
    method: exchange.method,
    proto: exchange.proto,
    headers,
    httpPort: settings.httpPort,
    namespace,
    ingress,
    service,
    pod,
    tls: peer.tls === undefined ? undefined : tlsAssertions(peer.tls),
  });
  exchange.reply(200, requestedHeaders(headers), body);
}

function tlsAssertions(facts: TlsFacts): object {
  const { version, peerCertificates, serverName, negotiatedProtocol, cipherSuite } = facts;
  return {
    version,
    peerCertificates: peerCertificates.length === 0 ? undefined : peerCertificates,
    serverName,
    negotiatedProtocol: negotiatedProtocol === '' ? undefined : negotiatedProtocol,
    cipherSuite,
  };
}

/**
 * The headers a client asked for with `X-Echo-Set-Header: Name:value, Name:value`, before the fixed two. Names keep
 * their case; a repeated name gets its values joined with a comma. The conformance suite sends an empty
 * X-Echo-Set-Header with every request: empty names are left out when the answer is written.
 */
function requestedHeaders(headers: GoHeaders): readonly string[] {
  const requested = headers['X-Echo-Set-Header'];
  if (requested === undefined) return JSON_HEADERS;
  const byName = new Map<string, string>();
  for (const item of requested.flatMap((list) => list.split(','))) {
    const pair = item.trim();
    const colon = pair.indexOf(':');
    const name = colon === -1 ? pair : pair.slice(0, colon);
    const value = colon === -1 ? '' : pair.slice(colon + 1);
    const before = byName.get(name);
    byName.set(name, before === undefined ? value : `${before},${value.trim()}`);
  }
  byName.set('Content-Type', JSON_HEADERS[1]);
  byName.set('X-Content-Type-Options', JSON_HEADERS[3]);
  return [...byName].flat();
}
