// echo-advanced over HTTP: answers every request with what it saw, as text. `?delay=1s` waits, `?headers=a:b,c:d` sets
// response headers, `?codes=500:1,200:3` answers with one of the statuses in those proportions. (The real server also
// turns a request with the header `testwebsocket: enabled` into a WebSocket; this one does not.)

import { X509Certificate } from 'node:crypto';
import { parseDuration } from '../duration.ts';
import { allowsBody, type Exchange } from '../exchange.ts';
import { readForm } from '../form.ts';
import { parseInteger } from '../go-url.ts';
import type { HttpHandler } from '../http-port.ts';
import type { Listeners } from '../listeners.ts';
import type { TlsFacts } from '../tls.ts';
import { fieldLines, ipOf, nonEmpty, type Field } from './fields.ts';
import type { Identity } from './settings.ts';

export interface AdvancedHttp {
  readonly identity: Identity;
  readonly port: number;
  readonly listeners: Listeners;
  readonly log: (line: string) => void;
}

export function advancedHttp(server: AdvancedHttp): HttpHandler {
  return (exchange) => {
    const { proto, method, target, host, peer } = exchange;
    server.log(
      `${proto} Request remoteAddr=${ipOf(peer.remote)} method=${method} url=${target} host=${host}`,
    );
    return echo(exchange, server);
  };
}

async function echo(exchange: Exchange, server: AdvancedHttp): Promise<void> {
  const mark = exchange.target.indexOf('?');
  const form = await readForm(exchange, mark === -1 ? '' : exchange.target.slice(mark + 1));
  const problems: string[] = [];

  const delay = form.value('delay');
  const parsed = parseDuration(delay === '' ? '0' : delay);
  if (!parsed.ok) problems.push(`error delaying response error: ${parsed.error}\n`);
  else if (parsed.durationMs > 0 && !(await server.listeners.sleep(parsed.durationMs))) return;

  const requested = requestedHeaders(form.value('headers'));
  if (requested.error !== undefined) problems.push(`response headers error: ${requested.error}\n`);

  const codes = parseCodes(form.value('codes'));
  if (!codes.ok) problems.push(`codes error: ${codes.error}\n`);

  const status = codes.ok ? pick(codes.slices) : 200;
  // The real server writes its status before its Content-Type, which then comes from sniffing the body; only when it
  // had no status to write does its own, "application/text", get through.
  const contentType = codes.ok ? 'text/plain; charset=utf-8' : 'application/text';
  const headers = allowsBody(status)
    ? [...requested.lines, 'Content-Type', contentType]
    : requested.lines;
  exchange.reply(status, headers, problems.join('') + fieldLines(requestFields(exchange, server)));
}

function requestFields(exchange: Exchange, { identity, port }: AdvancedHttp): Field[] {
  const { headers, peer } = exchange;
  return [
    ['ServiceVersion', identity.version],
    ['ServicePort', String(port)],
    ['Host', exchange.host],
    ['URL', exchange.target],
    nonEmpty('Cluster', identity.cluster),
    nonEmpty('IstioVersion', identity.istioVersion),
    ['Method', exchange.method],
    ['Proto', exchange.proto],
    ['IP', ipOf(peer.remote)],
    ...(peer.tls === undefined ? [] : tlsFields(peer.tls)),
    ...Object.entries(headers).flatMap(([name, values]) =>
      values.map((value): Field => ['RequestHeader', `${name}:${value}`]),
    ),
    ['Hostname', identity.hostname],
  ];
}

function tlsFields(facts: TlsFacts): Field[] {
  const [leaf] = facts.peerCertificates;
  const certificate = leaf === undefined ? undefined : new X509Certificate(leaf);
  return [
    nonEmpty('Alpn', facts.negotiatedProtocol),
    nonEmpty('Sni', facts.serverName),
    // RFC 2253 writes the most specific name first, X.509 last.
    ['ClientCertSubject', certificate?.subject.split('\n').toReversed().join(',')],
    ['ClientCertSerialNumber', certificate && String(BigInt(`0x${certificate.serialNumber}`))],
  ];
}

/** The headers before the first malformed item still count. */
function requestedHeaders(text: string): {
  readonly lines: readonly string[];
  readonly error: string | undefined;
} {
  const lines: string[] = [];
  for (const item of text === '' ? [] : text.split(',')) {
    const [name = '', value, ...more] = item.split(':');
    if (value === undefined || more.length > 0) {
      return { lines, error: `invalid ${JSON.stringify(item)} (want name:value)` };
    }
    lines.push(name, value);
  }
  return { lines, error: undefined };
}

interface Slice {
  readonly status: number;
  readonly weight: number;
}

type Codes =
  | { readonly ok: true; readonly slices: readonly Slice[] }
  | { readonly ok: false; readonly error: string };

/** `500:1,200:3`; the weight is 1 if left out, and no codes at all are 200. */
function parseCodes(text: string): Codes {
  const slices: Slice[] = [];
  for (const item of (text || '200').split(',')) {
    const [code = '', weight = '1', ...more] = item.split(':');
    const status = parseInteger(code);
    const slice = parseInteger(weight);
    if (more.length > 0)
      return { ok: false, error: `invalid ${JSON.stringify(item)} (want code or code:count)` };
    if (status === undefined) return { ok: false, error: notANumber(code) };
    if (status < 200 || status >= 600)
      return { ok: false, error: `invalid HTTP response code ${status}` };
    if (slice === undefined) return { ok: false, error: notANumber(weight) };
    if (slice < 0) return { ok: false, error: `invalid count ${slice}` };
    slices.push({ status, weight: slice });
  }
  return { ok: true, slices };
}

function notANumber(text: string): string {
  return `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
}

function pick(slices: readonly Slice[]): number {
  const total = slices.reduce((sum, slice) => sum + slice.weight, 0);
  let point = Math.random() * total;
  for (const { status, weight } of slices) {
    point -= weight;
    if (point < 0) return status;
  }
  return slices.at(-1)?.status ?? 200;
}
