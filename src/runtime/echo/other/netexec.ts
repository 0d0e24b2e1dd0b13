// agnhost netexec: the HTTP and UDP server of Kubernetes' own network tests. /hostname, /clientip, /echo, /header,
// /healthz, /readyz, /redirect and /dial are served as by the real one. What would touch the machine is refused (501):
// /shell and /upload would act as the user who runs Fairway, /exit and /shutdown would end more than one pod.

import { EchoStartError } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { parseFlags, type Flags } from '../flags.ts';
import { readForm, type Form } from '../form.ts';
import { canonicalName, firstHeader } from '../go-headers.ts';
import { marshal } from '../go-json.ts';
import { parseInteger, queryValue, resolveTarget } from '../go-url.ts';
import { openHttpPort, type HttpHandler } from '../http-port.ts';
import type { Listeners } from '../listeners.ts';
import { hostname, parsePort, type EchoPod } from '../pod.ts';
import { readKeyPairOfImage } from '../self-signed.ts';
import { serverOptions } from '../tls.ts';
import { dial, type DialResult } from './dial.ts';
import { replyRedirect } from '../redirect.ts';
import { logTime } from './log-time.ts';

const FLAGS = {
  flags: {
    'http-port': 'value',
    'udp-port': 'value',
    'sctp-port': 'value',
    'tls-cert-file': 'value',
    'tls-private-key-file': 'value',
    'http-override': 'value',
    'udp-listen-addresses': 'value',
    'delay-shutdown': 'value',
  },
} as const;
const IMAGE_KEY_PAIR = { certPath: '/localhost.crt', keyPath: '/localhost.key', name: 'localhost' };
const PLAIN = ['Content-Type', 'text/plain; charset=utf-8'] as const;
/** Requests one /dial may send. */
const TRIES_MAX = 1_000;

export async function startNetexec(
  pod: EchoPod,
  args: readonly string[],
  listeners: Listeners,
): Promise<void> {
  const flags = parseFlags(args, FLAGS);
  if ((flags.last('sctp-port') ?? '-1') !== '-1') {
    throw new EchoStartError(
      'FW_ECHO_CONFIG',
      '--sctp-port: SCTP is not available without a container',
    );
  }
  const log = (line: string): void => pod.log(`${logTime()} ${line}`);
  const udpPort = flags.last('udp-port') ?? '8081';
  if (udpPort !== '-1') await openUdp(pod, parsePort(udpPort, '--udp-port'), listeners, log);

  const port = parsePort(flags.last('http-port') ?? '8080', '--http-port');
  const tls = await tlsOptions(pod, flags);
  const handler = routes({
    pod,
    port,
    override: flags.last('http-override'),
    isReady: udpPort !== '-1',
    log,
  });
  await openHttpPort(listeners, {
    port,
    versions: tls ? 'both' : 'http1',
    handler,
    log,
    ...(tls && { tls }),
  });
  log(`Started HTTP server on port ${port}`);
}

async function tlsOptions(pod: EchoPod, flags: Flags) {
  const cert = flags.last('tls-cert-file');
  if (!cert) return undefined;
  return serverOptions(
    await readKeyPairOfImage(pod, cert, flags.last('tls-private-key-file') ?? '', IMAGE_KEY_PAIR),
  );
}

async function openUdp(
  pod: EchoPod,
  port: number,
  listeners: Listeners,
  log: (line: string) => void,
): Promise<void> {
  await listeners.openUdp(port, (message, from, socket) => {
    const client = `${from.address}:${from.port}`;
    const command = message.toString('utf8').trim().toLowerCase();
    const answer = udpAnswer(command, hostname(pod), client);
    if (answer !== undefined) socket.send(answer, from.port, from.address);
    else if (command !== '') log(`Unknown UDP command received from ${client}: ${command}`);
  });
  log(`Started UDP server on port  ${port}`);
}

/** Commands are compared in lower case, and so is the text that `echo` returns. */
function udpAnswer(command: string, name: string, client: string): string | undefined {
  if (command === 'hostname') return name;
  if (command === 'clientip') return client;
  return command.startsWith('echo ') ? command.slice('echo '.length) : undefined;
}

interface Netexec {
  readonly pod: EchoPod;
  readonly port: number;
  /** --http-override: the target every request is taken to have. */
  readonly override: string | undefined;
  /** Whether the UDP server runs, which the real one takes for its own readiness. */
  readonly isReady: boolean;
  readonly log: (line: string) => void;
}

function routes({ pod, port, override, isReady, log }: Netexec): HttpHandler {
  return async (exchange) => {
    const target = resolveTarget(override ?? exchange.target);
    if (target.kind === 'invalid') return exchange.reply(400);
    if (target.kind === 'redirect') return replyRedirect(exchange, target.location);
    const { path, query } = target;
    log(`GET ${path}${query === '' ? '' : `?${query}`}`);
    switch (path) {
      case '/clientip':
        return exchange.reply(200, PLAIN, exchange.peer.remote);
      case '/hostname':
      case '/hostName':
        return exchange.reply(200, PLAIN, hostname(pod));
      case '/serverport':
        return exchange.reply(200, PLAIN, String(port));
      case '/healthz':
        return exchange.reply(isReady ? 200 : 412);
      case '/readyz':
        return isReady ? exchange.reply(200, PLAIN, 'ok') : exchange.reply(412);
      case '/echo':
        return echo(exchange, await readForm(exchange, query));
      case '/header':
        return header(exchange, await readForm(exchange, query));
      case '/redirect':
        return redirect(exchange, await readForm(exchange, query));
      case '/dial':
        return answerDial(exchange, query, pod);
      case '/shell':
      case '/upload':
      case '/exit':
      case '/shutdown':
        return exchange.reply(
          501,
          PLAIN,
          `${path} is not available: this pod is not a container\n`,
        );
      default:
        return exchange.reply(200, PLAIN, `NOW: ${new Date().toISOString()}`);
    }
  };
}

function echo(exchange: Exchange, form: Form): void {
  const status = statusOf(form, exchange);
  if (status !== undefined) exchange.reply(status || 200, PLAIN, form.value('msg'));
}

/** The `code` field: 0 if absent; undefined if it is no status, in which case the client has been told. */
function statusOf(form: Form, exchange: Exchange): number | undefined {
  const code = form.value('code');
  const status = code === '' ? 0 : parseInteger(code);
  if (status !== undefined && (status === 0 || (status >= 200 && status <= 999))) return status;
  exchange.reply(
    200,
    PLAIN,
    `argument 'code' must be an integer or empty, got ${JSON.stringify(code)}\n`,
  );
  return undefined;
}

function header(exchange: Exchange, form: Form): void {
  const key = form.value('key');
  const text =
    key === ''
      ? marshal(exchange.headers)
      : (firstHeader(exchange.headers, canonicalName(key)) ?? '');
  exchange.reply(200, PLAIN, text);
}

function redirect(exchange: Exchange, form: Form): void {
  const status = statusOf(form, exchange);
  if (status !== undefined) replyRedirect(exchange, form.value('location'), status || 302);
}

/** Sends requests from this pod, so that a test can see which Service endpoints answer it. */
async function answerDial(exchange: Exchange, query: string, pod: EchoPod): Promise<void> {
  const refuse = (message: string): void => exchange.reply(400, PLAIN, `${message}\n`);
  const tries = parseInteger(queryValue(query, 'tries') || '1');
  const request = queryValue(query, 'request') ?? '';
  const protocol = (queryValue(query, 'protocol') || 'http').toLowerCase();
  const port = parseInteger(queryValue(query, 'port')) ?? 0;
  if (tries === undefined || tries > TRIES_MAX) return refuse('tries parameter is invalid.');
  if (request === '') return refuse('request parameter not specified.');
  if (protocol !== 'http' && protocol !== 'udp') return refuse(`unsupported protocol. ${protocol}`);
  if (port < 1 || port > 65_535) return refuse('host and/or port param are invalid.');

  const results: DialResult[] = [];
  for (let at = 0; at < tries; at += 1) {
    results.push(
      await dial({ protocol, host: queryValue(query, 'host') ?? '', port, request, pod }),
    );
  }
  const responses = results.flatMap((result) => (result.ok ? [result.response] : []));
  const errors = results.flatMap((result) => (result.ok ? [] : [result.error]));
  const output = {
    ...(errors.length > 0 && { errors }),
    // Only if the last try got something, as in the real server.
    ...(results.at(-1)?.ok === true && { responses }),
  };
  exchange.reply(200, PLAIN, marshal(output));
}
