import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Clock } from '../clock.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import type { Fields, RequestHead, ResetReason, ResponseHead } from '../stream.ts';
import { acceptOf } from '../websocket.ts';
import { H1ClientConnection } from './client.ts';
import { FakeTransport } from './testing.ts';

interface Got {
  heads: ResponseHead[];
  interim: number[];
  body: string;
  ended: boolean;
  trailers: Fields | null;
  reset: ResetReason | null;
  tunnel: ResponseHead | null;
}

function connect() {
  const transport = new FakeTransport();
  const clock = new Clock();
  let idle = 0;
  let closed = 0;
  const connection = new H1ClientConnection({
    transport,
    limits: DEFAULT_LIMITS,
    clock,
    onIdle: () => idle++,
    onClosed: () => closed++,
  });
  const receive = (text: string): void =>
    connection.onTransportData(Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1'));
  const request = (parts: Partial<RequestHead> = {}, end = true) => {
    const got: Got = {
      heads: [],
      interim: [],
      body: '',
      ended: false,
      trailers: null,
      reset: null,
      tunnel: null,
    };
    const head: RequestHead = {
      method: 'GET',
      target: '/',
      authority: 'x',
      scheme: 'http',
      fields: [],
      contentLength: 0,
      protocol: '',
      expectContinue: false,
      ...parts,
    };
    const sender = connection.request(head, end, {
      onInterim: (status) => got.interim.push(status),
      onHead: (response, ended) => {
        got.heads.push(response);
        got.ended = ended;
      },
      onTunnel: (response) => (got.tunnel = response),
      onBody: (bytes) => (got.body += bytes.toString('latin1')),
      onEnd: (trailers) => {
        got.ended = true;
        got.trailers = trailers;
      },
      onReset: (reason) => (got.reset = reason),
      onDrain: () => undefined,
    });
    return { got, sender };
  };
  return { transport, clock, connection, receive, request, idle: () => idle, closed: () => closed };
}

async function written(transport: FakeTransport): Promise<string> {
  await new Promise((resolve) => setImmediate(resolve));
  return transport.take();
}

describe('an HTTP/1.1 client connection', () => {
  it('sends a request and takes the response', async () => {
    const { transport, receive, request, idle, connection } = connect();
    const { got } = request({ target: '/a', fields: ['x-b', 'c'] });
    assert.equal(await written(transport), 'GET /a HTTP/1.1\r\nhost: x\r\nx-b: c\r\n\r\n');
    assert.equal(connection.available, false);
    receive('HTTP/1.1 200 OK\nContent-Length: 5\n\nhello');
    assert.equal(got.heads[0]?.status, 200);
    assert.equal(got.body, 'hello');
    assert.equal(got.ended, true);
    assert.equal(idle(), 1);
    assert.equal(connection.available, true);
  });

  it('sends bodies of known and of unknown length', async () => {
    const { transport, receive, request } = connect();
    const sized = request({ method: 'POST', contentLength: 2 }, false);
    sized.sender.sendBody(Buffer.from('hi'));
    sized.sender.sendEnd(null);
    assert.match(await written(transport), /content-length: 2\r\n\r\nhi$/);
    receive('HTTP/1.1 204 No Content\n\n');
    const chunked = request({ method: 'POST', contentLength: -1 }, false);
    chunked.sender.sendBody(Buffer.from('hi'));
    chunked.sender.sendEnd(['x-sum', '1']);
    assert.match(
      await written(transport),
      /transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx-sum: 1\r\n\r\n$/,
    );
  });

  it('says that a POST has no body', async () => {
    const { transport, request } = connect();
    request({ method: 'POST' });
    assert.match(await written(transport), /content-length: 0\r\n\r\n$/);
  });

  it('takes chunked responses, trailers and interim responses', () => {
    const { receive, request } = connect();
    const { got } = request();
    receive('HTTP/1.1 100 Continue\n\nHTTP/1.1 103 Early Hints\nLink: a\n\n');
    receive('HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3\nabc\n0\nX-T: 1\n\n');
    assert.deepEqual(got.interim, [100, 103]);
    assert.equal(got.body, 'abc');
    assert.deepEqual(got.trailers, ['X-T', '1']);
  });

  it('takes a body that ends with the connection, and only once', () => {
    const { receive, request, connection, closed } = connect();
    const { got } = request();
    receive('HTTP/1.1 200 OK\n\nabc');
    assert.equal(got.ended, false);
    connection.onTransportEnd();
    assert.equal(got.ended, true);
    assert.equal(closed(), 1);
  });

  it('expects no body after HEAD, 204 and 304, whatever the head says', () => {
    for (const [method, status] of [
      ['HEAD', 200],
      ['GET', 204],
      ['GET', 304],
    ] as const) {
      const { receive, request, connection } = connect();
      const { got } = request({ method });
      receive(`HTTP/1.1 ${status} X\nContent-Length: 9\n\n`);
      assert.equal(got.ended, true);
      assert.equal(got.heads[0]?.contentLength, 9);
      assert.equal(connection.available, true);
    }
  });

  it('never uses a connection again that said too much', () => {
    const { receive, request, connection, transport } = connect();
    request();
    receive('HTTP/1.1 204 No Content\n\nHTTP/1.1 200 OK\nContent-Length: 0\n\n');
    assert.equal(connection.available, false);
    assert.equal(transport.destroyed, true);
  });

  it('closes when the backend asks for it, and when it answers before the request has ended', () => {
    const asked = connect();
    asked.request();
    asked.receive('HTTP/1.1 200 OK\nConnection: close\nContent-Length: 0\n\n');
    assert.equal(asked.closed(), 1);
    const early = connect();
    const { got } = early.request({ method: 'POST', contentLength: 10 }, false);
    early.receive('HTTP/1.1 413 Too Large\nContent-Length: 0\n\n');
    assert.equal(got.ended, true);
    assert.equal(early.closed(), 1);
  });

  it('tells a stale connection from a broken one', () => {
    const fresh = connect();
    const first = fresh.request();
    fresh.connection.onTransportClose();
    assert.equal(first.got.reset, 'closed');
    const used = connect();
    used.request();
    used.receive('HTTP/1.1 204 No Content\n\n');
    const second = used.request();
    used.connection.onTransportClose();
    assert.equal(second.got.reset, 'refused');
    const broken = connect();
    const third = broken.request();
    broken.receive('HTTP/1.1 200 OK\nContent-Length: 5\n\nhe');
    broken.connection.onTransportEnd();
    assert.equal(third.got.reset, 'closed');
  });

  it('refuses a response that is not valid', () => {
    for (const text of [
      'HTTP/1.1 200 OK\nContent-Length: 1\nTransfer-Encoding: chunked\n\n',
      'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nzz',
      'nonsense\n\n',
      'HTTP/1.1 101 Switching\nUpgrade: x\nConnection: upgrade\n\n',
    ]) {
      const { receive, request, closed } = connect();
      const { got } = request();
      receive(text);
      assert.equal(got.reset, 'protocol', text);
      assert.equal(closed(), 1);
    }
  });

  it('becomes a tunnel when it was asked for', async () => {
    const { receive, request, transport } = connect();
    const { got, sender } = request({ protocol: 'websocket', fields: ['Sec-WebSocket-Key', 'k'] });
    assert.match(await written(transport), /connection: upgrade\r\nupgrade: websocket\r\n/);
    receive('HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\nConnection: Upgrade\n\nframe');
    assert.deepEqual(got.tunnel?.fields, ['upgrade', 'websocket']);
    assert.equal(got.body, 'frame');
    sender.sendBody(Buffer.from('back'));
    assert.equal(await written(transport), 'back');
  });

  it('makes the key of a WebSocket that came without, and checks the answer to it', async () => {
    const { receive, request, transport } = connect();
    const { got } = request({ protocol: 'websocket' });
    const [, key = ''] = /sec-websocket-key: (\S+)\r\n/.exec(await written(transport)) ?? [];
    assert.equal(Buffer.from(key, 'base64').length, 16);
    const head = 'HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\nConnection: Upgrade\n';
    receive(`${head}Sec-WebSocket-Accept: ${acceptOf(key)}\n\n`);
    assert.deepEqual(got.tunnel?.fields, ['upgrade', 'websocket']);
    const wrong = connect();
    const { got: gotWrong } = wrong.request({ protocol: 'websocket' });
    wrong.receive(`${head}Sec-WebSocket-Accept: ${acceptOf('another')}\n\n`);
    assert.equal(gotWrong.reset, 'protocol');
  });

  it('gives up on a backend that does not answer, and closes when idle for long', () => {
    const silent = connect();
    const { got } = silent.request();
    silent.clock.tick(performance.now() + DEFAULT_LIMITS.backendResponseTimeoutMs + 1);
    assert.equal(got.reset, 'timeout');
    const idle = connect();
    idle.request();
    idle.receive('HTTP/1.1 200 OK\nKeep-Alive: timeout=5\nContent-Length: 0\n\n');
    idle.clock.tick(performance.now() + 3000);
    assert.equal(idle.closed(), 0);
    idle.clock.tick(performance.now() + 4001);
    assert.equal(idle.closed(), 1);
  });

  it('reads the same responses wherever the bytes are cut', () => {
    const text =
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n5\r\nhello\r\n3;e=1\r\nabc\r\n0\r\nX-T: v\r\n\r\n';
    const take = (cuts: readonly number[]): Got => {
      const { connection, request } = connect();
      const { got } = request();
      let from = 0;
      for (const to of [...cuts.toSorted((a, b) => a - b), text.length]) {
        if (to > from) connection.onTransportData(Buffer.from(text.slice(from, to), 'latin1'));
        from = to;
      }
      return got;
    };
    const whole = take([]);
    assert.equal(whole.body, 'helloabc');
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 10 }), (cuts) => {
        assert.deepEqual(take(cuts), whole);
      }),
    );
  });
});
