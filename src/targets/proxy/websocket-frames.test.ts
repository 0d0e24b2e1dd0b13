// WebSocket frames through the data path: it hands bytes on and reads none, so what the Autobahn suite asks
// of a server must come out as it does without us. Its kinds of cases, asked both ways: sizes around each
// form of length (1.1, 1.2), pings and pongs (2), reserved bits (3) and opcodes (4), fragments (5), broken
// UTF-8 (6), close codes (7), large messages in small writes (9), compression (12).

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';
import type { Proxy } from './proxy.ts';
import { patiently } from './testing/raw.ts';
import { backendOf, listenAny, modelOf, newProxy, serve } from './testing/rig.ts';

const ADDRESS = '127.80.210.1';
const PORT = 18101;

/** A frame as a client sends it, masked with zeros so that its payload stays readable. */
function frame(first: number, payload: Buffer | string, { masked = true } = {}): Buffer {
  const body = Buffer.from(payload);
  const mask = masked ? 0x80 : 0;
  const { length } = body;
  const head =
    length < 126
      ? Buffer.from([first, mask | length])
      : length < 65_536
        ? Buffer.from([first, mask | 126, length >> 8, length & 255])
        : Buffer.from([
            first,
            mask | 127,
            0,
            0,
            0,
            0,
            (length >>> 24) & 255,
            (length >> 16) & 255,
            (length >> 8) & 255,
            length & 255,
          ]);
  return Buffer.concat([head, masked ? Buffer.alloc(4) : Buffer.alloc(0), body]);
}

const SIZES = [0, 1, 125, 126, 127, 128, 65_535, 65_536, 65_537];

const CASES: readonly (readonly [what: string, frames: readonly Buffer[]])[] = [
  ...SIZES.map((size) => [`text of ${size} bytes`, [frame(0x81, 'a'.repeat(size))]] as const),
  ...SIZES.map((size) => [`${size} bytes`, [frame(0x82, Buffer.alloc(size, 0xfe))]] as const),
  ['a ping', [frame(0x89, 'ping')]],
  ['a ping of 125 bytes', [frame(0x89, Buffer.alloc(125, 1))]],
  ['a ping of 126 bytes', [frame(0x89, Buffer.alloc(126, 1))]],
  ['a pong nobody asked for', [frame(0x8a, 'pong'), frame(0x89, '')]],
  ['ten pings at once', Array.from({ length: 10 }, (_, i) => frame(0x89, String(i)))],
  ...[1, 2, 4].map((bit) => [`reserved bit ${bit}`, [frame(0x81 | (bit << 4), 'x')]] as const),
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map(
    (code) => [`opcode ${code}`, [frame(0x80 | code, 'x')]] as const,
  ),
  ['two fragments', [frame(0x01, 'fragment1'), frame(0x80, 'fragment2')]],
  ['a ping between fragments', [frame(0x01, 'a'), frame(0x89, 'p'), frame(0x80, 'b')]],
  ['a ping in fragments', [frame(0x09, 'a'), frame(0x80, 'b')]],
  ['a continuation of nothing', [frame(0x80, 'x')]],
  ['a second message within fragments', [frame(0x01, 'a'), frame(0x81, 'b')]],
  ['valid UTF-8', [frame(0x81, 'κόσμε 𝄞')]],
  ['broken UTF-8', [frame(0x81, Buffer.from([0xce, 0xba, 0xed, 0xa0, 0x80]))]],
  [
    'UTF-8 cut between fragments',
    [frame(0x01, Buffer.from([0xf0, 0x9d])), frame(0x80, Buffer.from([0x84, 0x9e]))],
  ],
  ...[
    1000, 1001, 1002, 1003, 1007, 1011, 3000, 4999, 0, 999, 1004, 1005, 1006, 1016, 2999, 5000,
  ].map((code) => {
    const payload = Buffer.from([code >> 8, code & 255]);
    return [`close with ${code}`, [frame(0x88, payload)]] as const;
  }),
  ['close without a code', [frame(0x88, '')]],
  ['close with half a code', [frame(0x88, 'x')]],
  ['close, then a message', [frame(0x88, Buffer.from([3, 232])), frame(0x81, 'late')]],
  ['an unmasked frame', [frame(0x81, 'x', { masked: false })]],
  ['a megabyte', [frame(0x82, Buffer.alloc(2 ** 20, 7))]],
];

/** A megabyte in an error helps nobody. */
function cut(texts: readonly string[]): string {
  return texts.map((text) => `${text.length}: ${text.slice(0, 200)}`).join('\n');
}

describe('WebSocket frames', () => {
  let http: Server;
  let echo: WebSocketServer;
  let direct = 0;
  let proxy: Proxy;

  before(async () => {
    http = createServer();
    echo = new WebSocketServer({ server: http, perMessageDeflate: true });
    echo.on('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.on('message', (data: Buffer, isBinary) => socket.send(data, { binary: isBinary }));
    });
    direct = await listenAny(http);
    proxy = newProxy();
    const rules = [{ path: '/', backend: 'b' }];
    const backends = [backendOf('b', 'http', [direct])];
    await serve(proxy, modelOf(ADDRESS, [{ port: PORT, protocol: 'http', rules }], backends));
  });

  after(async () => {
    await proxy.stop(100);
    for (const client of echo.clients) client.terminate();
    echo.close();
    http.close();
  });

  /** Says frames in pieces; gives everything that came after the handshake, and whether it was closed. */
  function ask(
    host: string,
    port: number,
    frames: readonly Buffer[],
    { pieceBytes, quietMs }: { readonly pieceBytes: number; readonly quietMs: number },
  ): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port });
      const heard: Buffer[] = [];
      let quiet: NodeJS.Timeout | undefined;
      let end = 'open';
      const done = (): void => {
        clearTimeout(quiet);
        socket.destroy();
        const all = Buffer.concat(heard);
        resolve(`${end} ${all.subarray(all.indexOf('\r\n\r\n') + 4).toString('hex')}`);
      };
      const wait = (): void => {
        clearTimeout(quiet);
        quiet = setTimeout(done, quietMs);
      };
      socket.on('error', reject);
      socket.on('data', (bytes: Buffer) => {
        heard.push(bytes);
        wait();
      });
      socket.on('end', () => {
        end = 'closed';
        done();
      });
      socket.write(
        'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      );
      const all = Buffer.concat(frames);
      for (let at = 0; at < all.length; at += pieceBytes)
        socket.write(all.subarray(at, at + pieceBytes));
      wait();
    });
  }

  for (const [what, frames] of CASES) {
    it(`${what}: as without us`, () =>
      patiently(async (quietMs) => {
        const [alone, whole, pieces] = await Promise.all([
          ask('127.0.0.1', direct, frames, { pieceBytes: 1 << 20, quietMs }),
          ask(ADDRESS, PORT, frames, { pieceBytes: 1 << 20, quietMs }),
          ask(ADDRESS, PORT, frames, { pieceBytes: 997, quietMs }),
        ]);
        assert.ok(whole === alone && pieces === alone, cut([alone, whole, pieces]));
      }));
  }

  it('compressed messages come back as they went', async () => {
    const client = new WebSocket(`ws://${ADDRESS}:${PORT}/`, { perMessageDeflate: true });
    await once(client, 'open');
    assert.match(client.extensions, /permessage-deflate/);
    for (const size of [10, 5000, 500_000]) {
      const text = 'compress me '.repeat(size / 10);
      client.send(text);
      const [data] = (await once(client, 'message')) as [Buffer];
      assert.equal(data.toString(), text);
    }
    client.close(1000, 'done');
    const [code, reason] = (await once(client, 'close')) as [number, Buffer];
    assert.deepEqual([code, reason.toString()], [1000, 'done']);
  });
});
