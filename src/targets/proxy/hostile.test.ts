// What attackers send, on real sockets, and what becomes of it: each row says what is sent, how it is
// answered, and what the backend gets to see. The rule behind them all: what two parsers could read
// differently is refused, and what goes on is written anew. Rows about floods of HTTP/2 frames are in
// datapath/h2/server.floods.test.ts, on a connection whose clock the test has.

import assert from 'node:assert/strict';
import { createServer as createTcp } from 'node:net';
import type { Server, Socket } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Proxy } from './proxy.ts';
import { patiently, say } from './testing/raw.ts';
import { backendOf, listenAny, modelOf, newProxy, serve, until } from './testing/rig.ts';

const ADDRESS = '127.80.204.1';
const PORT = 18093;
const PLACE = { address: ADDRESS, port: PORT };
const LIMITS = { headTimeoutMs: 300, bodyIdleTimeoutMs: 300, keepAliveTimeoutMs: 60_000 };

interface Row {
  readonly id: string;
  readonly what: string;
  /** Lines end in \n here and in CRLF on the wire; `raw` is sent as it stands. */
  readonly text?: string;
  readonly raw?: string;
  /** Of every answer, in order. */
  readonly answers: readonly number[];
  /** The connection is closed after the last answer. */
  readonly closes?: boolean;
  /** How many requests the backend sees; by default as many as are answered 200. */
  readonly forwarded?: number;
  /** What the backend must, and must not, see. */
  readonly sees?: RegExp;
  readonly never?: RegExp;
}

const HOST = 'Host: a.example\n';
const bad = (id: string, what: string, text: string, status = 400): Row => ({
  id,
  what,
  text,
  answers: [status],
  closes: true,
});
const good = (id: string, what: string, text: string, more: Partial<Row> = {}): Row => ({
  id,
  what,
  text,
  answers: [200],
  ...more,
});
const get = (target: string, fields = ''): string => `GET ${target} HTTP/1.1\n${HOST}${fields}\n`;
const post = (fields: string, body = ''): string => `POST / HTTP/1.1\n${HOST}${fields}\n${body}`;
const chunked = (body: string, more = ''): string =>
  post(`${more}Transfer-Encoding: chunked\n`, body);

const ROWS: readonly Row[] = [
  bad('S1', 'Content-Length before Transfer-Encoding', chunked('0\n\n', 'Content-Length: 5\n')),
  bad(
    'S2',
    'Transfer-Encoding before Content-Length',
    post('Transfer-Encoding: chunked\nContent-Length: 5\n', '0\n\n'),
  ),
  bad(
    'S3',
    'Transfer-Encoding: chunked, identity',
    post('Transfer-Encoding: chunked, identity\n', '0\n\n'),
    501,
  ),
  bad('S3', 'Transfer-Encoding: xchunked', post('Transfer-Encoding: xchunked\n', '0\n\n'), 501),
  bad('S3', 'a vertical tab before chunked', post('Transfer-Encoding: \x0bchunked\n', '0\n\n')),
  bad('S3', 'Transfer-Encoding: ,chunked', post('Transfer-Encoding: ,chunked\n', '0\n\n'), 501),
  bad(
    'S3',
    'two Transfer-Encoding',
    post('Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n', '0\n\n'),
  ),
  bad(
    'S4',
    'Transfer-Encoding in HTTP/1.0',
    `POST / HTTP/1.0\n${HOST}Transfer-Encoding: chunked\n\n0\n\n`,
  ),
  bad('S5', 'a blank before the colon', post('Transfer-Encoding : chunked\n', '0\n\n')),
  bad('S6', 'a folded field', get('/', 'X-A: b\n c\n')),
  bad('S6', 'a folded Transfer-Encoding', post('Transfer-Encoding:\n chunked\n', '0\n\n')),
  bad('S7', 'two different lengths', post('Content-Length: 5\nContent-Length: 6\n', 'hello')),
  bad('S7', 'the same length twice', post('Content-Length: 5\nContent-Length: 5\n', 'hello')),
  bad('S7', 'a list of lengths', post('Content-Length: 5, 5\n', 'hello')),
  ...['+5', '0x5', '-1', '', '5 5', '9007199254740993', '99999999999999999999'].map((length) =>
    bad('S8', `Content-Length: ${length}`, post(`Content-Length: ${length}\n`, 'hello')),
  ),
  good('S9', 'a GET with a body', get('/', 'Content-Length: 5\n') + 'hello', {
    sees: /\r\n\r\nhello$/,
  }),
  good(
    'S9',
    'a body that is read past before the next request',
    post('Content-Length: 5\n', 'hello') + get('/two'),
    {
      answers: [200, 200],
    },
  ),
  ...['0x5', '+5', ' 5', '5_0', '00000000000000005', '-1', ''].map((size) =>
    bad('S10', `chunk size "${size}"`, chunked(`${size}\nhello\n0\n\n`)),
  ),
  {
    id: 'S11',
    what: 'a bare line feed after the chunk size',
    raw: crlf(chunked('')) + '5\nhello\r\n0\r\n\r\n',
    answers: [400],
    closes: true,
    forwarded: 0,
  },
  {
    id: 'S11',
    what: 'a bare line feed in an extension',
    raw: crlf(chunked('')) + '5;a\nhello\r\n0\r\n\r\n',
    answers: [400],
    closes: true,
    forwarded: 0,
  },
  {
    id: 'S12',
    what: 'chunk data longer than its size',
    raw: crlf(chunked('')) + '5\r\nhello!\r\n0\r\n\r\n',
    answers: [400],
    closes: true,
    forwarded: 0,
  },
  good('S13', 'a valid chunk extension', chunked('5;a=b\nhello\n0\n\n'), {
    sees: /5\r\nhello\r\n0\r\n\r\n$/,
  }),
  bad('S13', 'a chunk extension of 5 KiB', chunked(`5;${'a'.repeat(5000)}\nhello\n0\n\n`)),
  good(
    'S14',
    'trailers that frame, route or authenticate',
    chunked('0\nContent-Length: 5\nHost: b\nAuthorization: x\nX-Sum: 1\n\n'),
    {
      sees: /0\r\nX-Sum: 1\r\n\r\n$/,
      never: /Authorization|Host: b/i,
    },
  ),
  {
    id: 'S15',
    what: 'bare line feeds',
    raw: `GET / HTTP/1.1\n${HOST}\n`,
    answers: [400],
    closes: true,
  },
  bad('S16', 'a bare carriage return in a value', get('/', 'X-A: b\rc\n')),
  bad('S16', 'NUL in a value', get('/', 'X-A: b\0c\n')),
  bad('S16', 'a control character in a name', get('/', 'X\x01A: b\n')),
  bad('S17', 'a line without a colon', get('/', 'X-A\n')),
  bad('S17', 'an empty name', get('/', ': b\n')),
  bad('S17', 'a blank before the first name', `GET / HTTP/1.1\n X-A: b\n${HOST}\n`),
  bad('S17', 'a blank in a name', get('/', 'X A: b\n')),
  bad('S17', 'a name that is not ASCII', get('/', 'X-\xe4: b\n')),
  bad('S18', 'a second request after an error', get('/', 'X A: b\n') + get('/two')),
  good('S19', 'Expect: 100-continue', post('Expect: 100-continue\nContent-Length: 2\n', 'hi'), {
    sees: /expect: 100-continue/,
  }),
  bad('S20', 'an unknown expectation', get('/', 'Expect: foo\n'), 417),
  bad(
    'S22',
    'an upgrade with a body',
    post('Connection: upgrade\nUpgrade: websocket\nContent-Length: 2\n', 'hi'),
  ),
  good(
    'S23',
    'Upgrade: h2c',
    get('/', 'Connection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAA\n'),
    {
      never: /upgrade|http2-settings/i,
    },
  ),
  bad('S27', 'no Host', 'GET / HTTP/1.1\n\n'),
  bad('S27', 'two Hosts', get('/', HOST)),
  ...['a,b', 'u@a.example', 'a/b', '', 'a:b', 'a:123456', 'a b'].map((host) =>
    bad('S28', `Host: ${host}`, `GET / HTTP/1.1\nHost: ${host}\n\n`),
  ),
  good(
    'S29',
    'an absolute target with another host',
    `GET http://b.example/x HTTP/1.1\n${HOST}\n`,
    {
      sees: /^GET \/x HTTP\/1.1\r\nhost: b.example\r\n/,
      never: /a\.example/,
    },
  ),
  bad('S30', 'CONNECT', 'CONNECT a.example:443 HTTP/1.1\nHost: a.example:443\n\n', 405),
  bad('S30', 'TRACE', `TRACE / HTTP/1.1\n${HOST}\n`, 405),
  bad('S30', 'GET of the server', `GET * HTTP/1.1\n${HOST}\n`),
  bad(
    'S9',
    'a body in HTTP/1.0 where there is none',
    `GET / HTTP/1.0\n${HOST}Content-Length: 5\n\nhello`,
  ),
  bad('S31', 'HTTP/0.9', 'GET /\n\n'),
  bad('S31', 'HTTP/2.0 in the request line', `GET / HTTP/2.0\n${HOST}\n`, 505),
  bad('S31', 'HTTP/1.2', `GET / HTTP/1.2\n${HOST}\n`, 505),
  bad('S32', 'a tab between the parts', `GET\t/\tHTTP/1.1\n${HOST}\n`),
  bad('S32', 'two blanks', `GET  / HTTP/1.1\n${HOST}\n`),
  bad('S32', 'a blank in the target', `GET /a b HTTP/1.1\n${HOST}\n`),
  bad('S33', 'a fragment', get('/a#b')),
  bad('S34', 'a raw byte in the target', get('/\xe4')),
  bad('S34', 'a control character in the target', get('/\x01')),
  bad('S35', 'a target over 8 KiB', get(`/${'a'.repeat(8192)}`), 414),
  bad('S35', 'a head over 32 KiB', get('/', `X-A: ${'a'.repeat(33_000)}\n`), 431),
  bad('S35', 'more than 100 fields', get('/', 'X-A: b\n'.repeat(100)), 431),
  bad('S35', 'a method of 25 letters', `${'A'.repeat(25)} / HTTP/1.1\n${HOST}\n`),
  good('S36', 'dots', get('/api/../admin'), { sees: /^GET \/admin / }),
  good('S36', 'escaped dots', get('/api/%2e%2E/admin'), { sees: /^GET \/admin / }),
  ...['/a%2fb', '/a%5Cb', '/a\\b', '/a%00b', '/..;x/b', '/%zz', '/..'].map((target): Row => ({
    id: 'S37-40',
    what: target,
    text: get(target),
    answers: [400],
  })),
  good('S39', 'two slashes', get('//admin'), { sees: /^GET \/admin / }),
  good('S40', 'an escape of an escape', get('/%252e%252e/b'), { sees: /^GET \/%252e%252e\/b / }),
  {
    id: 'S41',
    what: 'a host in capitals, with a dot and a port',
    text: 'GET / HTTP/1.1\nHost: OTHER.Example.:80\n\n',
    answers: [404],
  },
  good('S44', 'a path that looks like a host', get('//evil.example/redirect'), {
    sees: /^GET \/evil.example\/redirect /,
  }),
  good(
    'S45',
    'proxy fields nominated by Connection',
    get('/', 'Connection: X-Forwarded-For, X-User\nX-User: me\n'),
    {
      sees: /x-forwarded-for: 127\.0\.0\.1/i,
      never: /x-user/i,
    },
  ),
  bad('S45', 'a Connection that is no list', get('/', 'Connection: close X-User\n')),
  bad('S45', 'a Connection in quotes', get('/', 'Connection: "close"\n')),
  good(
    'S45',
    'a list with nothing between commas',
    get('/', 'Connection: , keep-alive,,x-user ,\n'),
  ),
  good('S46', 'the proxy that CGI is to use', get('/', 'Proxy: http://evil.example\n'), {
    never: /evil/,
  }),
  good(
    'S46',
    'fields that say who asks',
    get(
      '/',
      'X-Forwarded-For: 6.6.6.6\nForwarded: for=6.6.6.6\nX-Real-IP: 6.6.6.6\nX-Forwarded-Proto: https\n',
    ),
    {
      sees: /x-forwarded-for: 127\.0\.0\.1\r\n/,
      never: /6\.6\.6\.6|https/,
    },
  ),
  good(
    'S47',
    'the same with underscores',
    get('/', 'X_Forwarded_For: 6.6.6.6\nContent_Length: 9\n'),
    { never: /6\.6\.6\.6|content_length/i },
  ),
];

/** What backends do that they must not, and what the client gets to see. */
const ANSWERS: readonly {
  readonly id: string;
  readonly what: string;
  readonly method?: string;
  readonly raw: string;
  readonly status: number;
  readonly sees?: RegExp;
  readonly never?: RegExp;
}[] = [
  {
    id: 'S25',
    what: 'a 204 with a body',
    raw: 'HTTP/1.1 204 No Content\r\n\r\npoison',
    status: 204,
    never: /poison/,
  },
  {
    id: 'S25',
    what: 'a 304 with a body',
    raw: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\npoison',
    status: 304,
    never: /poison/,
  },
  {
    id: 'S25',
    what: 'a body for HEAD',
    method: 'HEAD',
    raw: 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison',
    status: 200,
    never: /poison/,
  },
  {
    id: 'S25',
    what: 'two responses',
    raw: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison',
    status: 200,
    never: /poison/,
  },
  {
    id: 'S26',
    what: 'Content-Length and Transfer-Encoding',
    raw: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    status: 502,
  },
  {
    id: 'S26',
    what: 'two lengths',
    raw: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok',
    status: 502,
  },
  {
    id: 'S26',
    what: 'a folded field',
    raw: 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok',
    status: 502,
  },
  {
    id: 'S26',
    what: 'a bare line feed',
    raw: 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok',
    status: 502,
  },
  {
    id: 'S26',
    what: 'NUL in a value',
    raw: 'HTTP/1.1 200 OK\r\nX: \0\r\nContent-Length: 2\r\n\r\nok',
    status: 502,
  },
  {
    id: 'S24',
    what: 'a 101 that nobody asked for',
    raw: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nraw',
    status: 502,
    never: /raw/,
  },
  {
    id: 'S49',
    what: 'fields of its own connection',
    raw: 'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=9\r\nProxy-Connection: x\r\nConnection: X-Own\r\nX-Own: me\r\nContent-Length: 2\r\n\r\nok',
    status: 200,
    never: /keep-alive: timeout|proxy-connection|x-own/i,
  },
  {
    id: 'S49',
    what: 'an interim response',
    raw: 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    status: 200,
    sees: /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a>\r\n\r\nHTTP\/1\.1 200/,
  },
];

function crlf(text: string): string {
  return text.replace(/(?<!\r)\n/g, '\r\n');
}

/** Answers each complete request with 200 and keeps its bytes. */
class Recording {
  readonly seen: string[] = [];
  /** Said in place of the usual answer. */
  answer = '';
  readonly server: Server;
  readonly #open = new Set<Socket>();

  constructor() {
    this.server = createTcp((socket) => {
      this.#open.add(socket);
      let text = '';
      socket.on('error', () => undefined);
      socket.on('data', (bytes: Buffer) => {
        text += bytes.toString('latin1');
        const end = messageEnd(text);
        if (end === -1) return;
        this.seen.push(text.slice(0, end));
        text = text.slice(end);
        socket.write(this.answer || 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 'latin1');
      });
    });
  }

  close(): void {
    for (const socket of this.#open) socket.destroy();
    this.server.close();
  }
}

/** Where a message as we write it ends; -1 when it is not complete. */
function messageEnd(text: string): number {
  const head = text.indexOf('\r\n\r\n') + 4;
  if (head === 3) return -1;
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(text.slice(0, head));
  if (length !== null)
    return text.length >= head + Number(length[1]) ? head + Number(length[1]) : -1;
  if (!/\r\ntransfer-encoding: chunked\r\n/i.test(text.slice(0, head))) return head;
  const last = /(?:^|\r\n)0\r\n(?:[^\r\n]+\r\n)*\r\n/.exec(text.slice(head));
  return last === null ? -1 : head + last.index + last[0].length;
}

describe('what attackers send', () => {
  const backend = new Recording();
  let proxy: Proxy;

  before(async () => {
    proxy = newProxy({ limits: LIMITS });
    const rules = [
      { path: '/', backend: 'b', hostname: 'a.example' },
      { path: '/', backend: 'b', hostname: 'b.example' },
    ];
    const ports = [{ port: PORT, protocol: 'http' as const, rules }];
    await serve(
      proxy,
      modelOf(ADDRESS, ports, [backendOf('b', 'http', [await listenAny(backend.server)])]),
    );
  });

  after(async () => {
    await proxy.stop(100);
    backend.close();
  });

  beforeEach(() => {
    backend.seen.length = 0;
    backend.answer = '';
  });

  for (const row of ROWS) {
    it(`${row.id}: ${row.what}`, () =>
      patiently(async (quietMs) => {
        backend.seen.length = 0;
        const heard = await say(PLACE, row.raw ?? crlf(row.text ?? ''), { quietMs });
        assert.deepEqual(heard.statuses, row.answers, heard.text);
        if (row.closes === true) assert.notEqual(heard.end, 'open');
        const forwarded = row.forwarded ?? row.answers.filter((status) => status === 200).length;
        assert.equal(backend.seen.length, forwarded, backend.seen.join('\n'));
        for (const seen of backend.seen.slice(0, 1)) {
          if (row.sees !== undefined) assert.match(seen, row.sees);
          if (row.never !== undefined) assert.doesNotMatch(seen, row.never);
        }
      }));
  }

  for (const { id, what, method = 'GET', raw, status, sees, never } of ANSWERS) {
    it(`${id}: a backend that answers with ${what}`, () =>
      patiently(async (quietMs) => {
        backend.answer = raw;
        const request = `${method} / HTTP/1.1\r\nHost: a.example\r\n\r\n`;
        const heard = await say(PLACE, request, { quietMs });
        assert.equal(heard.status, status, heard.text);
        if (sees !== undefined) assert.match(heard.text, sees);
        if (never !== undefined) assert.doesNotMatch(heard.text, never);
        // What came too much is nobody's answer: the next request gets its own.
        backend.answer = '';
        const next = await say(PLACE, request.replace(method, 'GET'), { quietMs });
        assert.match(next.text, /\r\n\r\nok$/);
      }));
  }

  it('S12: a body that turns out bad resets the request it was forwarded as', () =>
    patiently(async (quietMs) => {
      backend.seen.length = 0;
      const head =
        'POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n';
      const heard = await say(PLACE, [head, 'zz\r\n'], { gapMs: 30, quietMs });
      assert.equal(heard.status, 400);
      assert.equal(backend.seen.length, 0, 'it never became a whole request');
    }));

  it('S21: bytes after an upgrade wait for the answer, and are a request when there is no tunnel', () =>
    patiently(async (quietMs) => {
      backend.seen.length = 0;
      const upgrade = get('/', 'Connection: upgrade\nUpgrade: websocket\nSec-WebSocket-Key: k\n');
      const heard = await say(PLACE, crlf(upgrade + get('/two')), { quietMs });
      assert.deepEqual(heard.statuses, [200, 200]);
      assert.deepEqual(
        backend.seen.map((text) => text.split(' ')[1]),
        ['/', '/two'],
      );
    }));

  it('S60: heads and bodies that come too slowly are given up, and others are served meanwhile', async () => {
    const slow = Array.from({ length: 50 }, (_, i) =>
      say(
        PLACE,
        i % 2 === 0 ? ['GET / HTTP/1.1\r\nHo', 'st'] : [crlf(post('Content-Length: 10\n', 'abc'))],
        { quietMs: 4000 },
      ),
    );
    for (let i = 0; i < 20; i++) {
      assert.equal(
        (await say(PLACE, crlf(get('/', 'Connection: close\n')), { quietMs: 2000 })).status,
        200,
      );
    }
    for (const heard of await Promise.all(slow)) {
      assert.equal(heard.status, 408);
      assert.equal(heard.end, 'closed');
    }
    const [counters] = proxy.counters();
    assert.equal(counters?.requestTimeouts, 50);
    assert.equal(counters.requestsOpen, 0);
    await until(() => proxy.counters()[0]!.connectionsOpen === 0, 'all connections to end');
  });

  it('S48: escaped line breaks in a path stay escaped', () =>
    patiently(async (quietMs) => {
      backend.seen.length = 0;
      const heard = await say(PLACE, crlf(get('/a%0d%0aX-Evil:%20b')), { quietMs });
      assert.equal(heard.status, 200);
      assert.match(backend.seen[0]!, /^GET \/a%0d%0aX-Evil:%20b HTTP\/1.1\r\n/i);
    }));
});
