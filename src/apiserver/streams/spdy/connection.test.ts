import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { until } from '../../../runtime/testing.ts';
import { STREAM_LIMITS } from '../limits.ts';
import type { StreamLimits } from '../limits.ts';
import { connectSpdy } from '../testing/spdy-client.ts';
import type { SpdyClient } from '../testing/spdy-client.ts';
import { acceptSpdy } from './accept.ts';
import { SpdyConnection } from './connection.ts';
import { controlFrame, dataFrame, FRAME, numbersFrame } from './frames.ts';
import type { SpdyStream } from './stream.ts';

interface Served {
  readonly port: number;
  readonly connections: SpdyConnection[];
  readonly streams: SpdyStream[];
}

async function serve(
  t: TestContext,
  onStream: (stream: SpdyStream) => void,
  limits: Partial<StreamLimits> = {},
): Promise<Served> {
  const served = { connections: [] as SpdyConnection[], streams: [] as SpdyStream[] };
  const server = createServer();
  server.on('upgrade', (request, socket, head) => {
    if (acceptSpdy({ request, socket, head }, ['test']) === undefined) return;
    const connection = new SpdyConnection({
      transport: socket,
      head,
      limits: { ...STREAM_LIMITS, ...limits },
      onStream: (stream) => {
        served.streams.push(stream);
        onStream(stream);
      },
    });
    served.connections.push(connection);
    t.after(() => connection.close());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { ...served, port: (server.address() as AddressInfo).port };
}

const echo = (stream: SpdyStream): void => {
  stream.reply();
  stream.pipe(stream);
};

async function connected(t: TestContext, port: number): Promise<SpdyClient> {
  const { client } = await connectSpdy(port, '/', ['other', 'test']);
  t.after(() => client.transport.destroy());
  return client;
}

test('streams carry bytes both ways and end each half for itself', async (t) => {
  const { port } = await serve(t, echo);
  const client = await connected(t, port);
  const first = await client.open({ streamtype: 'a' });
  const second = await client.open({ streamtype: 'b' });
  await until('both are accepted', () => first.replied && second.replied);
  const big = Buffer.alloc(3_000_000, 'fairway ');
  client.send(first, big, true);
  client.send(second, 'small', true);
  await until('both have ended', () => first.ended && second.ended);
  assert.ok(first.data.equals(big));
  assert.equal(second.data.toString(), 'small');
});

test('a protocol that the server does not speak is refused in words', async (t) => {
  const { port } = await serve(t, echo);
  await assert.rejects(
    connectSpdy(port, '/', ['v9']),
    /403 .*client supports \[v9\], server accepts \[test\]/,
  );
  await assert.rejects(connectSpdy(port, '/', []), /400 .*X-Stream-Protocol-Version is required/);
});

test('pings are answered, a reset ends a stream, GOAWAY the connection once its streams have ended', async (t) => {
  const { port, streams, connections } = await serve(t, echo);
  const client = await connected(t, port);
  client.transport.write(numbersFrame(FRAME.ping, 7));
  client.transport.write(numbersFrame(FRAME.ping, 2));
  await until('the ping comes back', () => client.pings.length > 0);
  const stream = await client.open({});
  const other = await client.open({});
  await until('accepted', () => stream.replied && other.replied);
  client.transport.write(numbersFrame(FRAME.goAway, 0, 0));
  client.transport.write(numbersFrame(FRAME.rstStream, stream.id, 5));
  await until('reset', () => streams[0]?.destroyed);
  assert.equal(connections[0]?.gone.aborted, false);
  const late = await client.open({});
  await until('no new streams', () => late.reset === 3);
  client.send(other, 'bye', true);
  await until('closed', () => client.closed);
  assert.equal(other.data.toString(), 'bye');
  assert.deepEqual(client.pings, [7]);
});

test('a stream too many is refused; the others go on', async (t) => {
  const { port } = await serve(t, echo, { streamsMax: 2 });
  const client = await connected(t, port);
  const [a, b, c] = [await client.open({}), await client.open({}), await client.open({})];
  await until('the third is refused', () => c.reset === 3 && a.replied && b.replied);
  client.send(a, 'x', true);
  await until('echoed', () => a.ended);
  const d = await client.open({});
  await until('there is room again', () => d.replied);
});

test('a client that sends what nobody reads is not read; it goes on when somebody does', async (t) => {
  const { port, streams } = await serve(t, (stream) => stream.reply(), {
    bufferedBytesMax: 100_000,
  });
  const client = await connected(t, port);
  const stream = await client.open({});
  await until('accepted', () => stream.replied);
  const chunk = Buffer.alloc(1_000_000, 'x');
  const total = 60_000_000;
  let sent = 0;
  const writing = (async () => {
    for (; sent < total; sent += chunk.length) {
      if (!client.send(stream, chunk)) await once(client.transport, 'drain');
    }
    client.send(stream, '', true);
  })();
  let last = -1;
  await until('the client is held up', async () => {
    if (last === sent) return true;
    last = sent;
    await delay(200);
    return false;
  });
  assert.ok(sent < total);
  const [server] = streams;
  assert.ok(server !== undefined && server.readableLength < 100_000 + 2 * 65_536);
  let received = 0;
  server.on('data', (part: Buffer) => (received += part.length));
  await writing;
  await until('all of it has come', () => received === total);
});

test('a client that writes and never reads is not read either', async (t) => {
  const { port } = await serve(t, echo, { outputBytesMax: 100_000 });
  const client = await connected(t, port);
  client.transport.pause();
  const ping = Buffer.concat(Array.from({ length: 10_000 }, () => numbersFrame(FRAME.ping, 1)));
  let stuck = false;
  for (let i = 0; i < 2000 && !stuck; i++) {
    if (client.transport.write(ping)) continue;
    stuck = await Promise.race([
      once(client.transport, 'drain').then(() => false),
      delay(1500).then(() => true),
    ]);
  }
  assert.ok(stuck, 'the server read 240 MB of pings whose answers nobody took');
});

test('a silent connection is closed, and pings do not keep it', async (t) => {
  const { port } = await serve(t, echo, { idleMs: 150, keepAliveMs: 20 });
  const client = await connected(t, port);
  await until('closed', () => client.closed);
  assert.equal(client.goAway, 0);
  assert.ok(client.pings.length > 0);
});

test('what breaks the protocol ends the connection with GOAWAY', async (t) => {
  const { port } = await serve(t, echo);
  const faults: readonly Buffer[] = [
    dataFrame(99, Buffer.from('x'), false),
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    controlFrame(FRAME.synReply, 0, Buffer.alloc(8)),
    controlFrame(FRAME.synStream, 0, Buffer.alloc(4)),
    controlFrame(FRAME.synStream, 0, Buffer.from([0, 0, 0, 2, 0, 0, 0, 0, 0, 0])),
    controlFrame(FRAME.synStream, 0, Buffer.alloc(20_000)),
    Buffer.from([0x80, 2, 0, 1, 0, 0, 0, 0]),
  ];
  for (const fault of faults) {
    const client = await connected(t, port);
    client.transport.write(fault);
    await until('closed', () => client.closed);
    assert.equal(client.goAway ?? 1, 1, fault.toString('hex').slice(0, 40));
  }
});

test('no sequence of hostile frames does more than end its connection', async (t) => {
  const { port, connections } = await serve(t, echo, { lingerMs: 50 });
  const u32 = fc.oneof(fc.nat(12), fc.nat(0x7fff_ffff));
  const frame = fc.oneof(
    fc
      .tuple(fc.nat(12), fc.nat(255), fc.uint8Array({ maxLength: 60 }))
      .map(([type, flags, payload]) => controlFrame(type, flags, Buffer.from(payload))),
    fc
      .tuple(fc.constantFrom(2, 3, 6, 7, 8, 9), u32, u32)
      .map(([type, a, b]) => numbersFrame(type, a, b)),
    fc
      .tuple(fc.integer({ min: 1, max: 9 }), fc.uint8Array({ maxLength: 80 }), fc.boolean())
      .map(([id, payload, fin]) => dataFrame(id, Buffer.from(payload), fin)),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    fc.constant(undefined),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(frame, { maxLength: 12 }),
      fc.integer({ min: 1, max: 64 }),
      async (frames, cut) => {
        const client = await connected(t, port);
        for (const each of frames) {
          // An honest stream between the others.
          if (each === undefined) await client.open({ streamtype: 'data' });
          else {
            client.transport.write(each.subarray(0, cut));
            client.transport.write(each.subarray(cut));
          }
        }
        client.transport.end();
        await until('the server has let go', () => connections.at(-1)?.gone.aborted);
      },
    ),
    { numRuns: 150 },
  );
  const client = await connected(t, port);
  const stream = await client.open({});
  client.send(stream, 'still here', true);
  await until('the server serves on', () => stream.data.toString() === 'still here');
});
