// echo-basic's HTTP mode: one port for HTTP/1.x, one for HTTP/2 without TLS, and, if a certificate is configured, one
// for both over TLS. Routes: /health, /status/NNN, /ws, /retry/…, and everything else is echoed.

import type { Exchange } from '../exchange.ts';
import { firstHeader } from '../go-headers.ts';
import { mergeSlashes, resolveTarget } from '../go-url.ts';
import { openHttpPort, type HttpHandler } from '../http-port.ts';
import type { Listeners } from '../listeners.ts';
import { portFromEnv, type EchoPod } from '../pod.ts';
import { replyRedirect } from '../redirect.ts';
import { clientCertificateOptions, readKeyPair, readPem, serverOptions } from '../tls.ts';
import { echoWebSocket } from '../websocket.ts';
import { podContext } from './context.ts';
import { echo, type EchoSettings } from './echo.ts';
import { replyStatus, RetrySimulation } from './retry.ts';

const HTTP_PORT = 3000;
const H2C_PORT = 3001;
const HTTPS_PORT = 8443;

export async function startHttpMode(pod: EchoPod, listeners: Listeners): Promise<void> {
  const { log } = pod;
  const port = portFromEnv(pod, 'HTTP_PORT', HTTP_PORT);
  const settings = {
    pod,
    listeners,
    context: podContext(pod),
    httpPort: pod.env['HTTP_PORT'] || String(port),
  };
  const handler = routes(settings);

  await openHttpPort(listeners, { port, versions: 'http1', handler, log });
  log(`Starting server, listening on port ${port} (http)`);

  const h2cPort = portFromEnv(pod, 'H2C_PORT', H2C_PORT);
  await openHttpPort(listeners, {
    port: h2cPort,
    versions: 'both',
    handler: h2cRoutes(settings),
    log,
  });
  log(`Starting server, listening on port ${h2cPort} (h2c)`);

  const tls = await tlsOptions(pod);
  if (tls === undefined) return;
  const httpsPort = portFromEnv(pod, 'HTTPS_PORT', HTTPS_PORT);
  await openHttpPort(listeners, { port: httpsPort, versions: 'both', handler, tls, log });
  log(`Starting server, listening on port ${httpsPort} (https)`);
}

async function tlsOptions(pod: EchoPod) {
  const { TLS_SERVER_CERT: cert, TLS_SERVER_PRIVKEY: key, TLS_CLIENT_CACERTS: clientCa } = pod.env;
  if (!cert || !key) return undefined;
  const options = serverOptions(await readKeyPair(pod, cert, key));
  if (!clientCa) return options;
  const ca = await readPem(pod, clientCa, 'client CA certificates');
  return { ...options, ...clientCertificateOptions(ca, clientCa) };
}

function routes(settings: EchoSettings): HttpHandler {
  const retry = new RetrySimulation(settings);
  return (exchange) => {
    if (exchange.target === '*') return replyToAsterisk(exchange);
    const target = resolveTarget(mergeSlashes(exchange.target), ['/status/', '/retry/']);
    switch (target.kind) {
      case 'invalid':
        return exchange.reply(
          400,
          ['Content-Type', 'text/plain; charset=utf-8', 'Connection', 'close'],
          BAD_REQUEST,
        );
      case 'redirect':
        return replyRedirect(exchange, target.location);
      case 'path':
        break;
    }
    const { path, query } = target;
    if (path === '/health')
      return exchange.reply(200, ['Content-Type', 'text/plain; charset=utf-8'], 'OK');
    if (path === '/ws') return webSocket(exchange, settings);
    if (path.startsWith('/status/')) return status(exchange);
    if (path.startsWith('/retry/')) return retry.answer(exchange, query);
    return echo(exchange, query, settings);
  };
}

const BAD_REQUEST = '400 Bad Request';

/** The h2c port has no routes. HTTP/1.1 gets through only if it mentions the upgrade, and is then echoed as such. */
function h2cRoutes(settings: EchoSettings): HttpHandler {
  return (exchange) => {
    if (exchange.proto !== 'HTTP/2.0' && firstHeader(exchange.headers, 'Upgrade') !== 'h2c') {
      return exchange.reply(
        400,
        ['Content-Type', 'text/plain; charset=utf-8'],
        'Expected h2c request',
      );
    }
    const mark = exchange.target.indexOf('?');
    return echo(exchange, mark === -1 ? '' : exchange.target.slice(mark + 1), settings);
  };
}

function status(exchange: Exchange): void {
  // The whole target counts: /status/503?x is a bad request, as in the real server.
  const code = /^\/status\/(\d\d\d)$/.exec(exchange.target)?.[1];
  replyStatus(exchange, code === undefined ? 400 : Number(code));
}

function webSocket(exchange: Exchange, { pod }: EchoSettings): void {
  echoWebSocket(exchange, {
    requireOrigin: true,
    onOpen: (origin) => pod.log(`established websocket connection ${origin}`),
  });
}

/** RFC 9112 §3.2.4: `*` asks about the server as a whole and is defined for OPTIONS only. */
function replyToAsterisk(exchange: Exchange): void {
  if (exchange.method === 'OPTIONS') exchange.reply(200);
  else exchange.reply(400, ['Connection', 'close']);
}
