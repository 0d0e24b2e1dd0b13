// The WebSocket echo frame by frame, over a real socket.

import assert from 'node:assert/strict';
import net from 'node:net';
import { test, type TestContext } from 'node:test';
import { request, startPod } from './testing/pods.ts';

const ADDRESS = '127.244.250.13';
const HANDSHAKE = [
  'Upgrade: websocket',
  'Origin: http://origin.example',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

interface Frame {
  readonly first: number;
  readonly payload: Buffer;
}

/** A client that sends frames as told and collects what comes back. */
class Client {
  readonly head: Promise<string>;
  readonly ended: Promise<void>;
  readonly #socket: net.Socket;
  #received = Buffer.alloc(0);
  #wake: () => void = () => {};
  #isClosed = false;

  constructor(headers: readonly string[]) {
    this.#socket = net.connect(3000, ADDRESS);
    this.#socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    this.ended = new Promise((resolve) =>
      this.#socket.on('error', () => {}).on('close', () => resolve()),
    );
    void this.ended.then(() => {
      this.#isClosed = true;
      this.#wake();
    });
    this.#socket.write(
      ['GET /ws HTTP/1.1', 'Host: h', 'Connection: Upgrade', ...headers, '', ''].join('\r\n'),
    );
    this.head = this.#take(
      (bytes) => bytes.indexOf('\r\n\r\n') + 4,
      (end) => end > 3,
    ).then(String);
  }

  /** Sends one frame with a mask that changes every byte. */
  send(first: number, payload: Buffer, mask = Buffer.from([1, 2, 3, 4])): void {
    const { length } = payload;
    const size = Buffer.alloc(length <= 125 ? 1 : length <= 0xffff ? 3 : 9);
    size[0] = 0x80 | (length <= 125 ? length : length <= 0xffff ? 126 : 127);
    if (size.length === 3) size.writeUInt16BE(length, 1);
    if (size.length === 9) size.writeBigUInt64BE(BigInt(length), 1);
    const masked = payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0));
    this.write(Buffer.concat([Buffer.from([first]), size, mask, masked]));
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  async receive(): Promise<Frame> {
    const start = await this.#take(
      () => 2,
      () => true,
    );
    const [first = 0, length7 = 0] = start;
    const more = length7 === 127 ? 8 : length7 === 126 ? 2 : 0;
    const size =
      more === 0
        ? Buffer.from([length7])
        : await this.#take(
            () => more,
            () => true,
          );
    const length = more === 8 ? Number(size.readBigUInt64BE()) : size.readUIntBE(0, size.length);
    return {
      first,
      payload:
        length === 0
          ? Buffer.alloc(0)
          : await this.#take(
              () => length,
              () => true,
            ),
    };
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #take(
    length: (bytes: Buffer) => number,
    isKnown: (length: number) => boolean,
  ): Promise<Buffer> {
    while (!isKnown(length(this.#received)) || this.#received.length < length(this.#received)) {
      if (this.#isClosed) throw new Error('the server ended the connection');
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const end = length(this.#received);
    const taken = this.#received.subarray(0, end);
    this.#received = this.#received.subarray(end);
    return Buffer.from(taken);
  }
}

async function connect(t: TestContext): Promise<Client> {
  await startPod(t, { address: ADDRESS });
  const client = new Client(HANDSHAKE);
  t.after(() => client.destroy());
  assert.match(await client.head, /^HTTP\/1\.1 101 /);
  return client;
}

test('the handshake is answered as RFC 6455 §1.3 has it', async (t) => {
  const pod = await startPod(t, { address: ADDRESS });
  const client = new Client([...HANDSHAKE, 'Sec-WebSocket-Protocol: chat']);
  t.after(() => client.destroy());
  const lines = (await client.head).split('\r\n');
  assert.ok(lines.includes('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo='));
  assert.ok(lines.includes('Sec-WebSocket-Protocol: chat'));
  assert.ok(pod.log.includes('established websocket connection http://origin.example'));
});

const PAYLOADS: readonly [name: string, first: number, payload: Buffer][] = [
  ['text', 0x81, Buffer.from('hello')],
  ['an empty text', 0x81, Buffer.alloc(0)],
  ['binary with every byte', 0x82, Buffer.from(Array.from({ length: 256 }, (_, at) => at))],
  ['a 16-bit length', 0x82, Buffer.alloc(65_535, 'ab')],
  ['a 64-bit length', 0x82, Buffer.alloc(3_000_001, 'xyz')],
];

for (const [name, first, payload] of PAYLOADS) {
  test(`echoed as it came: ${name}`, async (t) => {
    const client = await connect(t);
    client.send(first, payload);
    const frame = await client.receive();
    assert.equal(frame.first, first);
    assert.ok(frame.payload.equals(payload));
  });
}

test('fragments come back as fragments, with a ping between them answered at once', async (t) => {
  const client = await connect(t);
  client.send(0x01, Buffer.from('one'));
  client.send(0x89, Buffer.from('ping'));
  client.send(0x00, Buffer.from('two'));
  client.send(0x80, Buffer.from(''));
  const frames = [
    await client.receive(),
    await client.receive(),
    await client.receive(),
    await client.receive(),
  ];
  assert.deepEqual(
    frames.map(({ first, payload }) => [first, String(payload)]),
    [
      [0x01, 'one'],
      [0x8a, 'ping'],
      [0x00, 'two'],
      [0x80, ''],
    ],
  );
});

test('bytes may trickle in one at a time', async (t) => {
  const client = await connect(t);
  const frame = Buffer.from([
    0x81,
    0x85,
    9,
    8,
    7,
    6,
    ...Buffer.from('hello').map((byte, at) => byte ^ (9 - (at % 4))),
  ]);
  for (const byte of frame) {
    client.write(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(String((await client.receive()).payload), 'hello');
});

test('a close is answered with the same status and ends the connection', async (t) => {
  const client = await connect(t);
  client.send(0x88, Buffer.from([0x03, 0xe8]));
  assert.deepEqual(await client.receive(), { first: 0x88, payload: Buffer.from([0x03, 0xe8]) });
  await client.ended;
});

test('the end of the client ends the connection', async (t) => {
  const client = await connect(t);
  client.end();
  await client.ended;
});

const BROKEN: readonly [name: string, bytes: Buffer][] = [
  ['a frame without mask', Buffer.from([0x81, 0x01, 0x41])],
  ['a reserved bit', Buffer.from([0xc1, 0x80, 0, 0, 0, 0])],
  ['an unknown opcode', Buffer.from([0x83, 0x80, 0, 0, 0, 0])],
  ['a ping of 126 bytes', Buffer.from([0x89, 0xfe, 0, 126, 0, 0, 0, 0])],
  [
    'a length with its top bit set',
    Buffer.from([0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
  ],
];

for (const [name, bytes] of BROKEN) {
  test(`closed with a protocol error: ${name}`, async (t) => {
    const client = await connect(t);
    client.write(bytes);
    assert.deepEqual(await client.receive(), { first: 0x88, payload: Buffer.from([0x03, 0xea]) });
    await client.ended;
  });
}

interface Refusal {
  readonly name: string;
  readonly method?: string;
  readonly headers: readonly string[];
  readonly status: number;
  readonly body: string;
}

const without = (name: string): string[] => [
  'Connection: Upgrade',
  ...HANDSHAKE.filter((line) => !line.startsWith(name)),
];
const REFUSALS: readonly Refusal[] = [
  { name: 'no Origin', headers: without('Origin'), status: 403, body: '' },
  {
    name: 'an Origin that is no URI',
    headers: [...without('Origin'), 'Origin: null'],
    status: 403,
    body: '',
  },
  { name: 'no upgrade', headers: [], status: 400, body: 'not websocket protocol' },
  {
    name: 'no key',
    headers: without('Sec-WebSocket-Key'),
    status: 400,
    body: 'mismatch challenge/response',
  },
  {
    name: 'no version',
    headers: without('Sec-WebSocket-Version'),
    status: 400,
    body: 'missing or bad WebSocket Version',
  },
  { name: 'another method', method: 'POST', headers: [], status: 405, body: 'bad method' },
];

for (const { name, method = 'GET', headers, status, body } of REFUSALS) {
  test(`refused: ${name}`, async (t) => {
    await startPod(t, { address: ADDRESS });
    const answer = await request(ADDRESS, '/ws', { method, headers });
    assert.deepEqual([answer.status, answer.body], [status, body]);
  });
}
