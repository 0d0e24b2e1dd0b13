import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Clock } from '../clock.ts';
import { newCounters } from '../counters.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import type { Fields, Receiver, RequestHead, ResetReason, ServerStream } from '../stream.ts';
import { H1ServerConnection } from './server.ts';
import { FakeTransport } from './testing.ts';

/** What happened to one request, as its handler saw it. */
interface Seen {
  readonly head: RequestHead;
  readonly hasBody: boolean;
  body: string;
  ended: boolean;
  trailers: Fields | null;
  reset: ResetReason | null;
  drained: number;
}

type Answer = (stream: ServerStream, seen: Seen) => void;

/** A connection whose requests are answered by `answer` once they are complete. */
function connect(answer: Answer = () => undefined, onHead: Answer = () => undefined) {
  const transport = new FakeTransport();
  const clock = new Clock();
  const requests: Seen[] = [];
  const streams: ServerStream[] = [];
  let closed = 0;
  const connection = new H1ServerConnection({
    transport,
    scheme: 'http',
    limits: DEFAULT_LIMITS,
    clock,
    counters: newCounters(),
    onClosed: () => closed++,
    onRequest: (stream, head, hasBody): Receiver => {
      const seen: Seen = {
        head,
        hasBody,
        body: '',
        ended: false,
        trailers: null,
        reset: null,
        drained: 0,
      };
      requests.push(seen);
      streams.push(stream);
      onHead(stream, seen);
      return {
        onBody: (bytes) => (seen.body += bytes.toString('latin1')),
        onEnd: (trailers) => {
          seen.ended = true;
          seen.trailers = trailers;
          answer(stream, seen);
        },
        onReset: (reason) => (seen.reset = reason),
        onDrain: () => seen.drained++,
      };
    },
  });
  const send = async (text: string): Promise<string> => {
    connection.onTransportData(Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1'));
    return settle(transport);
  };
  return { transport, clock, requests, streams, connection, send, closed: () => closed };
}

/** Lets what is to be sent in this turn and the next go out. */
async function settle(transport: FakeTransport): Promise<string> {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  return transport.take();
}

/** Answers with the request's path and body. */
const echo: Answer = (stream, seen) => {
  const body = Buffer.from(`${seen.head.target} ${seen.body}`);
  stream.sendHead({ status: 200, fields: [], contentLength: body.length }, false);
  stream.sendBody(body);
  stream.sendEnd(null);
};

describe('an HTTP/1.1 server connection', () => {
  it('answers requests one after the other', async () => {
    const { send, requests } = connect(echo);
    const first = await send('GET /a HTTP/1.1\nHost: x\n\n');
    assert.equal(first, 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n/a ');
    const second = await send('POST /b HTTP/1.1\nHost: x\nContent-Length: 2\n\nhi');
    assert.equal(second, 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n/b hi');
    assert.equal(requests.length, 2);
  });

  it('answers pipelined requests in order, in as many turns', async () => {
    const { send } = connect(echo);
    const written = await send(
      'GET /1 HTTP/1.1\nHost: x\n\nGET /2 HTTP/1.1\nHost: x\n\nGET /3 HTTP/1.1\nHost: x\n\n',
    );
    assert.deepEqual(written.match(/\/\d /g), ['/1 ', '/2 ', '/3 ']);
  });

  it('holds pipelined requests back until the one before them is answered', async () => {
    const { send, requests, streams, transport } = connect();
    await send('GET /1 HTTP/1.1\nHost: x\n\nGET /2 HTTP/1.1\nHost: x\n\n');
    assert.equal(requests.length, 1);
    streams[0]?.sendHead({ status: 204, fields: [], contentLength: 0 }, true);
    assert.equal(await settle(transport), 'HTTP/1.1 204 No Content\r\n\r\n');
    assert.equal(requests.length, 2);
  });

  it('reads chunked bodies and their trailers', async () => {
    const { send, requests } = connect(echo);
    await send('POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n5\nhello\n0\nX-Sum: 1\n\n');
    assert.equal(requests[0]?.body, 'hello');
    assert.deepEqual(requests[0]?.trailers, ['X-Sum', '1']);
  });

  it('sends a body of unknown length in chunks, with trailers', async () => {
    const { send } = connect((stream) => {
      stream.sendHead({ status: 200, fields: ['x-a', 'b'], contentLength: -1 }, false);
      stream.sendBody(Buffer.from('hello'));
      stream.sendEnd(['x-sum', '1']);
    });
    assert.equal(
      await send('GET / HTTP/1.1\nHost: x\n\n'),
      'HTTP/1.1 200 OK\r\nx-a: b\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n',
    );
  });

  it('ends the connection after a body of unknown length to an HTTP/1.0 client', async () => {
    const { send, transport } = connect((stream) => {
      stream.sendHead({ status: 200, fields: [], contentLength: -1 }, false);
      stream.sendBody(Buffer.from('hello'));
      stream.sendEnd(null);
    });
    assert.equal(
      await send('GET / HTTP/1.0\nConnection: keep-alive\n\n'),
      'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello',
    );
    assert.equal(transport.ended, true);
  });

  it('keeps an HTTP/1.0 connection that asks for it', async () => {
    const { send, transport } = connect(echo);
    const text = 'GET / HTTP/1.0\nConnection: keep-alive\n\n';
    assert.match(await send(text), /connection: keep-alive\r\n/);
    assert.equal(transport.ended, false);
  });

  it('sends no body to HEAD, yet says how long it would be', async () => {
    const { send } = connect((stream) =>
      stream.sendHead({ status: 200, fields: [], contentLength: 12 }, true),
    );
    assert.equal(
      await send('HEAD / HTTP/1.1\nHost: x\n\n'),
      'HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n',
    );
  });

  it('passes on interim responses, but not to HTTP/1.0', async () => {
    const answer: Answer = (stream, seen) => {
      stream.sendInterim(103, ['link', '</a>']);
      echo(stream, seen);
    };
    const modern = connect(answer);
    assert.match(
      await modern.send('GET / HTTP/1.1\nHost: x\n\n'),
      /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a>\r\n\r\nHTTP\/1\.1 200/,
    );
    const old = connect(answer);
    assert.match(await old.send('GET / HTTP/1.0\nHost: x\n\n'), /^HTTP\/1\.1 200/);
  });

  it('closes after Connection: close', async () => {
    const { send, transport, requests } = connect(echo);
    const text = 'GET /1 HTTP/1.1\nHost: x\nConnection: close\n\nGET /2 HTTP/1.1\nHost: x\n\n';
    assert.match(await send(text), /connection: close\r\n/);
    assert.equal(transport.ended, true);
    assert.equal(requests.length, 1);
  });

  it('closes both ways at once after the last answer, unless more has come or may come', async () => {
    const close = 'HTTP/1.1\nHost: x\nConnection: close\n';
    const cases = [
      { sent: `GET /1 ${close}\n`, atOnce: true },
      { sent: `GET /1 ${close}\nGET /2 ${close}\n`, atOnce: false },
      { sent: `POST /1 ${close}Content-Length: 1\n\nx`, atOnce: false },
    ];
    for (const { sent, atOnce } of cases) {
      const { send, transport, streams, closed } = connect();
      await send(sent);
      streams[0]!.sendHead({ status: 200, fields: [], contentLength: 0 }, true);
      assert.match(await settle(transport), /^HTTP\/1\.1 200 OK\r\n/);
      assert.deepEqual([transport.destroyed, closed()], [atOnce, atOnce ? 1 : 0], sent);
      assert.equal(transport.ended, !atOnce);
    }
  });

  it('refuses what is no request and trusts nothing after it', async () => {
    const { send, transport, requests } = connect(echo);
    const written = await send('GET / HTTP/1.1\nHost: x\nX\n\nGET /2 HTTP/1.1\nHost: x\n\n');
    assert.match(written, /^HTTP\/1\.1 400 Bad Request\r\n/);
    assert.match(written, /connection: close/);
    assert.equal(transport.ended, true);
    assert.equal(requests.length, 0);
    assert.equal(await send('GET /3 HTTP/1.1\nHost: x\n\n'), '');
  });

  it('refuses bare line feeds and foreign handshakes without waiting for the head to end', async () => {
    for (const bytes of ['GET / HTTP/1.1\u000aHost: x\u000a\u000a', '\x16\x03\x01\x00']) {
      const { connection, transport } = connect(echo);
      connection.onTransportData(Buffer.from(bytes, 'latin1'));
      assert.match(await settle(transport), /^HTTP\/1\.1 400/);
    }
  });

  it('answers 431 when a head does not end', async () => {
    const { send } = connect(echo);
    await send('GET / HTTP/1.1\nHost: x\nX: ');
    assert.match(await send('a'.repeat(40_000)), /^HTTP\/1\.1 431 /);
  });

  it('answers 400 to a broken chunk and tells the handler', async () => {
    const { send, requests } = connect(echo);
    const text = 'POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\nnonsense';
    assert.match(await send(text), /^HTTP\/1\.1 400 /);
    assert.equal(requests[0]?.reset, 'protocol');
  });

  it('answers 408 to a head that comes too slowly, and closes idle connections silently', async () => {
    const slow = connect(echo);
    await slow.send('GET / HT');
    slow.clock.tick(performance.now() + DEFAULT_LIMITS.headTimeoutMs + 1);
    assert.match(await settle(slow.transport), /^HTTP\/1\.1 408 /);
    const idle = connect(echo);
    idle.clock.tick(performance.now() + DEFAULT_LIMITS.keepAliveTimeoutMs + 1);
    assert.equal(await settle(idle.transport), '');
    assert.equal(idle.transport.destroyed, true);
    assert.equal(idle.closed(), 1);
  });

  it('answers 408 to a body that stalls', async () => {
    const { send, clock, requests, transport } = connect(echo);
    await send('POST / HTTP/1.1\nHost: x\nContent-Length: 5\n\nhe');
    clock.tick(performance.now() + DEFAULT_LIMITS.bodyIdleTimeoutMs + 1);
    assert.match(await settle(transport), /^HTTP\/1\.1 408 /);
    assert.equal(requests[0]?.reset, 'timeout');
  });

  it('reads past the short rest of a body that was answered early', async () => {
    const { send, requests } = connect(echo, (stream) =>
      stream.sendHead({ status: 404, fields: [], contentLength: 0 }, true),
    );
    const first = await send('POST /1 HTTP/1.1\nHost: x\nContent-Length: 5\n\nhe');
    assert.equal(first, 'HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n');
    assert.match(await send('lloGET /2 HTTP/1.1\nHost: x\n\n'), /404/);
    assert.equal(requests[1]?.head.target, '/2');
  });

  it('closes after answering early a body whose rest is long or unknown', async () => {
    for (const length of ['Content-Length: 1000000', 'Transfer-Encoding: chunked']) {
      const { send, transport } = connect(echo, (stream) =>
        stream.sendHead({ status: 404, fields: [], contentLength: 0 }, true),
      );
      const written = await send(`POST / HTTP/1.1\nHost: x\n${length}\n\n`);
      assert.match(written, /connection: close/);
      assert.equal(transport.ended, true);
    }
  });

  it('becomes a tunnel', async () => {
    const { send, requests, streams, transport } = connect();
    await send('GET /ws HTTP/1.1\nHost: x\nConnection: upgrade\nUpgrade: websocket\n\nearly');
    assert.equal(requests[0]?.head.protocol, 'websocket');
    assert.equal(requests[0]?.body, '');
    streams[0]?.startTunnel({ status: 101, fields: ['upgrade', 'websocket'], contentLength: 0 });
    assert.equal(
      await settle(transport),
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
    );
    await send('GET / HTTP/1.1');
    assert.equal(requests[0]?.body, 'earlyGET / HTTP/1.1');
    streams[0]?.sendBody(Buffer.from('frame'));
    assert.equal(await settle(transport), 'frame');
  });

  it('tells the handler when the client goes away', async () => {
    const { send, requests, connection, closed } = connect();
    await send('GET / HTTP/1.1\nHost: x\n\n');
    connection.onTransportClose();
    assert.equal(requests[0]?.reset, 'closed');
    assert.equal(closed(), 1);
  });

  it('still answers a client that has closed its half', async () => {
    const { send, streams, connection, transport } = connect();
    await send('GET / HTTP/1.1\nHost: x\n\n');
    connection.onTransportEnd();
    streams[0]?.sendHead({ status: 204, fields: [], contentLength: 0 }, true);
    assert.match(await settle(transport), /^HTTP\/1\.1 204 .*connection: close/s);
    assert.equal(transport.ended, true);
  });

  it('says when it cannot take more, and when it can again', async () => {
    const { send, streams, transport, connection, requests } = connect();
    await send('GET / HTTP/1.1\nHost: x\n\n');
    transport.flowing = false;
    streams[0]?.sendHead({ status: 200, fields: [], contentLength: -1 }, false);
    assert.equal(streams[0]?.sendBody(Buffer.alloc(100_000)), false);
    transport.flowing = true;
    connection.onTransportDrain();
    assert.equal(requests[0]?.drained, 1);
  });

  it('finishes the running request when it drains, and then closes', async () => {
    const busy = connect();
    await busy.send('GET / HTTP/1.1\nHost: x\n\n');
    busy.connection.drain();
    assert.equal(busy.transport.ended, false);
    busy.streams[0]?.sendHead({ status: 204, fields: [], contentLength: 0 }, true);
    await settle(busy.transport);
    assert.equal(busy.transport.ended, true);
    const idle = connect();
    idle.connection.drain();
    assert.equal(idle.transport.ended, true);
  });

  it('never lets a value break out of its line', async () => {
    const { send } = connect((stream) =>
      stream.sendHead(
        { status: 200, fields: ['x', 'a\r\nset-cookie: b', 'y', 'c'], contentLength: 0 },
        true,
      ),
    );
    const written = await send('GET / HTTP/1.1\nHost: x\n\n');
    assert.equal(written, 'HTTP/1.1 200 OK\r\ny: c\r\ncontent-length: 0\r\n\r\n');
  });

  it('reads the same requests wherever the bytes are cut', async () => {
    const text = [
      'GET /1 HTTP/1.1\nHost: x\n\n',
      'POST /2 HTTP/1.1\nHost: x\nContent-Length: 11\n\nhello\nthere',
      'POST /3 HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n3\nabc\n2\nde\n0\nX-T: 1\n\n',
      'GET /4 HTTP/1.1\nHost: x\n\n',
    ]
      .join('')
      .replaceAll('\n', '\r\n');
    const whole = await run(text, []);
    assert.equal(whole.length, 4);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(text.length), { maxLength: 10 }), async (cuts) => {
        assert.deepEqual(await run(text, cuts), whole);
      }),
      { numRuns: 60 },
    );
  });
});

async function run(text: string, cuts: readonly number[]): Promise<readonly unknown[]> {
  const { connection, requests, transport } = connect(echo);
  let from = 0;
  for (const to of [...cuts.toSorted((a, b) => a - b), text.length]) {
    connection.onTransportData(Buffer.from(text.slice(from, to), 'latin1'));
    from = to;
  }
  for (let i = 0; i < 4; i++) await settle(transport);
  return requests.map((r) => [r.head.target, r.body, r.ended, r.trailers]);
}
