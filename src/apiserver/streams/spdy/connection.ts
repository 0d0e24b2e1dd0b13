// The server's side of a SPDY/3.1 connection over any byte stream: an upgraded socket, or a WebSocket
// that carries one. As in moby/spdystream, which kubectl speaks, streams have no windows: a peer that
// waited for WINDOW_UPDATE would wait for ever. What bounds memory is that the socket is not read while
// too much of what came is not taken yet, or the peer does not take what is sent.

import type { Duplex } from 'node:stream';
import type { StreamLimits } from '../limits.ts';
import { SpdyError } from './error.ts';
import {
  controlFrame,
  dataFrame,
  FLAG_FIN,
  FRAME,
  FrameParser,
  GO_AWAY,
  numbersFrame,
  RESET,
  streamIdOf,
} from './frames.ts';
import { HeaderDecoder, HeaderEncoder } from './headers.ts';
import { SpdyStream } from './stream.ts';
import type { StreamLink } from './stream.ts';

export interface SpdyConnectionOptions {
  readonly transport: Duplex;
  /** Bytes that came with the upgrade request. */
  readonly head: Buffer;
  /** A stream the peer has opened. It must reply to it, or reset it. */
  readonly onStream: (stream: SpdyStream) => void;
  readonly limits: StreamLimits;
}

/** SYN_STREAM begins with two stream IDs, a priority and a slot; the headers come after these. */
const SYN_STREAM_BYTES = 10;

export class SpdyConnection {
  readonly #transport: Duplex;
  readonly #limits: StreamLimits;
  readonly #onStream: (stream: SpdyStream) => void;
  readonly #parser: FrameParser;
  readonly #decoder: HeaderDecoder;
  readonly #encoder = new HeaderEncoder();
  readonly #streams = new Map<number, SpdyStream>();
  readonly #gone = new AbortController();
  readonly #link: StreamLink;
  readonly #keepAlive: NodeJS.Timeout;
  /** Who waits until the transport takes more. */
  #waiting: (() => void)[] = [];
  #lastStreamId = 0;
  #pingId = 2;
  #lastActivity = performance.now();
  #goingAway = false;
  #closing = false;

  constructor({ transport, head, onStream, limits }: SpdyConnectionOptions) {
    this.#transport = transport;
    this.#limits = limits;
    this.#onStream = onStream;
    this.#decoder = new HeaderDecoder(limits);
    this.#parser = new FrameParser(
      {
        onControl: (type, flags, payload) => this.#control(type, flags, payload),
        onData: (streamId, part, fin) => this.#data(streamId, part, fin),
      },
      limits.controlBytesMax,
    );
    this.#link = {
      reply: (stream) => this.#reply(stream),
      send: (stream, data, fin, done) => this.#send(stream, data, fin, done),
      reset: (stream, status) => this.#write(numbersFrame(FRAME.rstStream, stream.id, status)),
      taken: () => this.#flow(),
      forget: (stream) => this.#forget(stream),
    };
    transport.on('error', () => this.#lost());
    transport.on('close', () => this.#lost());
    transport.on('end', () => this.#ended());
    transport.on('drain', () => this.#drained());
    transport.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#keepAlive = setInterval(() => this.#beat(), limits.keepAliveMs).unref();
    if (head.length > 0) this.#receive(head);
  }

  /** Aborts when the connection has ended, whoever ended it. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Sends what was written so far, and ends the connection. Streams that are still open are cut off. */
  close(status: number = GO_AWAY.ok): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#write(numbersFrame(FRAME.goAway, this.#lastStreamId, status));
    this.#transport.end();
    // What still comes is read and thrown away: closing with unread input would reset the connection,
    // and with it what the client has not read yet.
    this.#transport.resume();
    setTimeout(() => this.#transport.destroy(), this.#limits.lingerMs).unref();
    this.#dropStreams();
  }

  #receive(chunk: Buffer): void {
    if (this.#closing) return;
    try {
      this.#parser.push(chunk);
    } catch (error) {
      if (!(error instanceof SpdyError)) throw error;
      this.close(GO_AWAY.protocolError);
      return;
    }
    this.#flow();
  }

  #control(type: number, flags: number, payload: Buffer): void {
    if (this.#closing) return;
    switch (type) {
      case FRAME.synStream:
        this.#open(flags, payload);
        break;
      case FRAME.rstStream:
        this.#streams.get(streamIdOf(payload))?.abandon();
        break;
      case FRAME.ping:
        // Ours have even numbers, and their answers need none.
        if (streamIdOf(payload) % 2 === 1) this.#write(controlFrame(FRAME.ping, 0, payload));
        break;
      case FRAME.goAway:
        this.#goingAway = true;
        if (this.#streams.size === 0) this.close();
        break;
      case FRAME.synReply:
        throw new SpdyError('reply to a stream that nobody opened');
      case FRAME.headers:
        // Nothing in them counts, but the header stream goes on with them.
        this.#decoder.decode(payload.subarray(4));
        break;
      default:
      // SETTINGS and WINDOW_UPDATE are about windows; unknown frames are skipped (2.2.1).
    }
  }

  #open(flags: number, payload: Buffer): void {
    const id = streamIdOf(payload);
    if (payload.length < SYN_STREAM_BYTES) throw new SpdyError('control frame ends too early');
    if (id % 2 === 0 || id <= this.#lastStreamId) throw new SpdyError('bad number of a new stream');
    this.#lastStreamId = id;
    this.#lastActivity = performance.now();
    const headers = this.#decoder.decode(payload.subarray(SYN_STREAM_BYTES));
    if (this.#goingAway || this.#streams.size >= this.#limits.streamsMax) {
      this.#write(numbersFrame(FRAME.rstStream, id, RESET.refusedStream));
      return;
    }
    const stream = new SpdyStream(id, headers, this.#link);
    this.#streams.set(id, stream);
    if ((flags & FLAG_FIN) !== 0) stream.receive(Buffer.alloc(0), true);
    this.#onStream(stream);
  }

  /** Data for a stream that has ended is no fault: the peer may not know yet. */
  #data(streamId: number, part: Buffer, fin: boolean): void {
    if (this.#closing) return;
    this.#lastActivity = performance.now();
    if (streamId > this.#lastStreamId) throw new SpdyError('data for a stream that was not opened');
    this.#streams.get(streamId)?.receive(part, fin);
  }

  #reply(stream: SpdyStream): void {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(stream.id);
    const headers = this.#encoder.encode(new Map());
    this.#write(controlFrame(FRAME.synReply, 0, Buffer.concat([payload, headers])));
  }

  #send(stream: SpdyStream, data: Buffer, fin: boolean, done: () => void): void {
    this.#lastActivity = performance.now();
    const { chunkBytesMax } = this.#limits;
    let at = 0;
    do {
      const part = data.subarray(at, at + chunkBytesMax);
      at += part.length;
      this.#write(dataFrame(stream.id, part, fin && at >= data.length));
    } while (at < data.length);
    if (this.#transport.writableNeedDrain && !this.#closing) this.#waiting.push(done);
    else done();
  }

  #write(frame: Buffer): void {
    if (this.#transport.writable) this.#transport.write(frame);
  }

  #drained(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const done of waiting) done();
    this.#flow();
  }

  /** Reads the transport, or does not for now. */
  #flow(): void {
    if (this.#closing) return;
    const { bufferedBytesMax, outputBytesMax } = this.#limits;
    let buffered = 0;
    for (const stream of this.#streams.values()) buffered += stream.readableLength;
    // Answers to pings and resets would pile up for a peer that writes and never reads.
    const full = buffered > bufferedBytesMax || this.#transport.writableLength > outputBytesMax;
    if (full === this.#transport.isPaused()) return;
    if (full) this.#transport.pause();
    else this.#transport.resume();
  }

  #beat(): void {
    if (performance.now() - this.#lastActivity > this.#limits.idleMs) {
      this.close();
      return;
    }
    if (this.#transport.writableNeedDrain) return;
    this.#write(numbersFrame(FRAME.ping, this.#pingId));
    this.#pingId = (this.#pingId + 2) % 0x8000_0000;
  }

  #forget(stream: SpdyStream): void {
    this.#streams.delete(stream.id);
    if (this.#goingAway && this.#streams.size === 0) this.close();
    this.#flow();
  }

  /** The client has closed its half: nothing it opened can go on without it. */
  #ended(): void {
    this.close();
    this.#lost();
  }

  #lost(): void {
    if (this.#gone.signal.aborted) return;
    this.#closing = true;
    clearInterval(this.#keepAlive);
    this.#dropStreams();
    if (!this.#transport.writableFinished)
      this.#transport.once('finish', () => this.#transport.destroy());
    else this.#transport.destroy();
    this.#gone.abort();
  }

  #dropStreams(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const stream of this.#streams.values()) stream.abandon();
    for (const done of waiting) done();
  }
}
