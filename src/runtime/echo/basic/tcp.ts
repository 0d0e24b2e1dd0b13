// echo-basic's TCP mode: a line protocol that greets first, on a plain port and, if a certificate is configured, on a
// TLS port. Commands: PING → PONG, IS_TLS → true|false, TEST → one line of JSON; other lines get no answer.

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { marshal } from '../go-json.ts';
import type { Listeners } from '../listeners.ts';
import { portFromEnv, type EchoPod } from '../pod.ts';
import { readKeyPair, serverOptions, tlsFacts } from '../tls.ts';
import { podContext } from './context.ts';

const TCP_PORT = 3000;
const TLS_PORT = 8443;
const GREETING = 'Gateway API Test TCP Server\n';
/** Go's bufio.Scanner gives up on longer lines, which ends the connection. */
const LINE_BYTES_MAX = 64 * 1024;

export async function startTcpMode(pod: EchoPod, listeners: Listeners): Promise<void> {
  const { TLS_SERVER_CERT: cert, TLS_SERVER_PRIV_KEY: key } = pod.env;
  const tls = cert && key ? serverOptions(await readKeyPair(pod, cert, key)) : undefined;
  const port = portFromEnv(pod, 'TCP_PORT', TCP_PORT);
  const tlsPort = portFromEnv(pod, 'TLS_PORT', TLS_PORT);
  const facts = {
    ...podContext(pod),
    tcpport: pod.env['TCP_PORT'] || String(port),
    tlsport: pod.env['TLS_PORT'] || String(tlsPort),
  };

  await listeners.openTcp(port, (socket) =>
    converse(socket, false, marshal({ ...facts, isTLS: false })),
  );
  pod.log(`INFO Starting server (tcp) protocol=tcp port=${port}`);
  if (tls === undefined) return;
  await listeners.openTls(tlsPort, tls, (socket) => {
    converse(socket, true, marshal({ ...facts, isTLS: true, tls: tlsAssertions(socket) }));
  });
  pod.log(`INFO Starting server (tcp) protocol=tls port=${tlsPort}`);
}

/** The real server also names the key exchange (`curves`), which Node tells clients only; the field is optional. */
function tlsAssertions(socket: TLSSocket): object {
  const { version, serverName, negotiatedProtocol, cipherSuite } = tlsFacts(socket);
  return {
    version: version.replace('TLSv', 'TLS '),
    serverName,
    negotiatedProtocol: negotiatedProtocol === '' ? undefined : negotiatedProtocol,
    cipherSuite,
  };
}

function converse(socket: Socket, isTls: boolean, description: string): void {
  const answers: Readonly<Record<string, string>> = {
    TEST: `${description}\n`,
    IS_TLS: `${isTls}\n`,
    PING: 'PONG\n',
  };
  const answer = (line: string): void => {
    const command = line.replace(/\r$/, '');
    if (Object.hasOwn(answers, command)) socket.write(answers[command] ?? '');
  };
  let pending = '';
  socket.write(GREETING);
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    const lines = (pending + chunk).split('\n');
    pending = lines.pop() ?? '';
    for (const line of lines) answer(line);
    if (pending.length >= LINE_BYTES_MAX || lines.some((line) => line.length >= LINE_BYTES_MAX))
      socket.destroy();
  });
  socket.once('end', () => {
    answer(pending);
    socket.end();
  });
}
