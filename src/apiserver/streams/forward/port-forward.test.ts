import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { until } from '../../../runtime/testing.ts';
import { STREAM_LIMITS } from '../limits.ts';
import type { StreamLimits } from '../limits.ts';
import { ChannelClient } from '../testing/channel-client.ts';
import { connectSpdy } from '../testing/spdy-client.ts';
import type { ClientStream, SpdyClient } from '../testing/spdy-client.ts';
import { parsePorts } from './ports.ts';
import { servePortForward } from './port-forward.ts';

/** A server for the tests, and a program that plays the pod. */
async function start(
  t: TestContext,
  onConnection: (socket: Socket) => void,
  limits: Partial<StreamLimits> = {},
): Promise<{ readonly api: number; readonly pod: number; readonly ended: () => number }> {
  const program = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    t.after(() => socket.destroy());
    onConnection(socket);
  });
  program.listen(0, '127.0.0.1');
  await once(program, 'listening');
  let ended = 0;
  const server = createHttpServer();
  server.on('upgrade', (request, socket, head) => {
    const ports = parsePorts(new URL(request.url ?? '/', 'http://api').searchParams);
    assert.ok(ports.ok);
    const target = { address: '127.0.0.1', name: 'default/web' };
    void servePortForward({ request, socket, head }, target, ports.ports, {
      ...STREAM_LIMITS,
      ...limits,
    }).then(() => ended++);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
    program.close();
  });
  const portOf = (each: { address(): unknown }): number => (each.address() as AddressInfo).port;
  return { api: portOf(server), pod: portOf(program), ended: () => ended };
}

async function pair(
  client: SpdyClient,
  port: number,
  id: string,
): Promise<{ readonly error: ClientStream; readonly data: ClientStream }> {
  const headers = { port: String(port), requestid: id };
  const error = await client.open({ streamtype: 'error', ...headers });
  client.send(error, '', true);
  const data = await client.open({ streamtype: 'data', ...headers });
  await until('accepted', () => error.replied && data.replied);
  return { error, data };
}

const PROTOCOLS = ['portforward.k8s.io'];

test('connections over SPDY: echo, half-close, several at once, and a port where nobody listens', async (t) => {
  const { api, pod, ended } = await start(t, (socket) => {
    let text = '';
    socket.on('data', (chunk) => (text += chunk));
    socket.on('end', () => socket.end(`got ${text}`));
  });
  const { client } = await connectSpdy(api, '/', PROTOCOLS);
  const first = await pair(client, pod, '0');
  const second = await pair(client, pod, '1');
  client.send(second.data, 'two', true);
  client.send(first.data, 'one', true);
  await until('both have answered', () => first.data.ended && second.data.ended);
  assert.deepEqual(
    [first.data.data.toString(), second.data.data.toString()],
    ['got one', 'got two'],
  );
  await until('no errors', () => first.error.ended && second.error.ended);
  assert.equal(first.error.data.length + second.error.data.length, 0);
  const refused = await pair(client, 1, '2');
  await until('refused', () => refused.error.ended && refused.data.ended);
  assert.match(
    refused.error.data.toString(),
    /^error forwarding port 1 to pod default\/web: dial tcp 127\.0\.0\.1:1: connection refused/,
  );
  client.transport.destroy();
  await until('served to its end', () => ended() === 1);
});

test('ports that are none, halves that never come, and halves that come twice', async (t) => {
  const { api, pod } = await start(t, (socket) => socket.resume(), { streamCreationMs: 200 });
  const { client } = await connectSpdy(api, '/', PROTOCOLS);
  for (const port of ['0', '65536', '080', '-1', 'http', '']) {
    const stream = await client.open({ streamtype: 'data', port, requestid: 'x' });
    await until(`${port} is refused`, () => stream.reset === 1);
  }
  const lonely = await client.open({ streamtype: 'error', port: String(pod), requestid: 'y' });
  const twice = await client.open({ streamtype: 'error', port: String(pod), requestid: 'y' });
  await until('the second is refused', () => twice.reset === 1);
  await until('the first is given up', () => lonely.reset === 5);
  const { data } = await pair(client, pod, 'y');
  assert.equal(data.reset, undefined);
  client.transport.destroy();
});

test('the connection to the pod ends with the client, and with its stream', async (t) => {
  const sockets: Socket[] = [];
  const { api, pod } = await start(t, (socket) => {
    sockets.push(socket);
    socket.resume();
  });
  const { client } = await connectSpdy(api, '/', PROTOCOLS);
  const { data } = await pair(client, pod, '0');
  await pair(client, pod, '1');
  await until('both are connected', () => sockets.length === 2);
  const { numbersFrame, FRAME } = await import('../spdy/frames.ts');
  client.transport.write(numbersFrame(FRAME.rstStream, data.id, 5));
  await until(
    'the first has ended',
    () => sockets.filter((each) => each.readableEnded || each.destroyed).length === 1,
  );
  client.transport.destroy();
  await until('both have ended', () =>
    sockets.every((each) => each.readableEnded || each.destroyed),
  );
});

test('channels over WebSockets: each port announces itself, errors have a channel of their own', async (t) => {
  const { api, pod } = await start(t, (socket) => socket.pipe(socket));
  for (const protocol of ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io', '']) {
    const client = await ChannelClient.connect(api, `/?ports=${pod}&ports=1`, protocol);
    const number = Buffer.from([pod & 0xff, pod >> 8]);
    await until(
      'announced',
      () => client.received(0).length === 2 && client.received(1).length === 2,
    );
    assert.ok(client.received(0).equals(number) && client.received(1).equals(number));
    client.send(0, 'hello');
    await until('echoed', () => client.received(0).subarray(2).toString() === 'hello');
    await until('refused', () => client.received(3).length > 2);
    assert.match(
      client.received(3).subarray(2).toString(),
      /port 1 to pod default\/web: .*refused/,
    );
    client.socket.close();
  }
});

test('a channel carries megabytes unharmed', async (t) => {
  const { api, pod } = await start(t, (socket) => socket.pipe(socket));
  const client = await ChannelClient.connect(api, `/?ports=${pod}`, 'v4.channel.k8s.io');
  const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7) & 0xff));
  for (let at = 0; at < bytes.length; at += 50_000) client.send(0, bytes.subarray(at, at + 50_000));
  await until('all of it has come back', () => client.received(0).length === bytes.length + 2);
  assert.ok(client.received(0).subarray(2).equals(bytes));
  client.socket.close();
});

test('ports of the query', () => {
  const parse = (query: string): unknown => parsePorts(new URLSearchParams(query));
  assert.deepEqual(parse('ports=80&ports=443,8080&port=1'), {
    ok: true,
    ports: [80, 443, 8080, 1],
  });
  assert.deepEqual(parse(''), { ok: true, ports: [] });
  assert.deepEqual(parse('ports=x'), { ok: false, message: 'unable to parse "x" as a port' });
  assert.deepEqual(parse(`ports=${'1,'.repeat(127)}1`), {
    ok: false,
    message: 'more than 127 ports',
  });
});
