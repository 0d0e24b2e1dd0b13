// One HTTP request and its answer, the same for HTTP/1.x and HTTP/2, so that the echo programs are written once.

import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Duplex, Readable } from 'node:stream';
import type { Socket } from 'node:net';
import { goHeaders, isToken, type GoHeaders } from './go-headers.ts';
import { hostOfTarget } from './go-url.ts';
import type { TlsFacts } from './tls.ts';

/** What all requests of one connection share; made once per connection. */
export interface Peer {
  /** `ip:port`. */
  readonly remote: string;
  readonly tls: TlsFacts | undefined;
}

export interface Exchange {
  readonly proto: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2.0';
  readonly method: string;
  /** The request target as sent, with query. */
  readonly target: string;
  /** Host header or :authority; a target in absolute form brings its own (RFC 9112 §3.2.2). */
  readonly host: string;
  readonly headers: GoHeaders;
  readonly peer: Peer;
  /** The request body; undefined if it is larger than the limit. */
  body(bytesMax: number): Promise<Buffer | undefined>;
  /**
   * Sends the answer. `headers` alternates names and values; Content-Length is added where the status allows a body.
   * Names and values that cannot be sent are left out, as Go does. Does nothing if the client is gone.
   */
  reply(status: number, headers?: readonly string[], body?: string | Buffer): void;
  /** Sends an informational answer (1xx) before the real one. */
  inform(status: number): void;
  /** Resets the TCP connection under an HTTP/1 request (over TLS: closes it). False for HTTP/2, which has no such way. */
  reset(): boolean;
  /** Breaks off without answer, as a Go server does when a handler panics. */
  abort(): void;
  /** The raw connection of an HTTP/1 upgrade request, with the bytes that came after its head; else undefined. */
  takeOver(): { readonly socket: Duplex; readonly head: Buffer } | undefined;
}

const NO_BODY = Buffer.alloc(0);

/** False for statuses whose answers end with their header section (RFC 9110 §6.4.1). */
export function allowsBody(status: number): boolean {
  return status >= 200 && status !== 204 && status !== 304;
}

export class Http1Exchange implements Exchange {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #upgradeHead: Buffer | undefined;
  readonly peer: Peer;
  #headers: GoHeaders | undefined;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    peer: Peer,
    upgradeHead?: Buffer,
  ) {
    this.#request = request;
    this.#response = response;
    this.#upgradeHead = upgradeHead;
    this.peer = peer;
  }

  get proto(): 'HTTP/1.0' | 'HTTP/1.1' {
    return this.#request.httpVersion === '1.0' ? 'HTTP/1.0' : 'HTTP/1.1';
  }

  get method(): string {
    return this.#request.method ?? 'GET';
  }

  get target(): string {
    return this.#request.url ?? '/';
  }

  get host(): string {
    return hostOfTarget(this.target) ?? this.#request.headers.host ?? '';
  }

  get headers(): GoHeaders {
    this.#headers ??= goHeaders(this.#request.rawHeaders, false);
    return this.#headers;
  }

  body(bytesMax: number): Promise<Buffer | undefined> {
    return collect(this.#request, bytesMax);
  }

  reply(status: number, headers: readonly string[] = [], body: string | Buffer = NO_BODY): void {
    const response = this.#response;
    if (response.headersSent || response.destroyed) return;
    // Node would say `Connection: keep-alive` each time; Go leaves out what HTTP/1.1 has as default.
    if (response.shouldKeepAlive && this.proto === 'HTTP/1.1') response.removeHeader('connection');
    const lines: string[] = [];
    for (let at = 0; at + 1 < headers.length; at += 2) {
      const name = headers[at] ?? '';
      const value = trimmed(headers[at + 1] ?? '');
      // A connection the client wants closed is closed, whatever the handler says; Node then adds the header itself.
      const isOverruled = !response.shouldKeepAlive && name.toLowerCase() === 'connection';
      if (isToken(name) && isFieldValue(value) && !FRAMING.test(name) && !isOverruled)
        lines.push(name, value);
    }
    if (allowsBody(status)) lines.push('Content-Length', String(Buffer.byteLength(body)));
    response.writeHead(status, STATUS_CODES[status] ?? `status code ${status}`, lines);
    response.end(allowsBody(status) ? body : undefined);
  }

  inform(status: number): void {
    // Node has methods for three of the statuses only. `socket` is set when it is this response's turn to write.
    this.#response.socket?.write(
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? `status code ${status}`}\r\n\r\n`,
    );
  }

  reset(): boolean {
    const socket: Socket = this.#request.socket;
    if (this.peer.tls === undefined) socket.resetAndDestroy();
    else socket.destroy();
    return true;
  }

  abort(): void {
    this.#request.socket.destroy();
  }

  takeOver(): { readonly socket: Duplex; readonly head: Buffer } | undefined {
    if (this.#upgradeHead === undefined) return undefined;
    const { socket } = this.#request;
    this.#response.detachSocket(socket);
    return { socket, head: this.#upgradeHead };
  }
}

export class Http2Exchange implements Exchange {
  readonly proto = 'HTTP/2.0';
  readonly headers: GoHeaders;
  readonly peer: Peer;
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly #stream: ServerHttp2Stream;
  #bodyRead = false;

  constructor(stream: ServerHttp2Stream, rawHeaders: readonly string[], peer: Peer) {
    this.#stream = stream;
    this.headers = goHeaders(rawHeaders, true);
    this.peer = peer;
    const pseudo = pseudoHeaders(rawHeaders);
    this.method = pseudo[':method'] ?? '';
    this.target = pseudo[':path'] ?? '';
    this.host = pseudo[':authority'] || (this.headers['Host']?.[0] ?? '');
  }

  body(bytesMax: number): Promise<Buffer | undefined> {
    this.#bodyRead = true;
    return collect(this.#stream, bytesMax);
  }

  reply(status: number, headers: readonly string[] = [], body: string | Buffer = NO_BODY): void {
    const stream = this.#stream;
    if (stream.headersSent || stream.destroyed) return;
    const fields = http2Fields(headers);
    fields[':status'] = status;
    if (allowsBody(status)) fields['content-length'] = Buffer.byteLength(body);
    const endStream = !allowsBody(status) || body.length === 0 || this.method === 'HEAD';
    stream.respond(fields, { endStream });
    if (!endStream) stream.end(body);
    // An upload nobody reads is taken in and dropped: resetting the stream could overtake the answer.
    if (!this.#bodyRead) stream.resume();
  }

  inform(status: number): void {
    // 101 does not exist in HTTP/2 (RFC 9113 §8.6) and Node refuses to send it.
    if (status !== 101 && !this.#stream.destroyed)
      this.#stream.additionalHeaders({ ':status': status });
  }

  reset(): boolean {
    return false;
  }

  abort(): void {
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  takeOver(): undefined {
    return undefined;
  }
}

/** They come before all others (RFC 9113 §8.3). */
function pseudoHeaders(rawHeaders: readonly string[]): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (let at = 0; rawHeaders[at]?.startsWith(':'); at += 2) {
    found[rawHeaders[at] ?? ''] = rawHeaders[at + 1] ?? '';
  }
  return found;
}

const FRAMING = /^(content-length|transfer-encoding|trailer)$/i;
/** Belong to an HTTP/1 connection; RFC 9113 §8.2.2 forbids them in HTTP/2. */
const HOP_BY_HOP = /^(connection|keep-alive|proxy-connection|te|upgrade|http2-settings)$/;
/** Node accepts one line only for these; the last one counts. */
const SINGLE = new Set([
  'content-type',
  'x-content-type-options',
  'date',
  'location',
  'etag',
  'server',
  'age',
]);

function http2Fields(headers: readonly string[]): Record<string, string | number | string[]> {
  const fields: Record<string, string | number | string[]> = {};
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = (headers[at] ?? '').toLowerCase();
    const value = trimmed(headers[at + 1] ?? '');
    if (!isToken(name) || !isFieldValue(value) || FRAMING.test(name) || HOP_BY_HOP.test(name))
      continue;
    const before = fields[name];
    if (before === undefined || SINGLE.has(name)) fields[name] = value;
    else fields[name] = Array.isArray(before) ? [...before, value] : [String(before), value];
  }
  return fields;
}

function trimmed(value: string): string {
  return value.replace(/^[ \t]+|[ \t]+$/g, '');
}

/** RFC 9110 §5.5, with bytes above 0x7f as Latin-1 characters. */
function isFieldValue(value: string): boolean {
  return /^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(value);
}

async function collect(source: Readable, bytesMax: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // Leaving the loop must not destroy the stream: an answer is still to be sent on its connection.
    for await (const chunk of source.iterator({ destroyOnReturn: false })) {
      size += chunk.length;
      if (size > bytesMax) {
        source.resume();
        return undefined;
      }
      chunks.push(chunk);
    }
  } catch {
    // The client broke off; what arrived is all there will be, and the answer goes nowhere.
  }
  return Buffer.concat(chunks, size);
}
