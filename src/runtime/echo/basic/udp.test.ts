// echo-basic's UDP mode, datagram by datagram.

import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { test, type TestContext } from 'node:test';
import { startPod } from '../testing/pods.ts';

const ADDRESS = '127.244.250.17';
const ENV = {
  UDP_ECHO_SERVER: '1',
  NAMESPACE: 'ns',
  INGRESS_NAME: 'ing',
  SERVICE_NAME: 'svc',
  POD_NAME: 'pod-1',
};

/** The answer to one datagram, and the address it came from. */
function ask(
  t: TestContext,
  port: number,
  message: Buffer,
): Promise<{ text: string; from: string }> {
  const socket = dgram.createSocket('udp4');
  t.after(() => socket.close());
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('message', (answer, from) =>
      resolve({ text: answer.toString(), from: `${from.address}:${from.port}` }),
    );
    socket.send(message, port, ADDRESS);
  });
}

const DATAGRAMS: readonly [name: string, message: Buffer, request: string][] = [
  ['text', Buffer.from('Hello World\n'), 'Hello World\\n'],
  ['nothing', Buffer.alloc(0), ''],
  ['what Go escapes', Buffer.from('<&>"\u2028'), '\\u003c\\u0026\\u003e\\"\\u2028'],
  ['bytes that are no text', Buffer.from([0x61, 0xff, 0x08]), 'a\ufffd\\b'],
  ['more than the real server reads', Buffer.alloc(1_500, 'a'), 'a'.repeat(1_024)],
];

for (const [name, message, request] of DATAGRAMS) {
  test(`UDP: ${name}`, async (t) => {
    await startPod(t, { address: ADDRESS, env: ENV });
    const { text, from } = await ask(t, 8080, message);
    assert.equal(
      text,
      `{"request":"${request}","namespace":"ns","ingress":"ing","service":"svc","pod":"pod-1"}`,
    );
    assert.equal(from, `${ADDRESS}:8080`);
  });
}

test('UDP: the port is configurable, and each line of a datagram is a line of the log', async (t) => {
  const pod = await startPod(t, { address: ADDRESS, env: { ...ENV, UDP_PORT: '5353' } });
  await ask(t, 5353, Buffer.from('one\ntwo'));
  assert.equal(
    pod.log[0],
    'UDP server listening on :5353 with context: {Namespace:ns Ingress:ing Service:svc Pod:pod-1}',
  );
  assert.equal(pod.log[1], 'Received UDP one');
  assert.match(pod.log[2] ?? '', /^two from 127\.[\d.]+:\d+$/);
});
