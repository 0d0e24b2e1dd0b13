// echo-basic's TCP mode: the line protocol, plain and over TLS.

import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import tls from 'node:tls';
import { makeCertificates, missingOpenssl } from '../testing/certificates.ts';
import { startPod } from '../testing/pods.ts';

const ADDRESS = '127.244.250.16';
const ENV = {
  TCP_ECHO_SERVER: '1',
  NAMESPACE: 'ns',
  INGRESS_NAME: 'ing',
  SERVICE_NAME: 'svc',
  POD_NAME: 'pod-1',
};
const GREETING = 'Gateway API Test TCP Server\n';
const FACTS =
  '{"namespace":"ns","ingress":"ing","service":"svc","pod":"pod-1","tcpport":"3000","tlsport":"8443",';

/** Everything a connection says to some text, after which the client ends its half. */
function converse(socket: net.Socket, text: string): Promise<string> {
  return new Promise((resolve) => {
    let received = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (received += chunk));
    socket.on('error', () => {}).on('close', () => resolve(received));
    socket.end(text, 'latin1');
  });
}

const CONVERSATIONS: readonly [name: string, text: string, answer: string][] = [
  ['nothing is asked', '', ''],
  ['PING', 'PING\n', 'PONG\n'],
  ['IS_TLS', 'IS_TLS\n', 'false\n'],
  ['TEST', 'TEST\n', `${FACTS}"isTLS":false}\n`],
  ['carriage returns', 'PING\r\nIS_TLS\r\n', 'PONG\nfalse\n'],
  ['the last line without break', 'PING\nPING', 'PONG\nPONG\n'],
  ['what is no command', 'ping\n\nPING \nconstructor\n', ''],
  ['a long line', `${'x'.repeat(60_000)}\nPING\n`, 'PONG\n'],
];

for (const [name, text, answer] of CONVERSATIONS) {
  test(`TCP: ${name}`, async (t) => {
    await startPod(t, { address: ADDRESS, env: ENV });
    const socket = net.connect({ host: ADDRESS, port: 3000, allowHalfOpen: true });
    assert.equal(await converse(socket, text), GREETING + answer);
  });
}

test('TCP: the server greets before it is spoken to', async (t) => {
  await startPod(t, { address: ADDRESS, env: { ...ENV, TCP_PORT: '3100' } });
  const socket = net.connect(3100, ADDRESS);
  t.after(() => socket.destroy());
  const first = await new Promise((resolve) => socket.once('data', resolve));
  assert.equal(String(first), GREETING);
});

test('TCP: a line of 64 KiB ends the connection', async (t) => {
  await startPod(t, { address: ADDRESS, env: ENV });
  const socket = net.connect({ host: ADDRESS, port: 3000, allowHalfOpen: true });
  assert.doesNotMatch(await converse(socket, `${'x'.repeat(70_000)}\nPING\n`), /PONG/);
});

test('TCP over TLS', { skip: missingOpenssl() ?? false }, async (t) => {
  const { ca, server } = makeCertificates();
  await startPod(t, {
    address: ADDRESS,
    env: { ...ENV, TLS_SERVER_CERT: '/c', TLS_SERVER_PRIV_KEY: '/k' },
    files: { '/c': server.cert, '/k': server.key },
  });
  const socket = tls.connect({
    host: ADDRESS,
    port: 8443,
    ca: ca.cert,
    servername: 'echo.example',
  });
  const facts =
    '"version":"TLS 1.3","serverName":"echo.example","cipherSuite":"TLS_AES_128_GCM_SHA256"';
  assert.equal(
    await converse(socket, 'IS_TLS\nTEST\n'),
    `${GREETING}true\n${FACTS}"isTLS":true,"tls":{${facts}}}\n`,
  );
});
