// The echo client over HTTP: a new connection per HTTP/1.1 request, or, with --http2, one connection for all.
// Redirects are not followed.

import http, { type IncomingMessage } from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import tlsModule from 'node:tls';
import { gunzipSync } from 'node:zlib';
import { formatDuration } from '../duration.ts';
import { canonicalName } from '../go-headers.ts';
import { bodyLines, line, type Sender, type SenderContext } from './sender.ts';

interface Answer {
  readonly status: number;
  /** Flat list of names and values. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly localAddress: string;
}

export function httpSender(context: SenderContext): Sender {
  const { request } = context;
  const transport = request.isHttp2 ? http2Transport(context) : http1Transport(context);
  return {
    close: () => transport.close(),
    async send(index, active) {
      const startedMs = performance.now();
      const answer = await transport.exchange();
      const latency = formatDuration(performance.now() - startedMs);
      const sent = request.headers.map(([name, value]) =>
        line(index, 'Header', `${name}:${value}`),
      );
      return (
        line(index, 'Url', request.url) +
        sent.join('') +
        line(index, 'SourceIP', answer.localAddress) +
        line(index, 'Latency', latency) +
        line(index, 'ActiveRequests', String(active)) +
        line(index, 'StatusCode', String(answer.status)) +
        printAnswer(index, answer)
      );
    },
  };
}

/** Never among the headers Go shows of a response: they describe how it was transferred. */
const HIDDEN = new Set(['Connection', 'Transfer-Encoding', 'Trailer']);

function printAnswer(index: number, answer: Answer): string {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < answer.rawHeaders.length; at += 2) {
    const name = canonicalName(answer.rawHeaders[at] ?? '');
    if (!name.startsWith(':') && !HIDDEN.has(name))
      pairs.push([name, answer.rawHeaders[at + 1] ?? '']);
  }
  const isGzip = pairs.some(
    ([name, value]) => name === 'Content-Encoding' && value.toLowerCase() === 'gzip',
  );
  // Go asks for gzip by itself and then hides that the answer came compressed.
  const shown = isGzip
    ? pairs.filter(([name]) => name !== 'Content-Encoding' && name !== 'Content-Length')
    : pairs;
  const headers = shown
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => line(index, 'ResponseHeader', `${name}:${value}`));
  const body = isGzip && answer.body.length > 0 ? gunzipSync(answer.body) : answer.body;
  return headers.join('') + bodyLines(index, body.toString('utf8'));
}

interface Transport {
  exchange(): Promise<Answer>;
  close(): void;
}

function http1Transport({ request, options, tls, signal }: SenderContext): Transport {
  const send = tls === undefined ? http.request : https.request;
  const target = {
    host: request.host,
    port: request.port,
    path: rawPath(request.path),
    method: request.method,
    // Node's types know only the object form; a flat list keeps case, order and repeated names.
    headers: http1Headers(request) as unknown as http.OutgoingHttpHeaders,
    agent: false,
    signal,
    family: request.family,
    ...(options.localAddress !== undefined && { localAddress: options.localAddress }),
    ...(options.lookup && { lookup: options.lookup }),
    ...(tls && { ALPNProtocols: ['http/1.1'], ...tls }),
  };
  const exchange = (): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const outgoing = send(target, (response) => void receive(response).then(resolve, reject));
      outgoing.on('error', reject).end();
    });
  return { exchange, close: () => {} };
}

async function receive(response: IncomingMessage): Promise<Answer> {
  const { localAddress = '' } = response.socket;
  const chunks: Buffer[] = await Array.fromAsync(response);
  return {
    status: response.statusCode ?? 0,
    rawHeaders: response.rawHeaders,
    body: Buffer.concat(chunks),
    localAddress,
  };
}

/** The header section Go's client writes, in its order. */
function http1Headers(request: SenderContext['request']): string[] {
  const has = (name: string): boolean =>
    request.headers.some(([given]) => given.toLowerCase() === name);
  const lines = ['Host', request.hostHeader || request.authority];
  if (!has('user-agent')) lines.push('User-Agent', 'Go-http-client/1.1');
  if (/^(POST|PUT|PATCH)$/.test(request.method)) lines.push('Content-Length', '0');
  lines.push(...request.headers.flat());
  if (!has('accept-encoding') && !has('range') && request.method !== 'HEAD')
    lines.push('Accept-Encoding', 'gzip');
  return [...lines, 'Connection', 'close'];
}

/** Bytes beyond ASCII go out as they were given, one character per byte. */
function rawPath(path: string): string {
  return Buffer.from(path, 'utf8').toString('latin1').replaceAll(' ', '%20');
}

function http2Transport(context: SenderContext): Transport {
  const { request, signal } = context;
  const scheme = context.tls === undefined ? 'http' : 'https';
  const session = connectHttp2(context);
  const exchange = (): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const stream = session.request(
        {
          ...http2Headers(request),
          ':method': request.method,
          ':scheme': scheme,
          ':authority': request.hostHeader || request.authority,
          ':path': rawPath(request.path),
        },
        { endStream: true, signal },
      );
      const chunks: Buffer[] = [];
      let head: { status: number; rawHeaders: readonly string[] } = { status: 0, rawHeaders: [] };
      stream.on('response', (headers, _flags, rawHeaders) => {
        head = { status: headers[':status'] ?? 0, rawHeaders: rawHeaders ?? [] };
      });
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', reject);
      stream.on('end', () => {
        const { localAddress = '' } = session.socket;
        resolve({ ...head, body: Buffer.concat(chunks), localAddress });
      });
    });
  return { exchange, close: () => session.destroy() };
}

function http2Headers(request: SenderContext['request']): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {
    'user-agent': 'Go-http-client/2.0',
    'accept-encoding': 'gzip',
  };
  for (const [name, value] of request.headers) {
    const given = request.headers.filter(([other]) => other.toLowerCase() === name.toLowerCase());
    headers[name.toLowerCase()] = given.length === 1 ? value : given.map(([, each]) => each);
  }
  return headers;
}

/** Also the gRPC client's way to a connection: HTTP/2 by prior knowledge, or by ALPN over TLS. */
export function connectHttp2({
  request,
  options,
  tls,
  signal,
}: SenderContext): http2.ClientHttp2Session {
  const target = {
    host: request.host,
    port: request.port,
    family: request.family,
    ...(options.localAddress !== undefined && { localAddress: options.localAddress }),
    ...(options.lookup && { lookup: options.lookup }),
  };
  const session = http2.connect(`http://${request.authority}`, {
    createConnection: () =>
      tls === undefined
        ? net.connect(target)
        : tlsModule.connect({ ...target, ALPNProtocols: ['h2'], ...tls }),
  });
  // Every stream reports the end of its session; the session itself only needs a listener.
  session.on('error', () => {});
  signal.addEventListener('abort', () => session.destroy(new Error('timed out')), { once: true });
  return session;
}
