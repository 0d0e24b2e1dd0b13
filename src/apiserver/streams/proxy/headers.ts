// Which headers a proxied request and its answer go on with. Pure.

import type { ProxyAddress } from './reference.ts';

/** RFC 9110, 7.6.1, and what older clients send: they are about one connection. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What says to the API server who the client is: not a secret that a pod may have. */
const CREDENTIALS = /^(?:authorization|impersonate-.*|x-remote-.*)$/;
/** WebSocket protocols in which browsers hide a bearer token. */
const TOKEN_PROTOCOL = /^base64url\.bearer\.authorization\.k8s\.io\./;

/** Name, value, name, value, as `rawHeaders` has them. */
export type RawHeaders = readonly string[];

export interface ForwardedFrom {
  /** Path and query of the request as the client sent it. */
  readonly uri: string;
  readonly host: string;
  readonly protocol: 'http' | 'https';
  readonly clientAddress: string | undefined;
}

/** Headers of the request to the backend; a list for `http.request`, which takes it as it is. */
export function requestHeaders(
  raw: RawHeaders,
  from: ForwardedFrom,
  to: ProxyAddress,
  upgrade: string | undefined,
): string[] {
  const dropped = namedByConnection(raw);
  const out: string[] = ['Host', hostOf(to)];
  const forwardedFor: string[] = [];
  for (const [name, value] of pairs(raw)) {
    const lower = name.toLowerCase();
    if (lower.startsWith(':') || lower === 'host' || HOP_BY_HOP.has(lower)) continue;
    if (CREDENTIALS.test(lower) || dropped.has(lower)) continue;
    if (/^x-forwarded-(?:uri|host|proto)$/.test(lower)) continue;
    if (lower === 'x-forwarded-for') forwardedFor.push(value);
    else if (lower === 'sec-websocket-protocol') out.push(...withoutTokens(name, value));
    else out.push(name, value);
  }
  if (from.clientAddress !== undefined) forwardedFor.push(from.clientAddress);
  if (forwardedFor.length > 0) out.push('X-Forwarded-For', forwardedFor.join(', '));
  out.push('X-Forwarded-Uri', from.uri, 'X-Forwarded-Host', from.host);
  out.push('X-Forwarded-Proto', from.protocol);
  if (upgrade !== undefined) out.push('Connection', 'Upgrade', 'Upgrade', upgrade);
  return out;
}

/** Headers of the answer to the client. `location` rewrites that header. */
export function responseHeaders(raw: RawHeaders, location: (value: string) => string): string[] {
  const dropped = namedByConnection(raw);
  const out: string[] = [];
  for (const [name, value] of pairs(raw)) {
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || dropped.has(lower)) continue;
    out.push(name, lower === 'location' ? location(value) : value);
  }
  return out;
}

/**
 * A Location of the backend as the client can follow it: absolute paths of the backend lie below the
 * path of the proxy. Relative ones are right already; other hosts are not ours.
 */
export function rewriteLocation(
  value: string,
  prefix: string,
  from: ForwardedFrom,
  to: ProxyAddress,
): string {
  let url: URL;
  try {
    url = new URL(value, `${to.scheme}://${hostOf(to)}/`);
  } catch {
    return value;
  }
  const isAbsolute = /^[a-z][a-z0-9+.-]*:/i.test(value) || value.startsWith('//');
  if (!isAbsolute && !value.startsWith('/')) return value;
  const ours = [hostOf(to), `${to.host}:${to.port}`, from.host];
  if (isAbsolute && !ours.includes(url.host)) return value;
  const path = url.pathname.startsWith(prefix) ? url.pathname : `${prefix}${url.pathname}`;
  return `${from.protocol}://${from.host}${path}${url.search}${url.hash}`;
}

/** The authority of an address; the port of the scheme is not written, as in Go's clients. */
export function hostOf({ scheme, host, port }: ProxyAddress): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return port === (scheme === 'https' ? 443 : 80) ? name : `${name}:${port}`;
}

function withoutTokens(name: string, value: string): readonly string[] {
  const kept = value
    .split(',')
    .map((each) => each.trim())
    .filter((each) => !TOKEN_PROTOCOL.test(each));
  return kept.length === 0 ? [] : [name, kept.join(', ')];
}

function namedByConnection(raw: RawHeaders): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [name, value] of pairs(raw)) {
    if (name.toLowerCase() !== 'connection') continue;
    for (const each of value.split(',')) names.add(each.trim().toLowerCase());
  }
  return names;
}

function* pairs(raw: RawHeaders): Generator<readonly [string, string], void> {
  for (let i = 0; i + 1 < raw.length; i += 2) yield [raw[i] ?? '', raw[i + 1] ?? ''];
}
