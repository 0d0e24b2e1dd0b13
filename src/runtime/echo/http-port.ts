// One HTTP port of an echo pod: accepts connections, finds out which HTTP version each one speaks (by ALPN under TLS,
// by its first bytes without) and hands every request to one handler as an Exchange.

import http from 'node:http';
import http2 from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { Http1Exchange, Http2Exchange, type Exchange, type Peer } from './exchange.ts';
import { errorText } from './errors.ts';
import { remoteAddress, type Listeners } from './listeners.ts';
import { hasBadCertificate, tlsFacts } from './tls.ts';

/** Answers one request. A handler that throws or rejects breaks off the exchange. */
export type HttpHandler = (exchange: Exchange) => void | Promise<void>;

export type Http2StreamHandler = (
  stream: http2.ServerHttp2Stream,
  rawHeaders: readonly string[],
  peer: Peer,
) => void;

interface PortOptions {
  readonly port: number;
  readonly tls?: TlsOptions;
  /** Takes the lines a Go server writes about a handler that failed. */
  readonly log: (line: string) => void;
}

/** Both versions without TLS are told apart by HTTP/2's connection preface, with TLS by ALPN. */
export interface WebPortOptions extends PortOptions {
  readonly versions: 'http1' | 'both';
  readonly handler: HttpHandler;
}

/** A port for HTTP/2 only, whose streams are taken raw: gRPC needs them so. */
export interface StreamPortOptions extends PortOptions {
  readonly onStream: Http2StreamHandler;
}

/** As Go's http.DefaultMaxHeaderBytes. */
const HEADER_BYTES_MAX = 1024 * 1024;
/** Node's own 10 MB per HTTP/2 session would refuse streams of a busy gateway. */
const SESSION_MEMORY_MB = 64;
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** Opens a port for requests. Rejects with EchoStartError if it cannot be opened. */
export async function openHttpPort(listeners: Listeners, options: WebPortOptions): Promise<void> {
  const serveHttp1 = http1Server(options);
  const serveHttp2 = http2Server((stream, rawHeaders, peer) => {
    run(options, new Http2Exchange(stream, rawHeaders, peer));
  });
  const isBoth = options.versions === 'both';
  if (options.tls === undefined) {
    await listeners.openTcp(options.port, isBoth ? byPreface(serveHttp1, serveHttp2) : serveHttp1);
    return;
  }
  const tls = { ALPNProtocols: isBoth ? ['h2', 'http/1.1'] : ['http/1.1'], ...options.tls };
  await listeners.openTls(options.port, tls, (socket) => {
    // Whoever names authorities wants given certificates checked; without, any certificate is only shown.
    if (tls.ca !== undefined && hasBadCertificate(socket)) socket.destroy();
    else if (socket.alpnProtocol === 'h2') serveHttp2(socket);
    else serveHttp1(socket);
  });
}

/** Opens a port for HTTP/2 streams. Over TLS the client must choose h2 by ALPN, as gRPC servers demand. */
export async function openStreamPort(
  listeners: Listeners,
  options: StreamPortOptions,
): Promise<void> {
  const serve = http2Server(options.onStream);
  if (options.tls === undefined) {
    await listeners.openTcp(options.port, serve);
    return;
  }
  await listeners.openTls(options.port, { ALPNProtocols: ['h2'], ...options.tls }, (socket) => {
    if (socket.alpnProtocol === 'h2') serve(socket);
    else socket.destroy();
  });
}

function http1Server(options: WebPortOptions): (socket: Socket) => void {
  const peers = new WeakMap<Socket, Peer>();
  // No timeouts: Go's servers have none by default, and Node's five idle seconds would race with a gateway that
  // keeps connections for its next request.
  const server = http.createServer({
    maxHeaderSize: HEADER_BYTES_MAX,
    keepAliveTimeout: 0,
    requestTimeout: 0,
    headersTimeout: 0,
  });
  server.on('request', (request, response) => {
    const exchange = new Http1Exchange(request, response, peerOf(request.socket, peers));
    run(options, exchange);
  });
  server.on('upgrade', (request, socket: Socket, head) => {
    const response = new http.ServerResponse(request);
    if (!putBack(socket, response)) return;
    run(options, new Http1Exchange(request, response, peerOf(socket, peers), head));
  });
  return (socket) => void server.emit('connection', socket);
}

/**
 * For an upgrade Node lets go of the connection; a response is put back on it for handlers that answer plainly. Not
 * possible while an earlier, pipelined request is unanswered: then the connection is given up.
 */
function putBack(socket: Socket, response: http.ServerResponse): boolean {
  try {
    response.assignSocket(socket);
  } catch {
    socket.destroy();
    return false;
  }
  response.shouldKeepAlive = false;
  response.once('finish', () => socket.end());
  return true;
}

function http2Server(onStream: Http2StreamHandler): (socket: Socket) => void {
  const peers = new WeakMap<http2.Http2Session, Peer>();
  const server = http2.createServer({ maxSessionMemory: SESSION_MEMORY_MB });
  server.on('stream', (stream, _headers, _flags, rawHeaders) => {
    stream.on('error', ignore);
    const { session } = stream;
    if (session === undefined) return;
    const peer = peers.get(session) ?? peerOf(session.socket, new WeakMap());
    peers.set(session, peer);
    onStream(stream, rawHeaders, peer);
  });
  server.on('sessionError', ignore);
  return (socket) => void server.emit('connection', socket);
}

function run(options: WebPortOptions, exchange: Exchange): void {
  const panic = (error: unknown): void => {
    options.log(`http: panic serving ${exchange.peer.remote}: ${errorText(error)}`);
    exchange.abort();
  };
  try {
    options.handler(exchange)?.catch(panic);
  } catch (error) {
    panic(error);
  }
}

function peerOf(socket: Socket, peers: WeakMap<Socket, Peer>): Peer {
  const known = peers.get(socket);
  if (known !== undefined) return known;
  const tls = isTls(socket) ? tlsFacts(socket) : undefined;
  const peer = { remote: remoteAddress(socket), tls };
  peers.set(socket, peer);
  return peer;
}

/** Only TLS sockets have the property; `in` would not do, since an HTTP/2 session's socket is a proxy. */
function isTls(socket: Socket): socket is TLSSocket {
  return (socket as Partial<TLSSocket>).encrypted === true;
}

/** Waits for enough bytes to tell the versions apart; they are put back before the connection is handed on. */
function byPreface(serveHttp1: (socket: Socket) => void, serveHttp2: (socket: Socket) => void) {
  return (socket: Socket): void => {
    let seen = Buffer.alloc(0);
    const decide = (): void => {
      const chunk: Buffer | null = socket.read();
      if (chunk === null) return;
      seen = Buffer.concat([seen, chunk]);
      const compared = Math.min(seen.length, PREFACE.length);
      const isHttp2 = seen.subarray(0, compared).equals(PREFACE.subarray(0, compared));
      if (isHttp2 && compared < PREFACE.length) return;
      socket.removeListener('readable', decide).removeListener('end', giveUp);
      socket.unshift(seen);
      (isHttp2 ? serveHttp2 : serveHttp1)(socket);
    };
    // A client that closes before it said anything would otherwise keep its half of the connection.
    const giveUp = (): void => void socket.end();
    socket.on('readable', decide).once('end', giveUp);
  };
}

/** Broken sessions and streams concern only their client. */
function ignore(): void {}
