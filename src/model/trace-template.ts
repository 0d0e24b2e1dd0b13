// What templates, guards and conducts read from a request, for the reference answer.

import { isIn } from '../lib/cidr.ts';
import { parseQuery } from '../lib/http-path.ts';
import { compilePattern } from '../lib/regex.ts';
import type { RequestProbe } from './answer.ts';
import type { ShownCertificate } from './guard.ts';
import { certificatePart } from './template.ts';
import type { RequestPart, TemplateSource } from './template.ts';
import type { TracedRequest } from './trace-action.ts';

/** An address that no rule of a test speaks of by chance. */
const SOMEBODY = '192.0.2.1';

/** Stands for an identifier that is made by chance. */
const SOME_ID = '(request id)';

/** The client: who is connected, or whom a trusted proxy names. */
export function clientOf({ probe, headers, conduct }: TracedRequest): string {
  const { trustedProxies } = conduct ?? {};
  let client = probe.client ?? SOMEBODY;
  if (trustedProxies === undefined) return client;
  const named = headers.findLast(([name]) => name === 'x-forwarded-for')?.[1] ?? '';
  const hops = named.split(',').map((hop) => hop.trim());
  while (isIn(client, trustedProxies)) {
    const next = hops.pop();
    if (next === undefined || !/^[0-9a-fA-F:.]+$/.test(next)) break;
    client = next;
  }
  return client;
}

/** The scheme, or the one a trusted proxy names. */
export function schemeOf({ probe, headers, conduct }: TracedRequest): string {
  const named = headers.find(([name]) => name === 'x-forwarded-proto')?.[1];
  return conduct?.trustedProxies === undefined ? probe.scheme : (named ?? probe.scheme);
}

/** What stands for the certificate of a probe. Whoever asks is the one it is for. */
export function shownBy({ clientCertificate }: RequestProbe, by = ''): ShownCertificate | null {
  if (clientCertificate === undefined) return null;
  const fault = clientCertificate === 'valid' ? null : 'UNABLE_TO_VERIFY_LEAF_SIGNATURE';
  return { by, subject: 'CN=somebody', issuer: 'CN=authority', fault, pem: '(certificate)' };
}

/** Empty without the cookie; the first of several counts. */
export function cookieOf(cookies: string, name: string): string | undefined {
  for (const pair of cookies.split(';')) {
    const equals = pair.indexOf('=');
    if (equals !== -1 && pair.slice(0, equals).trim() === name)
      return pair.slice(equals + 1).trim();
  }
  return undefined;
}

export function templateSource(request: TracedRequest, groupsOf?: string): TemplateSource {
  const header = (name: string): string =>
    request.headers
      .filter(([key]) => key === name)
      .map(([, value]) => value)
      .join(',');
  const pattern = groupsOf === undefined ? undefined : compilePattern(groupsOf);
  const groups =
    pattern === undefined || !('find' in pattern) ? null : pattern.find(request.target.path);
  return {
    part: (of) => partOf(request, of),
    header,
    cookie: (name) => cookieOf(header('cookie'), name) ?? '',
    query: (name) => parseQuery(request.target.query).find(([key]) => key === name)?.[1] ?? '',
    group: (number) => groups?.[number] ?? '',
  };
}

function partOf(request: TracedRequest, of: RequestPart): string {
  const { probe, host, target } = request;
  switch (of) {
    case 'scheme':
      return schemeOf(request);
    case 'host':
    case 'secureAuthority':
      return host;
    case 'authority':
      return probe.host;
    case 'method':
      return probe.method;
    case 'target':
      return probe.target;
    case 'trimmedTarget':
      return probe.target.replace(/\/$/, '');
    case 'escapedTarget':
      return encodeURIComponent(probe.target);
    case 'path':
      return target.path;
    case 'query':
      return target.query.slice(1);
    case 'queryMark':
      return target.query.length > 1 ? '?' : '';
    case 'client':
      return clientOf(request);
    case 'requestId':
      return SOME_ID;
    case 'clientVerified':
    case 'clientSubject':
    case 'clientIssuer':
    case 'clientCertificate':
      return certificatePart(of, probe.scheme, shownBy(probe));
  }
}

/** What a client says of itself in the name of a proxy. */
const FORWARDED =
  /^(?:forwarded|x-real-ip|x-forwarded-(?:for|host|port|proto|scheme)|x-scheme|x-original-forwarded-(?:for|host)|proxy|x-request-id)$/;

/** The header fields a port hands on that tells backends all about the client. */
export function toldHeaders(request: TracedRequest): readonly (readonly [string, string])[] {
  const { headers, conduct } = request;
  const before = (name: string): string | undefined => headers.find(([key]) => key === name)?.[1];
  const kept = headers.filter(([name]) => !FORWARDED.test(name));
  if (conduct === undefined) return headers;
  const own = (name: string): readonly (readonly [string, string])[] => {
    const value = before(name);
    return value === undefined ? [] : [[`x-original-${name.slice(2)}`, value]];
  };
  const { trustedProxies, appendsForwardedFor } = conduct;
  const trusts = trustedProxies !== undefined;
  const said = (name: string): string | undefined => (trusts ? before(name) : undefined);
  const client = clientOf(request);
  const chain = before('x-forwarded-for');
  const scheme = schemeOf(request);
  return [
    ...kept,
    ['x-request-id', before('x-request-id') ?? SOME_ID],
    ['x-real-ip', client],
    [
      'x-forwarded-for',
      appendsForwardedFor === true && chain !== undefined ? `${chain}, ${client}` : client,
    ],
    ['x-forwarded-host', said('x-forwarded-host')?.split(',')[0] ?? request.probe.host],
    ['x-forwarded-port', said('x-forwarded-port') ?? String(request.listenerPort)],
    ['x-forwarded-proto', scheme],
    ['x-forwarded-scheme', scheme],
    ['x-scheme', scheme],
    ...own('x-forwarded-for'),
    ...own('x-forwarded-host'),
  ];
}
