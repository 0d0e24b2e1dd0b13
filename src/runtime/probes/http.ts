// The httpGet of probes and lifecycle hooks. 200 to 399 is success; redirects are followed as long as
// they stay on the host, and one that leads away counts as success, as kubelet has it.

import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { Container } from '../../api/core/containers.ts';
import type { Probe } from '../../api/core/probes.ts';
import { dialError, probePort } from './connect.ts';
import type { ProbeResult } from './connect.ts';

type HttpGet = NonNullable<Probe['httpGet']>;

export interface HttpAskOptions {
  readonly container: Container;
  readonly podIp: string;
  readonly signal: AbortSignal;
}

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
}

const REDIRECTS_MAX = 10;

/** Programs that log requests tell probes by this prefix. */
const USER_AGENT = 'kube-probe/fairway';

/** Asks; rejects when there is no connection or no answer. */
export async function askHttp(get: HttpGet, options: HttpAskOptions): Promise<ProbeResult> {
  const scheme = get.scheme === 'HTTPS' ? 'https' : 'http';
  const host = get.host === undefined || get.host === '' ? options.podIp : get.host;
  const port = probePort(get.port, options.container);
  const authority = host.includes(':') ? `[${host}]` : host;
  const path = get.path === undefined || get.path === '' ? '/' : get.path;
  let url = new URL(`${scheme}://${authority}:${port}${path.startsWith('/') ? '' : '/'}${path}`);
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
    const answer = await request(url, get, options.signal);
    const next = redirectTarget(answer, url);
    if (next === undefined) return verdict(answer.status);
    if (next.hostname !== url.hostname) return { ok: true };
    url = next;
  }
  return { ok: false, message: `stopped after ${REDIRECTS_MAX} redirects` };
}

function verdict(status: number): ProbeResult {
  if (status >= 200 && status < 400) return { ok: true };
  return { ok: false, message: `HTTP probe failed with statuscode: ${status}` };
}

function redirectTarget(answer: Answer, from: URL): URL | undefined {
  const redirects = [301, 302, 303, 307, 308].includes(answer.status);
  return redirects && answer.location !== undefined && URL.canParse(answer.location, from.href)
    ? new URL(answer.location, from.href)
    : undefined;
}

function request(url: URL, get: HttpGet, signal: AbortSignal): Promise<Answer> {
  return get.protocol === 'HTTP2' && url.protocol === 'http:'
    ? requestHttp2(url, get, signal)
    : requestHttp1(url, get, signal);
}

function requestHttp1(url: URL, get: HttpGet, signal: AbortSignal): Promise<Answer> {
  const secure = url.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const outgoing = (secure ? https : http).request(url, {
      agent: false,
      headers: headersOf(get),
      // Whoever probes a pod's own certificate does not ask whom it was issued to.
      rejectUnauthorized: false,
      signal,
    });
    outgoing.once('response', (response) => {
      // The body says nothing more; reading it to the end could take for ever.
      resolve({ status: response.statusCode ?? 0, location: response.headers.location });
      response.destroy();
    });
    outgoing.on('error', (error) => reject(httpError(error, url)));
    outgoing.end();
  });
}

function requestHttp2(url: URL, get: HttpGet, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(url.origin);
    const fail = (error: Error): void => {
      session.destroy();
      reject(httpError(error, url));
    };
    session.on('error', fail);
    const headers = headersOf(get);
    const stream = session.request(
      {
        ':path': url.pathname + url.search,
        ...Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [
            name.toLowerCase() === 'host' ? ':authority' : name.toLowerCase(),
            value,
          ]),
        ),
      },
      { signal },
    );
    stream.on('error', fail);
    stream.once('response', (response) => {
      resolve({ status: response[':status'] ?? 0, location: response.location });
      session.destroy();
    });
  });
}

/** The manifest's headers; a name that comes twice is sent twice. An empty User-Agent sends none. */
function headersOf(get: HttpGet): Record<string, string | string[]> {
  const headers = new Map<string, { name: string; values: string[] }>();
  for (const { name, value } of get.httpHeaders ?? []) {
    const entry = headers.get(name.toLowerCase()) ?? { name, values: [] };
    entry.values.push(value);
    headers.set(name.toLowerCase(), entry);
  }
  const out: Record<string, string | string[]> = {};
  if (!headers.has('user-agent')) out['User-Agent'] = USER_AGENT;
  if (!headers.has('accept')) out['Accept'] = '*/*';
  for (const { name, values } of headers.values()) {
    const [value = ''] = values;
    if (value === '' && ['user-agent', 'accept'].includes(name.toLowerCase())) continue;
    out[name] = values.length === 1 ? value : values;
  }
  return out;
}

function httpError(error: Error, url: URL): Error {
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  const cause = dialError(error, url.hostname, port);
  return new Error(`Get "${url.href}": ${cause.message}`, { cause });
}
