// agnhost serve-hostname: says its name over HTTP, or over TCP and UDP: --port 9376, --http, --tcp, --udp, --close.

import { EchoStartError } from '../errors.ts';
import { parseFlags } from '../flags.ts';
import { openHttpPort } from '../http-port.ts';
import { remoteAddress, type Listeners } from '../listeners.ts';
import { hostname, parsePort, type EchoPod } from '../pod.ts';
import { logTime } from './log-time.ts';

const FLAGS = {
  flags: { tcp: 'switch', udp: 'switch', http: 'switch', close: 'switch', port: 'value' },
} as const;

export async function startServeHostname(
  pod: EchoPod,
  args: readonly string[],
  listeners: Listeners,
): Promise<void> {
  const flags = parseFlags(args, FLAGS);
  const isHttp = flags.isOn('http', true);
  if (isHttp && (flags.isOn('tcp') || flags.isOn('udp'))) {
    throw new EchoStartError(
      'FW_ECHO_CONFIG',
      "Can't server TCP/UDP mode and HTTP mode at the same time",
    );
  }
  const port = parsePort(flags.last('port') ?? '9376', '--port');
  const name = hostname(pod);
  const log = (line: string): void => pod.log(`${logTime()} ${line}`);

  if (flags.isOn('tcp')) {
    await listeners.openTcp(port, (socket) => {
      log(`TCP request from ${remoteAddress(socket)}`);
      socket.end(name);
    });
  }
  if (flags.isOn('udp')) {
    await listeners.openUdp(port, (_message, from, socket) => {
      log(`UDP request from ${from.address}:${from.port}`);
      socket.send(name, from.port, from.address);
    });
  }
  if (isHttp) {
    const headers = [
      'Content-Type',
      'text/plain; charset=utf-8',
      ...(flags.isOn('close') ? ['Connection', 'close'] : []),
    ];
    await openHttpPort(listeners, {
      port,
      versions: 'http1',
      log: pod.log,
      handler: (exchange) => {
        log(`HTTP request from ${exchange.peer.remote}`);
        exchange.reply(200, headers, name);
      },
    });
  }
  log(`Serving on port ${port}.`);
}
