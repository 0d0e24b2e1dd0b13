// hashicorp/http-echo: answers every request with one text. `-text=…` or ECHO_TEXT, `-listen=:5678`,
// `-status-code=200`; `/health` answers `{"status":"ok"}` and is not logged.

import { formatDuration } from '../duration.ts';
import { EchoStartError } from '../errors.ts';
import { parseFlags } from '../flags.ts';
import { firstHeader } from '../go-headers.ts';
import { parseInteger, resolveTarget } from '../go-url.ts';
import { openHttpPort, type HttpHandler } from '../http-port.ts';
import { imageTag } from '../image.ts';
import type { Listeners } from '../listeners.ts';
import { parsePort, type EchoPod } from '../pod.ts';
import { replyRedirect } from '../redirect.ts';
import { logTime } from './log-time.ts';

const FLAGS = {
  flags: { text: 'value', listen: 'value', 'status-code': 'value', version: 'switch' },
} as const;

export async function startHttpEcho(pod: EchoPod, listeners: Listeners): Promise<void> {
  const flags = parseFlags(pod.args, FLAGS);
  const text = flags.last('text') || pod.env['ECHO_TEXT'];
  if (!text)
    throw new EchoStartError('FW_ECHO_CONFIG', 'Missing -text option or ECHO_TEXT env var!');
  if (flags.words.length > 0) throw new EchoStartError('FW_ECHO_CONFIG', 'Too many arguments!');
  const status = parseInteger(flags.last('status-code') ?? '200') ?? 0;
  if (status < 200 || status > 999)
    throw new EchoStartError('FW_ECHO_CONFIG', '-status-code: not an HTTP status');

  const listen = flags.last('listen') ?? ':5678';
  // The host part of -listen is not used: the pod has exactly one address.
  const port = parsePort(listen.slice(listen.lastIndexOf(':') + 1), '-listen');
  const handler = answers(pod, `${text}\n`, status);
  await openHttpPort(listeners, { port, versions: 'http1', handler, log: pod.log });
  pod.log(`${logTime()} [INFO] server is listening on ${listen}`);
}

function answers(pod: EchoPod, text: string, status: number): HttpHandler {
  // The real one reports the version it was built as, which is the image's tag.
  const version = /^v?(\d+\.\d+\.\d+)/.exec(imageTag(pod.image))?.[1] ?? '1.0.0';
  const headers = [
    'Content-Type',
    'text/plain; charset=utf-8',
    'X-App-Name',
    'http-echo',
    'X-App-Version',
    version,
  ];
  const bytes = Buffer.byteLength(text);
  return (exchange) => {
    const target = resolveTarget(exchange.target);
    if (target.kind === 'invalid') return exchange.reply(400);
    // An older Go than the other images', whose mux redirects permanently.
    if (target.kind === 'redirect') return replyRedirect(exchange, target.location, 301);
    if (target.path === '/health') return exchange.reply(200, headers, '{"status":"ok"}\n');
    const startedMs = performance.now();
    exchange.reply(status, headers, text);
    const agent = firstHeader(exchange.headers, 'User-Agent') ?? '';
    pod.log(
      `${logTime()} ${exchange.host} ${exchange.peer.remote} "${exchange.method} ${target.path} ${exchange.proto}" ` +
        `${status} ${bytes} "${agent}" ${formatDuration(performance.now() - startedMs)}`,
    );
  };
}
