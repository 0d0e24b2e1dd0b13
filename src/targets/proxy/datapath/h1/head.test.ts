import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_LIMITS } from '../limits.ts';
import { lastFraming, parseRequestHead, parseResponseHead } from './head.ts';

function request(text: string): ReturnType<typeof parseRequestHead> {
  return parseRequestHead(text.replaceAll('\n', '\r\n'), 'http', DEFAULT_LIMITS);
}

function status(text: string): number {
  const head = request(text);
  return 'reason' in head ? head.status : 200;
}

describe('a request head', () => {
  it('is taken apart into what decides and what is passed on', () => {
    const head = request(
      'POST /a?b=c HTTP/1.1\nHost: shop.example:8080\nX-One: 1\nContent-Length: 5\nConnection: keep-alive\nX-Two:  two \t\n\n',
    );
    assert.deepEqual(head, {
      method: 'POST',
      target: '/a?b=c',
      authority: 'shop.example:8080',
      scheme: 'http',
      fields: ['X-One', '1', 'X-Two', 'two'],
      contentLength: 5,
      protocol: '',
      expectContinue: false,
    });
    assert.equal(lastFraming().close, false);
  });

  it('loses fields that belong to the connection, and those that Connection names', () => {
    const head = request(
      'GET / HTTP/1.1\nHost: a\nConnection: close, X-Secret\nX-Secret: 1\nTE: trailers\nKeep-Alive: 5\nProxy-Connection: x\nTrailer: y\nX-Kept: 1\n\n',
    );
    assert.ok('fields' in head);
    assert.deepEqual(head.fields, ['X-Kept', '1']);
    assert.equal(lastFraming().close, true);
  });

  it('keeps names with underscores, but for those some backends read as names of ours', () => {
    const head = request(
      'GET / HTTP/1.1\nHost: a\nX_User: me\nX_Forwarded_For: 1.2.3.4\nContent_Length: 5\n\n',
    );
    assert.ok('fields' in head);
    assert.deepEqual(head.fields, ['X_User', 'me']);
  });

  it('asks to upgrade only when Connection says so, and never to h2c', () => {
    const rows: readonly [string, string][] = [
      ['Connection: Upgrade\nUpgrade: websocket', 'websocket'],
      ['Connection: keep-alive, upgrade\nUpgrade: websocket', 'websocket'],
      ['Upgrade: websocket', ''],
      ['Connection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AA', ''],
    ];
    for (const [fields, protocol] of rows) {
      const head = request(`GET / HTTP/1.1\nHost: a\n${fields}\n\n`);
      assert.ok('protocol' in head, fields);
      assert.equal(head.protocol, protocol, fields);
      assert.deepEqual(head.fields, []);
    }
  });

  it('takes the host of an absolute target, whatever Host says', () => {
    const head = request('GET http://real.example/x?y HTTP/1.1\nHost: other\n\n');
    assert.ok('target' in head);
    assert.equal(head.authority, 'real.example');
    assert.equal(head.target, '/x?y');
    const bare = request('GET http://real.example HTTP/1.1\nHost: other\n\n');
    assert.ok('target' in bare);
    assert.equal(bare.target, '/');
  });

  const rows: readonly [string, string, number][] = [
    ['a plain one', 'GET / HTTP/1.1\nHost: a\n\n', 200],
    ['HTTP/1.0 without Host', 'GET / HTTP/1.0\n\n', 200],
    ['OPTIONS *', 'OPTIONS * HTTP/1.1\nHost: a\n\n', 200],
    ['an IPv6 host', 'GET / HTTP/1.1\nHost: [::1]:80\n\n', 200],
    ['chunked', 'POST / HTTP/1.1\nHost: a\nTransfer-Encoding: Chunked\n\n', 200],
    [
      'both lengths',
      'POST / HTTP/1.1\nHost: a\nContent-Length: 1\nTransfer-Encoding: chunked\n\n',
      400,
    ],
    [
      'both lengths, reversed',
      'POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nContent-Length: 1\n\n',
      400,
    ],
    ['two codings', 'POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked, identity\n\n', 501],
    ['an unknown coding', 'POST / HTTP/1.1\nHost: a\nTransfer-Encoding: xchunked\n\n', 501],
    [
      'chunked twice',
      'POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked\n\n',
      400,
    ],
    ['chunked in HTTP/1.0', 'POST / HTTP/1.0\nHost: a\nTransfer-Encoding: chunked\n\n', 400],
    ['a blank before the colon', 'POST / HTTP/1.1\nHost: a\nTransfer-Encoding : chunked\n\n', 400],
    ['a folded line', 'GET / HTTP/1.1\nHost: a\nX: 1\n 2\n\n', 400],
    [
      'two equal lengths',
      'POST / HTTP/1.1\nHost: a\nContent-Length: 5\nContent-Length: 5\n\n',
      400,
    ],
    ['a list of lengths', 'POST / HTTP/1.1\nHost: a\nContent-Length: 5, 5\n\n', 400],
    ['a signed length', 'POST / HTTP/1.1\nHost: a\nContent-Length: +5\n\n', 400],
    ['a negative length', 'POST / HTTP/1.1\nHost: a\nContent-Length: -1\n\n', 400],
    ['a hexadecimal length', 'POST / HTTP/1.1\nHost: a\nContent-Length: 0x5\n\n', 400],
    ['an empty length', 'POST / HTTP/1.1\nHost: a\nContent-Length:\n\n', 400],
    ['a huge length', 'POST / HTTP/1.1\nHost: a\nContent-Length: 99999999999999999999\n\n', 400],
    ['no Host', 'GET / HTTP/1.1\n\n', 400],
    ['two Hosts', 'GET / HTTP/1.1\nHost: a\nHost: a\n\n', 400],
    ['an empty Host', 'GET / HTTP/1.1\nHost:\n\n', 400],
    ['a list of hosts', 'GET / HTTP/1.1\nHost: a,b\n\n', 400],
    ['a user in Host', 'GET / HTTP/1.1\nHost: a@b\n\n', 400],
    ['a path in Host', 'GET / HTTP/1.1\nHost: a/b\n\n', 400],
    ['a bad port in Host', 'GET / HTTP/1.1\nHost: a:b\n\n', 400],
    ['CONNECT', 'CONNECT a:443 HTTP/1.1\nHost: a:443\n\n', 405],
    ['TRACE', 'TRACE / HTTP/1.1\nHost: a\n\n', 405],
    ['HTTP/1.2', 'GET / HTTP/1.2\nHost: a\n\n', 505],
    ['HTTP/2.0', 'GET / HTTP/2.0\nHost: a\n\n', 505],
    ['HTTP/0.9', 'GET /\n\n', 400],
    ['a lower-case version', 'GET / http/1.1\nHost: a\n\n', 400],
    ['two blanks', 'GET  / HTTP/1.1\nHost: a\n\n', 400],
    ['a tab', 'GET\t/ HTTP/1.1\nHost: a\n\n', 400],
    ['a blank in the target', 'GET /a b HTTP/1.1\nHost: a\n\n', 400],
    ['a fragment', 'GET /a#b HTTP/1.1\nHost: a\n\n', 400],
    ['a backslash', 'GET /a\\b HTTP/1.1\nHost: a\n\n', 400],
    ['a target that is no path', 'GET a HTTP/1.1\nHost: a\n\n', 400],
    ['a field without a colon', 'GET / HTTP/1.1\nHost: a\nX\n\n', 400],
    ['a field without a name', 'GET / HTTP/1.1\nHost: a\n: x\n\n', 400],
    ['NUL in a value', 'GET / HTTP/1.1\nHost: a\nX: a\0b\n\n', 400],
    ['a bare carriage return', 'GET / HTTP/1.1\nHost: a\nX: a\rb\n\n', 400],
    ['a non-ASCII name', 'GET / HTTP/1.1\nHost: a\nX\u00e9: a\n\n', 400],
    ['an unknown expectation', 'POST / HTTP/1.1\nHost: a\nContent-Length: 1\nExpect: tea\n\n', 417],
    [
      'a body with an upgrade',
      'GET / HTTP/1.1\nHost: a\nConnection: upgrade\nUpgrade: websocket\nContent-Length: 1\n\n',
      400,
    ],
    ['a long target', `GET /${'a'.repeat(9000)} HTTP/1.1\nHost: a\n\n`, 414],
    ['a long method', `${'A'.repeat(30)} / HTTP/1.1\nHost: a\n\n`, 400],
    ['too many fields', `GET / HTTP/1.1\nHost: a\n${'X: 1\n'.repeat(101)}\n`, 431],
  ];
  for (const [name, text, expected] of rows) {
    it(`with ${name} gives ${expected}`, () => assert.equal(status(text), expected));
  }
});

describe('a response head', () => {
  function response(text: string): ReturnType<typeof parseResponseHead> {
    return parseResponseHead(text.replaceAll('\n', '\r\n'), DEFAULT_LIMITS);
  }

  it('tells its length and its fields', () => {
    assert.deepEqual(
      response('HTTP/1.1 200 OK\nContent-Length: 3\nX: y\nKeep-Alive: timeout=5\n\n'),
      {
        status: 200,
        fields: ['X', 'y'],
        contentLength: 3,
      },
    );
    assert.equal(lastFraming().keepAliveSeconds, 5);
  });

  it('may lack a reason', () => {
    assert.deepEqual(response('HTTP/1.1 204\n\n'), { status: 204, fields: [], contentLength: -1 });
    assert.deepEqual(response('HTTP/1.1 204 \n\n'), { status: 204, fields: [], contentLength: -1 });
  });

  for (const [name, text] of [
    ['both lengths', 'HTTP/1.1 200 OK\nContent-Length: 1\nTransfer-Encoding: chunked\n\n'],
    ['a bad status', 'HTTP/1.1 20 OK\n\n'],
    ['another version', 'HTTP/2 200 OK\n\n'],
    ['another protocol', 'SSH-2.0-OpenSSH\n\n'],
  ] as const) {
    it(`with ${name} is refused`, () => {
      const head = response(text);
      assert.ok('reason' in head);
      assert.equal(head.status, 502);
    });
  }
});
