// A WebSocket echo (RFC 6455) for the `/ws` and `/echo` paths. Payload is streamed: each data frame goes back with its
// own kind, length and FIN bit while it still arrives, so frames of any size cost no memory. (The real echo-basic
// answers every fragment, binary ones too, as a text message of its own; a client that counts messages sees the
// message it sent only this way.)

import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Exchange } from './exchange.ts';
import { firstHeader } from './go-headers.ts';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export interface WebSocketOptions {
  /** golang.org/x/net/websocket, which echo-basic uses, refuses clients without a parsable Origin. */
  readonly requireOrigin: boolean;
  /** Called when the handshake succeeded; `origin` is what the client sent. */
  readonly onOpen?: (origin: string) => void;
}

/** Answers a request for the WebSocket path: handshake and echo, or the error the Go package sends. */
export function echoWebSocket(exchange: Exchange, options: WebSocketOptions): void {
  const refusal = refuse(exchange, options);
  if (refusal !== undefined) {
    exchange.reply(refusal.status, ['Connection', 'close', ...refusal.headers], refusal.body);
    return;
  }
  const connection = exchange.takeOver();
  if (connection === undefined) {
    exchange.abort();
    return;
  }
  acceptHandshake(exchange, connection.socket);
  options.onOpen?.(firstHeader(exchange.headers, 'Origin') ?? '');
  echoFrames(connection.socket, connection.head);
}

interface Refusal {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
}

function refuse(exchange: Exchange, options: WebSocketOptions): Refusal | undefined {
  const { headers } = exchange;
  const bad = (body: string, extra: readonly string[] = []): Refusal => ({
    status: 400,
    headers: extra,
    body,
  });
  if (exchange.method !== 'GET') return { status: 405, headers: [], body: 'bad method' };
  const upgrade = firstHeader(headers, 'Upgrade')?.toLowerCase();
  const connection = firstHeader(headers, 'Connection')?.toLowerCase() ?? '';
  if (upgrade !== 'websocket' || !connection.includes('upgrade'))
    return bad('not websocket protocol');
  if (!firstHeader(headers, 'Sec-Websocket-Key')) return bad('mismatch challenge/response');
  if (firstHeader(headers, 'Sec-Websocket-Version') !== '13') {
    return bad('missing or bad WebSocket Version', ['Sec-WebSocket-Version', '13']);
  }
  const origin = firstHeader(headers, 'Origin') ?? '';
  if (options.requireOrigin && !isRequestUri(origin)) return { status: 403, headers: [], body: '' };
  // The server would have to choose among several subprotocols, and an echo has no preference.
  return protocols(exchange).length > 1 ? bad('') : undefined;
}

/** What Go's url.ParseRequestURI accepts: an absolute URI or an absolute path. `null`, which browsers send, is neither. */
function isRequestUri(text: string): boolean {
  return /^(\/|[a-z][a-z0-9+.-]*:[^\s#])/i.test(text);
}

function protocols(exchange: Exchange): string[] {
  const offered = firstHeader(exchange.headers, 'Sec-Websocket-Protocol')?.trim() ?? '';
  return offered === '' ? [] : offered.split(',').map((protocol) => protocol.trim());
}

function acceptHandshake(exchange: Exchange, socket: Duplex): void {
  const key = firstHeader(exchange.headers, 'Sec-Websocket-Key') ?? '';
  const accept = createHash('sha1')
    .update(key + GUID)
    .digest('base64');
  const chosen = protocols(exchange).map((protocol) => `Sec-WebSocket-Protocol: ${protocol}\r\n`);
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Accept: ${accept}\r\n${chosen.join('')}\r\n`,
  );
}

const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };
const KNOWN_OPCODES: ReadonlySet<number> = new Set(Object.values(Opcode));
const CONTROL_BYTES_MAX = 125;
const CLOSE_PROTOCOL_ERROR = Buffer.from([0x03, 0xea]); // 1002

function echoFrames(socket: Duplex, head: Buffer): void {
  const echo = new FrameEcho(socket);
  socket.on('data', (chunk: Buffer) => echo.receive(chunk));
  socket.on('drain', () => socket.resume());
  socket.on('end', () => socket.end());
  if (head.length > 0) echo.receive(head);
}

interface FrameHeader {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly payloadBytes: number;
  readonly mask: Buffer;
  readonly headerBytes: number;
  /** Not masked, reserved bits or opcodes in use, or a length with its top bit set: all protocol errors. */
  readonly isFaulty: boolean;
}

/** The reading side of one connection: unmasks what arrives and writes it back. */
class FrameEcho {
  readonly #socket: Duplex;
  /** Bytes not yet understood: at most one frame header, or one control frame. */
  #pending: Buffer = Buffer.alloc(0);
  /** The data frame whose payload is still arriving. */
  #frame: { readonly mask: Buffer; bytesLeft: number; bytesSeen: number } | undefined;
  #isOver = false;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  receive(chunk: Buffer): void {
    let rest = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    this.#pending = Buffer.alloc(0);
    // Header and payload of an answer leave in one packet.
    this.#socket.cork();
    while (rest.length > 0 && !this.#isOver && this.#pending.length === 0) {
      rest = this.#frame === undefined ? this.#startFrame(rest) : this.#echoPayload(rest);
    }
    this.#socket.uncork();
  }

  #startFrame(bytes: Buffer): Buffer {
    const header = readFrameHeader(bytes);
    if (header === undefined) return this.#waitWith(bytes);
    const isControl = header.opcode >= Opcode.close;
    if (header.isFaulty || (isControl && header.payloadBytes > CONTROL_BYTES_MAX)) {
      this.#finish(CLOSE_PROTOCOL_ERROR);
      return bytes;
    }
    if (isControl && bytes.length < header.headerBytes + header.payloadBytes)
      return this.#waitWith(bytes);
    const rest = bytes.subarray(header.headerBytes);
    if (isControl) return this.#answerControl(header, rest);
    this.#send(header.opcode, header.isFinal, header.payloadBytes);
    if (header.payloadBytes > 0) {
      this.#frame = { mask: header.mask, bytesLeft: header.payloadBytes, bytesSeen: 0 };
    }
    return rest;
  }

  #waitWith(bytes: Buffer): Buffer {
    this.#pending = bytes;
    return bytes;
  }

  #echoPayload(rest: Buffer): Buffer {
    const frame = this.#frame;
    if (frame === undefined) return rest;
    const part = rest.subarray(0, frame.bytesLeft);
    unmask(part, frame.mask, frame.bytesSeen);
    if (!this.#socket.write(part)) this.#socket.pause();
    frame.bytesSeen += part.length;
    frame.bytesLeft -= part.length;
    if (frame.bytesLeft === 0) this.#frame = undefined;
    return rest.subarray(part.length);
  }

  #answerControl(header: FrameHeader, rest: Buffer): Buffer {
    const payload = rest.subarray(0, header.payloadBytes);
    unmask(payload, header.mask, 0);
    if (header.opcode === Opcode.ping) this.#sendControl(Opcode.pong, payload);
    else if (header.opcode === Opcode.close) this.#finish(payload);
    return rest.subarray(header.payloadBytes);
  }

  /** Answers the closing handshake (RFC 6455 §5.5.1) with the same status and ends the connection. */
  #finish(payload: Buffer): void {
    this.#isOver = true;
    this.#sendControl(Opcode.close, payload);
    this.#socket.end();
  }

  #sendControl(opcode: number, payload: Buffer): void {
    this.#send(opcode, true, payload.length);
    this.#socket.write(payload);
  }

  #send(opcode: number, isFinal: boolean, payloadBytes: number): void {
    this.#socket.write(frameHeader(opcode, isFinal, payloadBytes));
  }
}

/** RFC 6455 §5.2. Undefined while incomplete. */
function readFrameHeader(bytes: Buffer): FrameHeader | undefined {
  if (bytes.length < 2) return undefined;
  const [first = 0, second = 0] = bytes;
  const isMasked = (second & 0x80) !== 0;
  const length7 = second & 0x7f;
  const lengthBytes = length7 === 126 ? 2 : length7 === 127 ? 8 : 0;
  const headerBytes = 2 + lengthBytes + (isMasked ? 4 : 0);
  if (bytes.length < headerBytes) return undefined;
  const long = lengthBytes === 8 ? bytes.readBigUInt64BE(2) : 0n;
  const opcode = first & 0x0f;
  return {
    opcode,
    isFinal: (first & 0x80) !== 0,
    payloadBytes:
      lengthBytes === 8 ? Number(long) : lengthBytes === 2 ? bytes.readUInt16BE(2) : length7,
    mask: Buffer.from(bytes.subarray(headerBytes - 4, headerBytes)),
    headerBytes,
    isFaulty: !isMasked || (first & 0x70) !== 0 || long >> 63n === 1n || !KNOWN_OPCODES.has(opcode),
  };
}

function frameHeader(opcode: number, isFinal: boolean, payloadBytes: number): Buffer {
  const first = (isFinal ? 0x80 : 0) | opcode;
  if (payloadBytes <= 125) return Buffer.from([first, payloadBytes]);
  const long = payloadBytes > 0xffff;
  const header = Buffer.alloc(long ? 10 : 4);
  header[0] = first;
  header[1] = long ? 127 : 126;
  if (long) header.writeBigUInt64BE(BigInt(payloadBytes), 2);
  else header.writeUInt16BE(payloadBytes, 2);
  return header;
}

/** In place; the buffer is ours alone, fresh from the socket. */
function unmask(part: Buffer, mask: Buffer, offset: number): void {
  for (let at = 0; at < part.length; at += 1) {
    part[at] = (part[at] ?? 0) ^ (mask[(offset + at) & 3] ?? 0);
  }
}
