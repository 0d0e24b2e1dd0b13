// The API on a port: TLS, the gate, and each request to whoever answers it.

import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { FairwayError } from '../../lib/errors.ts';
import { Failure, failure } from '../failure.ts';
import type { Access } from './access.ts';
import { checkEntry } from './gate.ts';
import type { Identity } from './identity.ts';
import { API_LIMITS } from './limits.ts';
import { sendStatus } from './send.ts';

export interface Handler {
  handle(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    identity: Identity,
  ): Promise<void>;
  /** A request to change the protocol, as of `kubectl exec`. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, url: URL): Promise<void>;
}

export interface ServerOptions {
  /** A loopback address. */
  readonly address: string;
  /** Tried first; another is taken where it is not free. */
  readonly port: number;
  readonly access: Access;
  readonly handler: Handler;
  readonly onError: (error: unknown) => void;
}

/** How long requests may take to finish when the server ends. */
const DRAIN_MS = 300;

/** A URL would take a step up for it: a pod named `..` would be its namespace. */
const DOT_SEGMENT = /[\\/](?:\.|%2e){1,2}(?:[\\/]|$)/i;

export class ApiServer {
  readonly #options: ServerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(options: ServerOptions) {
    const { access } = options;
    this.#options = options;
    this.#server = createServer({
      cert: access.server.certificate,
      key: access.server.privateKey,
      // A client may show a certificate of ours instead of a token; one of others counts as none.
      ca: access.authority,
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      maxHeaderSize: API_LIMITS.headBytesMax,
      headersTimeout: API_LIMITS.headMs,
      requestTimeout: API_LIMITS.requestMs,
      keepAliveTimeout: 120_000,
    });
    this.#server.maxConnections = API_LIMITS.connectionsMax;
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('request', (request, response) => void this.#answer(request, response));
    this.#server.on(
      'upgrade',
      (request: IncomingMessage, socket: Duplex, head: Buffer) =>
        void this.#upgrade(request, socket, head),
    );
    // A handshake that fails is the client's affair.
    this.#server.on('tlsClientError', () => undefined);
  }

  /** Begins to listen. Resolves with the URL. */
  async start(): Promise<string> {
    const { address, port } = this.#options;
    try {
      await this.#listen(port);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') {
        throw new FairwayError('FW_API_UNAVAILABLE', `cannot listen on ${address}:${port}`, {
          cause: error,
          hint: 'choose another port with --api-port, or none with --no-api',
        });
      }
      await this.#listen(0);
    }
    return `https://${address}:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Gives requests under way a moment; watches have no end of their own, and are cut off after it. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const late = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, DRAIN_MS);
    await closed;
    clearTimeout(late);
  }

  #listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, this.#options.address, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const { url, identity } = this.#enter(request);
      await this.#options.handler.handle(request, response, url, identity);
    } catch (error) {
      sendStatus(response, this.#statusOf(error, request));
      if (!request.complete) discardBody(request);
    }
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    try {
      const { url } = this.#enter(request);
      await this.#options.handler.upgrade(request, socket, head, url);
    } catch (error) {
      const status = this.#statusOf(error, request);
      const body = JSON.stringify(status);
      socket.end(
        `HTTP/1.1 ${status.code} ${status.reason ?? 'Error'}\r\ncontent-type: application/json\r\n` +
          `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
      );
    }
  }

  #enter(request: IncomingMessage): { readonly url: URL; readonly identity: Identity } {
    const { access, address } = this.#options;
    const identity = checkEntry(request, access, address);
    const target = request.url ?? '/';
    if (!target.startsWith('/')) throw failure.badRequest('the request has no path');
    if (DOT_SEGMENT.test(target.split('?', 1)[0] ?? '')) {
      throw failure.badRequest('the path of the request holds a segment of dots');
    }
    try {
      return { url: new URL(`https://localhost${target}`), identity };
    } catch {
      throw failure.badRequest('the path of the request cannot be read');
    }
  }

  #statusOf(error: unknown, request: IncomingMessage): Failure['status'] {
    if (error instanceof Failure) return error.status;
    // The client went away while it was being answered.
    if (!request.socket.destroyed) this.#options.onError(error);
    return failure.internal(error instanceof Error ? error.message : String(error)).status;
  }
}

/**
 * Reads what is left of a body that was refused: a client that is still sending it would not see the
 * answer otherwise. Who goes on for too long is cut off.
 */
function discardBody(request: IncomingMessage): void {
  let left = API_LIMITS.discardBytesMax;
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.destroy();
  });
}
