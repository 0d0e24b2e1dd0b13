// traefik/whoami: answers with who it is and the request it got, as text. Also /api (the same as JSON), /bench,
// /data?size=&unit=, /health and the WebSocket echo at /echo; its gRPC service and /openapi.yaml are not served.
//
//   Hostname: whoami-5d7f
//   IP: 127.244.1.7
//   RemoteAddr: 127.0.0.1:41040
//   GET / HTTP/1.1
//   Host: whoami.example
//   …

import { parseDuration } from '../duration.ts';
import type { Exchange } from '../exchange.ts';
import { parseFlags } from '../flags.ts';
import { firstHeader } from '../go-headers.ts';
import { marshal } from '../go-json.ts';
import { parseInteger, queryValue, resolveTarget } from '../go-url.ts';
import { openHttpPort, type HttpHandler } from '../http-port.ts';
import type { Listeners } from '../listeners.ts';
import { hostname, parsePort, type EchoPod } from '../pod.ts';
import { readKeyPair, readPem, serverOptions } from '../tls.ts';
import { echoWebSocket } from '../websocket.ts';
import { replyRedirect } from '../redirect.ts';
import { logTime, requestTime } from './log-time.ts';

const FLAGS = {
  flags: {
    port: 'value',
    name: 'value',
    cert: 'value',
    key: 'value',
    cacert: 'value',
    verbose: 'switch',
  },
} as const;
/** What a request may bring to be repeated, and what /data may produce; the real one has no limits. */
const BODY_BYTES_MAX = 8 * 1024 * 1024;
const DATA_BYTES_MAX = 256 * 1024 * 1024;
const PLAIN = ['Content-Type', 'text/plain; charset=utf-8'] as const;

export async function startWhoami(pod: EchoPod, listeners: Listeners): Promise<void> {
  const flags = parseFlags(pod.args, FLAGS);
  const port = parsePort(flags.last('port') ?? (pod.env['WHOAMI_PORT_NUMBER'] || '80'), '--port');
  const name = flags.last('name') ?? pod.env['WHOAMI_NAME'] ?? '';
  const tls = await tlsOptions(pod, flags.last('cert'), flags.last('key'), flags.last('cacert'));
  const answer = routes({ pod, listeners, name, health: { status: 200 } });
  const handler = flags.isOn('verbose') ? logged(answer, pod) : answer;
  await openHttpPort(listeners, {
    port,
    versions: 'both',
    handler,
    log: pod.log,
    ...(tls && { tls }),
  });
  pod.log(`${logTime()} Starting up ${tls === undefined ? '' : 'with TLS '}on port ${port}`);
}

async function tlsOptions(pod: EchoPod, cert?: string, key?: string, ca?: string) {
  if (!cert || !key) return undefined;
  const options = serverOptions(await readKeyPair(pod, cert, key));
  // Without an authority any client certificate is taken, only to be shown; with one it is required.
  if (!ca)
    return {
      ...options,
      requestCert: true,
      rejectUnauthorized: false,
      acceptAnyClientCertificate: true,
    };
  return {
    ...options,
    ca: await readPem(pod, ca, 'CA chain'),
    requestCert: true,
    rejectUnauthorized: true,
  };
}

interface Whoami {
  readonly pod: EchoPod;
  readonly listeners: Listeners;
  readonly name: string;
  /** Set by POST /health. */
  readonly health: { status: number };
}

function routes(whoami: Whoami): HttpHandler {
  return (exchange) => {
    const target = resolveTarget(exchange.target);
    if (target.kind === 'invalid') return exchange.reply(400);
    if (target.kind === 'redirect') return replyRedirect(exchange, target.location);
    const { query } = target;
    switch (target.path) {
      case '/bench':
        return exchange.reply(200, ['Content-Type', 'text/plain'], '1');
      case '/api':
        return exchange.reply(
          200,
          ['Content-Type', 'application/json'],
          `${api(exchange, query, whoami)}\n`,
        );
      case '/data':
        return exchange.reply(200, PLAIN, data(query));
      case '/health':
        return health(exchange, whoami);
      case '/echo':
        return echoWebSocket(exchange, { requireOrigin: false });
      default:
        return describe(exchange, query, whoami);
    }
  };
}

function logged(answer: HttpHandler, pod: EchoPod): HttpHandler {
  return async (exchange) => {
    await answer(exchange);
    const { method, target, proto, peer } = exchange;
    pod.log(
      `${logTime()} ${peer.remote} - - [${requestTime()}] "${method} ${target.split('?')[0]} ${proto}" - -`,
    );
  };
}

async function describe(
  exchange: Exchange,
  query: string,
  { pod, listeners, name }: Whoami,
): Promise<void> {
  const wait = parseDuration(queryValue(query, 'wait') ?? '0');
  if (wait.ok && wait.durationMs > 0 && !(await listeners.sleep(wait.durationMs))) return;
  const body = await exchange.body(BODY_BYTES_MAX);
  if (body === undefined)
    return exchange.reply(413, PLAIN, `request body larger than ${BODY_BYTES_MAX} bytes\n`);
  const lines = [
    ...(name === '' ? [] : [`Name: ${name}`]),
    `Hostname: ${hostname(pod)}`,
    `IP: ${pod.address}`,
    `RemoteAddr: ${exchange.peer.remote}`,
  ];
  const env = isTrue(queryValue(query, 'env'))
    ? Object.entries(pod.env).map(([key, value]) => `${key}=${value}\n`)
    : [];
  const text = `${lines.join('\n')}\n${requestText(exchange, body)}`;
  exchange.reply(200, PLAIN, Buffer.concat([Buffer.from(text), body, Buffer.from(env.join(''))]));
}

/** The request as it would be sent on: Host and User-Agent first, then the other headers by name, then an empty line. */
function requestText(exchange: Exchange, body: Buffer): string {
  const { headers } = exchange;
  const lines = [`${exchange.method} ${exchange.target} HTTP/1.1`, `Host: ${exchange.host}`];
  const agent = firstHeader(headers, 'User-Agent') ?? 'Go-http-client/1.1';
  if (agent !== '') lines.push(`User-Agent: ${agent}`);
  if (body.length > 0) lines.push(`Content-Length: ${body.length}`);
  for (const [name, values] of Object.entries(headers)) {
    if (name === 'User-Agent' || name === 'Content-Length' || name === 'Host') continue;
    for (const value of values) lines.push(`${name}: ${value}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function api(exchange: Exchange, query: string, { pod, name }: Whoami): string {
  return marshal({
    hostname: hostname(pod) || undefined,
    ip: [pod.address],
    headers: exchange.headers,
    url: exchange.target,
    host: exchange.host || undefined,
    method: exchange.method,
    name: name || undefined,
    remoteAddr: exchange.peer.remote,
    environ: isTrue(queryValue(query, 'env')) ? pod.env : undefined,
  });
}

const UNIT_BYTES: Readonly<Record<string, number>> = {
  kb: 1024,
  mb: 1024 ** 2,
  gb: 1024 ** 3,
  tb: 1024 ** 4,
};

/** `|BCDE…XYZ-A…|`: the alphabet over and over between two bars. */
function data(query: string): Buffer {
  const unit = UNIT_BYTES[(queryValue(query, 'unit') ?? '').toLowerCase()] ?? 1;
  const size = Math.max(0, parseInteger(queryValue(query, 'size')) ?? 1) * unit;
  if (size > DATA_BYTES_MAX)
    return Buffer.from(`more than ${DATA_BYTES_MAX} bytes are not produced here\n`);
  const bytes = Buffer.alloc(size, '-ABCDEFGHIJKLMNOPQRSTUVWXYZ');
  if (size < 2) return Buffer.alloc(0);
  bytes[0] = bytes[size - 1] = '|'.charCodeAt(0);
  return bytes;
}

/** GET answers with the status the last POST asked for. */
async function health(exchange: Exchange, whoami: Whoami): Promise<void> {
  if (exchange.method !== 'POST') return exchange.reply(whoami.health.status);
  const text = (await exchange.body(BODY_BYTES_MAX))?.toString('utf8').trim();
  const status = parseInteger(text);
  if (status === undefined || status < 200 || status > 999) {
    return exchange.reply(400, PLAIN, `"${text}" is not an HTTP status\n`);
  }
  whoami.pod.log(`Update health check status code [${status}]`);
  whoami.health.status = status;
  exchange.reply(200);
}

function isTrue(text: string | undefined): boolean {
  return text !== undefined && /^(1|t|T|true|TRUE|True)$/.test(text);
}
