// The words in which the parts of the data path speak to each other: a server connection (HTTP/1.1 or
// HTTP/2) turns bytes into requests, the exchange decides what becomes of one, a client connection
// carries it to the backend. Each side knows the others only by the interfaces below.
//
//   client ──bytes──▶ ServerConnection ──RequestHead──▶ exchange ──RequestHead──▶ ClientConnection ──▶ backend
//          ◀──────── ServerStream ◀───────────────────  exchange ◀── ResponseHead ── ClientStream  ◀──
//
// Rules that hold for all of them:
// - Bytes handed to a callback are valid only during the call (they live in a shared read buffer).
//   Who keeps them copies them.
// - Nothing sent goes out at once: a connection gathers heads, bodies and ends of one turn into one
//   write, which it makes by itself when the event that caused them has been handled.
// - `send*` after an end or a reset is a bug (assert); callbacks never come after `onEnd` or `onReset`,
//   except that a request may still end or reset after its response has ended, and the reverse.
//
// Budget: nothing; words only.

import type { RequestRecord } from './observe/record.ts';

/**
 * Header fields, flat: name, value, name, value. Names keep the case they came in; HTTP/2 lowers them
 * when it sends. Values are Latin-1 strings, one character for each byte, without surrounding blanks.
 */
export type Fields = string[];

/** No Content-Length and no certain end: the body ends when it ends. */
export const LENGTH_UNKNOWN = -1;

export interface RequestHead {
  readonly method: string;
  /** Path and query as sent, beginning with '/'; '*' for OPTIONS. */
  readonly target: string;
  /** Host or :authority as sent, with its port if it had one. */
  readonly authority: string;
  readonly scheme: 'http' | 'https';
  /** Without Host, pseudo-headers, Content-Length, Transfer-Encoding and other hop-by-hop fields. */
  readonly fields: Fields;
  /** Bytes of the body that follows; 0 for none, LENGTH_UNKNOWN for chunked or HTTP/2 without length. */
  readonly contentLength: number;
  /**
   * The protocol the client wants to change to (Upgrade, or :protocol of extended CONNECT); '' for none.
   * `method` is GET either way.
   */
  readonly protocol: string;
  /** The client waits for 100 Continue before it sends the body. */
  readonly expectContinue: boolean;
}

export interface ResponseHead {
  readonly status: number;
  readonly fields: Fields;
  /** As in RequestHead. Of a response to HEAD or a 304, what Content-Length said, though no body follows. */
  readonly contentLength: number;
}

/** Why a stream ended before its time. */
export type ResetReason =
  /** The peer closed or reset the stream or the connection. */
  | 'closed'
  /** The peer refused the stream before doing anything with it: it may be sent again. */
  | 'refused'
  /** What the peer sent was not valid. */
  | 'protocol'
  /** A named limit was passed. */
  | 'limit'
  /** A named time ran out. */
  | 'timeout'
  /** We gave up: the other side of the exchange is gone. */
  | 'cancelled';

/** The sending half every stream has. */
export interface Sender {
  /** Sends body bytes. False: the peer is slower than we are, wait for `onDrain`. Copies what it keeps. */
  sendBody(bytes: Buffer): boolean;
  /** Ends the message. */
  sendEnd(trailers: Fields | null): void;
  /** Gives up: HTTP/2 resets the stream, HTTP/1.1 closes the connection. */
  reset(reason: ResetReason): void;
  /** Stops and restarts the peer's body: backpressure. */
  pause(): void;
  resume(): void;
}

/** What the receiver of a stream's events implements. */
export interface Receiver {
  onBody(bytes: Buffer): void;
  onEnd(trailers: Fields | null): void;
  onReset(reason: ResetReason): void;
  /** What `sendBody` refused to take more of has gone out. */
  onDrain(): void;
}

/** A request as the server side sees it: the response goes out through it. */
export interface ServerStream extends Sender {
  /** What whoever looks at the request is to be told; null when nobody looks. */
  readonly record: RequestRecord | null;
  /** 1xx, before the head. */
  sendInterim(status: number, fields: Fields): void;
  /** Sends the head; with `end` the response has no body. */
  sendHead(head: ResponseHead, end: boolean): void;
  /**
   * Changes the stream into a tunnel of raw bytes both ways after a 101 head (or a 200 to an extended
   * CONNECT): from now on onBody and sendBody carry the tunnelled bytes, and ends are half-closes.
   */
  startTunnel(head: ResponseHead): void;
}

/** Takes each request of a server connection; what it returns receives the request's body. */
export type RequestHandler = (
  stream: ServerStream,
  head: RequestHead,
  hasBody: boolean,
) => Receiver;

/** What the sender of a request implements. */
export interface ResponseReceiver extends Receiver {
  onInterim(status: number, fields: Fields): void;
  onHead(head: ResponseHead, end: boolean): void;
  /** The backend agreed to change protocols: onBody and sendBody now carry raw bytes. */
  onTunnel(head: ResponseHead): void;
}

/** A connection to a backend. */
export interface ClientConnection {
  /** False while no further request can be sent now (busy, draining, or at the peer's stream limit). */
  readonly available: boolean;
  /** Whether a request with a `protocol` may be sent on it. */
  readonly takesTunnels: boolean;
  /** Runs `run` once the backend has said whether it takes tunnels; false when it has already. */
  awaitTunnels(run: () => void): boolean;
  /** Sends a request head; with `end` it has no body. */
  request(head: RequestHead, end: boolean, receiver: ResponseReceiver): Sender;
  /** Lets running requests finish, then closes. */
  drain(): void;
  destroy(): void;
}

/** The socket below a connection, so that connections can be tested without one. */
export interface Transport {
  /** Bytes written that the system has not taken yet. */
  readonly bufferedBytes: number;
  /** Queues bytes (a string is Latin-1). False: wait for the connection's `onTransportDrain`. */
  write(chunk: Buffer | string): boolean;
  pause(): void;
  resume(): void;
  /** Sends what is queued, then closes the sending half. */
  end(): void;
  destroy(): void;
}

/** What a connection offers to the socket it lives on. */
export interface TransportHandler {
  /** Bytes came in: `bytes` is valid only during the call. */
  onTransportData(bytes: Buffer): void;
  onTransportDrain(): void;
  /** The peer sends no more. */
  onTransportEnd(): void;
  /** Both directions are gone, in order or by an error. */
  onTransportClose(): void;
}
