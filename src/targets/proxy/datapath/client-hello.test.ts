// What a client's first bytes say, however they are cut, and what is refused. The oracle for valid ones
// is OpenSSL, through node:tls.

import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import { connect } from 'node:tls';
import fc from 'fast-check';
import { HELLO_BYTES_MAX, parseClientHello } from './client-hello.ts';

/** The first flight of a real client. */
function realHello(servername: string): Promise<Buffer> {
  return new Promise((resolve) => {
    const transport = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        resolve(chunk);
        done();
      },
    });
    const socket = connect({
      socket: transport,
      ...(servername === '' ? {} : { servername }),
      ALPNProtocols: ['h2', 'http/1.1'],
    });
    socket.on('error', () => undefined);
  });
}

/** The same message in records of `size` bytes. */
function refragment(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const fragment = message.subarray(at, at + size);
    const header = Buffer.from([22, 3, 1, fragment.length >> 8, fragment.length & 0xff]);
    records.push(header, fragment);
  }
  return Buffer.concat(records);
}

function vector(size: 1 | 2, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length = Buffer.alloc(size);
  length.writeUIntBE(body.length, 0, size);
  return Buffer.concat([length, body]);
}

function extension(type: number, data: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type >> 8, type & 0xff]), vector(2, data)]);
}

function hostName(name: string, type = 0): Buffer {
  return Buffer.concat([Buffer.from([type]), vector(2, Buffer.from(name, 'latin1'))]);
}

interface Parts {
  readonly sessionId?: Buffer;
  readonly ciphers?: Buffer;
  readonly compressions?: Buffer;
  readonly extensions?: readonly Buffer[];
  readonly after?: Buffer;
}

function hello(parts: Parts): Buffer {
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    vector(1, parts.sessionId ?? Buffer.alloc(0)),
    vector(2, parts.ciphers ?? Buffer.from([0x13, 0x01])),
    vector(1, parts.compressions ?? Buffer.from([0])),
    ...(parts.extensions === undefined ? [] : [vector(2, ...parts.extensions)]),
    parts.after ?? Buffer.alloc(0),
  ]);
  const message = Buffer.concat([Buffer.from([1, 0, body.length >> 8, body.length & 0xff]), body]);
  return Buffer.concat([Buffer.from([22, 3, 1]), vector(2, message)]);
}

const named = (name: string): Buffer => extension(0, vector(2, hostName(name)));

describe('a ClientHello', () => {
  it('of a real client names its server', async () => {
    const bytes = await realHello('shop.example');
    assert.deepEqual(parseClientHello(bytes), { kind: 'hello', serverName: 'shop.example' });
  });

  it('of a real client that names none', async () => {
    assert.deepEqual(parseClientHello(await realHello('')), { kind: 'hello', serverName: '' });
  });

  it('is the same however its records are cut', async () => {
    const bytes = await realHello('shop.example');
    for (const size of [64, 100, 256, 511]) {
      assert.deepEqual(parseClientHello(refragment(bytes, size)), {
        kind: 'hello',
        serverName: 'shop.example',
      });
    }
  });

  it('is partial until its last byte, and never anything else', async () => {
    const bytes = refragment(await realHello('shop.example'), 100);
    for (let length = 0; length < bytes.length; length++) {
      assert.equal(parseClientHello(bytes.subarray(0, length)).kind, 'partial', String(length));
    }
  });

  it('needs no extensions', () => {
    assert.deepEqual(parseClientHello(hello({})), { kind: 'hello', serverName: '' });
  });

  const refused: readonly (readonly [string, Buffer])[] = [
    ['plain HTTP', Buffer.from('GET / HTTP/1.1\r\n')],
    ['an alert', Buffer.from([21, 3, 1, 0, 2, 2, 40])],
    ['SSL 2', Buffer.from([0x80, 0x2e, 1, 0, 2])],
    ['an empty record', Buffer.from([22, 3, 1, 0, 0])],
    ['a record past the limit of TLS', Buffer.from([22, 3, 1, 0x40, 1])],
    ['a ServerHello', Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])],
    ['a message past the limit', Buffer.from([22, 3, 1, 0, 4, 1, 1, 0, 0])],
    [
      'two server names',
      hello({ extensions: [extension(0, vector(2, hostName('a'), hostName('b')))] }),
    ],
    ['the extension twice', hello({ extensions: [named('a.example'), named('b.example')] })],
    [
      'another extension twice',
      hello({ extensions: [extension(9, Buffer.alloc(0)), extension(9, Buffer.alloc(0))] }),
    ],
    ['an empty list of names', hello({ extensions: [extension(0, vector(2))] })],
    ['an empty name', hello({ extensions: [named('')] })],
    ['a name of another type', hello({ extensions: [extension(0, vector(2, hostName('a', 1)))] })],
    ['a NUL in the name', hello({ extensions: [named('a.example\0.b')] })],
    ['a blank in the name', hello({ extensions: [named('a example')] })],
    ['a name of 256 bytes', hello({ extensions: [named('a'.repeat(256))] })],
    [
      'bytes after the list of names',
      hello({
        extensions: [extension(0, Buffer.concat([vector(2, hostName('a')), Buffer.from([0])]))],
      }),
    ],
    ['bytes after the extensions', hello({ extensions: [named('a')], after: Buffer.from([0]) })],
    ['a session id of 33 bytes', hello({ sessionId: Buffer.alloc(33) })],
    ['no cipher suites', hello({ ciphers: Buffer.alloc(0) })],
    ['half a cipher suite', hello({ ciphers: Buffer.alloc(3) })],
    ['no compression', hello({ compressions: Buffer.alloc(0) })],
    ['something after it', Buffer.concat([hello({}), Buffer.from([20, 3, 3, 0, 1, 1])])],
  ];
  for (const [what, bytes] of refused) {
    it(`is not: ${what}`, () => {
      const { kind } = parseClientHello(bytes);
      // What follows the record is not read: it is the second message that is out of place.
      assert.equal(kind, what === 'something after it' ? 'hello' : 'bad');
    });
  }

  it('may not be cut into more than 32 records', async () => {
    const bytes = refragment(await realHello('shop.example'), 4);
    assert.equal(parseClientHello(bytes).kind, 'bad');
  });

  it('may not trickle in for ever', () => {
    const record = Buffer.concat([Buffer.from([22, 3, 1, 0x40, 0]), Buffer.alloc(HELLO_BYTES_MAX)]);
    record.set([1, 0, 0x3f, 0xff], 5);
    assert.equal(parseClientHello(record).kind, 'bad');
  });

  it('never throws, and is read alike in one record and in many', async () => {
    const base = await realHello('shop.example');
    fc.assert(
      fc.property(
        fc.nat(base.length - 6),
        fc.integer({ min: 0, max: 255 }),
        fc.integer({ min: 64, max: 400 }),
        (at, value, size) => {
          const bytes = Buffer.from(base);
          bytes[5 + at] = value;
          const whole = parseClientHello(bytes);
          const cut = parseClientHello(refragment(bytes, size));
          if (whole.kind === 'hello') assert.deepEqual(cut, whole);
          else assert.notEqual(cut.kind, 'hello');
        },
      ),
      { numRuns: 500 },
    );
  });
});
