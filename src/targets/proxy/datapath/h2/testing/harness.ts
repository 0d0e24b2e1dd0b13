// Connections with everything around them in the test's hand: the clock, the end of the event-loop turn,
// the transport. Receivers that write down what they are told.

import { Clock } from '../../clock.ts';
import { DEFAULT_LIMITS } from '../../limits.ts';
import type { Limits } from '../../limits.ts';
import type {
  Fields,
  Receiver,
  RequestHandler,
  RequestHead,
  ResetReason,
  ResponseHead,
  ResponseReceiver,
  ServerStream,
} from '../../stream.ts';
import { H2ClientConnection } from '../client.ts';
import { Decoder, scratchBytesFor } from '../hpack/decoder.ts';
import { SecretNames } from '../hpack/secret-names.ts';
import { FieldList } from '../field-list.ts';
import { H2ServerConnection } from '../server.ts';
import { H2Shared, newH2Counters } from '../shared.ts';
import { MemoryTransport } from './transports.ts';
import { HELLO, readWire } from './wire.ts';
import type { WireFrame } from './wire.ts';

/** A worker's shared state with a clock that stands still and turns that end when the test says so. */
export class TestWorker {
  readonly clock = new Clock();
  readonly counters = newH2Counters();
  readonly shared: H2Shared;
  private turnEnds: (() => void)[] = [];

  constructor(limits: Partial<Limits> = {}) {
    this.clock.nowMs = 1;
    this.shared = new H2Shared({
      limits: { ...DEFAULT_LIMITS, ...limits },
      clock: this.clock,
      counters: this.counters,
      schedule: (run) => this.turnEnds.push(run),
    });
  }

  /** Ends the turn: everything sent goes to the transports. */
  endTurn(): void {
    const runs = this.turnEnds;
    this.turnEnds = [];
    for (const run of runs) run();
  }

  /** Lets time pass and the clock tick once. */
  pass(ms: number): void {
    this.clock.tick(this.clock.nowMs + ms);
    this.endTurn();
  }
}

/** Writes down what a receiver is told; bodies are joined. */
export class Recorder implements ResponseReceiver {
  readonly events: string[] = [];
  readonly heads: ResponseHead[] = [];
  readonly interims: { readonly status: number; readonly fields: Fields }[] = [];
  body: Buffer = Buffer.alloc(0);
  trailers: Fields | null = null;
  reason: ResetReason | null = null;
  drains = 0;

  onInterim(status: number, fields: Fields): void {
    this.events.push('interim');
    this.interims.push({ status, fields });
  }

  onHead(head: ResponseHead, end: boolean): void {
    this.events.push(end ? 'head+end' : 'head');
    this.heads.push(head);
  }

  onTunnel(head: ResponseHead): void {
    this.events.push('tunnel');
    this.heads.push(head);
  }

  onBody(bytes: Buffer): void {
    if (this.events.at(-1) !== 'body') this.events.push('body');
    this.body = Buffer.concat([this.body, bytes]);
  }

  onEnd(trailers: Fields | null): void {
    this.events.push('end');
    this.trailers = trailers;
  }

  onReset(reason: ResetReason): void {
    this.events.push(`reset ${reason}`);
    this.reason = reason;
  }

  onDrain(): void {
    this.drains++;
  }
}

/** A request that came to a test's server, with what was recorded of it. */
export interface Exchange {
  readonly stream: ServerStream;
  readonly head: RequestHead;
  readonly hasBody: boolean;
  readonly recorder: Recorder;
}

/** A server connection whose client is the test, speaking in bytes. */
export class TestServer {
  readonly worker: TestWorker;
  readonly transport = new MemoryTransport();
  readonly exchanges: Exchange[] = [];
  readonly connection: H2ServerConnection;
  closed = false;

  constructor(limits: Partial<Limits> = {}, scheme: 'http' | 'https' = 'http') {
    this.worker = new TestWorker(limits);
    this.connection = new H2ServerConnection({
      transport: this.transport,
      shared: this.worker.shared,
      scheme,
      onRequest: (stream, head, hasBody) => this.record(stream, head, hasBody),
      onClosed: () => {
        this.closed = true;
      },
    });
    this.transport.handler = this.connection;
  }

  /** Greets the server and throws its greeting away. */
  static greeted(limits: Partial<Limits> = {}): TestServer {
    const server = new TestServer(limits);
    server.send(HELLO);
    return server;
  }

  /** Sends bytes as the client, ends the turn, and returns the frames the server answers with. */
  send(...parts: Buffer[]): WireFrame[] {
    for (const part of parts) this.connection.onTransportData(Buffer.from(part));
    return this.answers();
  }

  /** The frames the server has sent since last asked. */
  answers(): WireFrame[] {
    this.worker.endTurn();
    return readWire(this.transport.take());
  }

  private record(stream: ServerStream, head: RequestHead, hasBody: boolean): Receiver {
    const recorder = new Recorder();
    this.exchanges.push({ stream, head, hasBody, recorder });
    return recorder;
  }
}

/** A client connection and a server connection joined in memory. */
export class TestPair {
  readonly worker: TestWorker;
  readonly toServer = new MemoryTransport();
  readonly toClient = new MemoryTransport();
  readonly client: H2ClientConnection;
  readonly server: H2ServerConnection;
  readonly happened: string[] = [];

  constructor(onRequest: RequestHandler, limits: Partial<Limits> = {}) {
    this.worker = new TestWorker(limits);
    const { shared } = this.worker;
    this.client = new H2ClientConnection({
      transport: this.toServer,
      shared,
      scheme: 'http',
      onAvailable: () => this.happened.push('client available'),
      onClosed: () => this.happened.push('client closed'),
    });
    this.server = new H2ServerConnection({
      transport: this.toClient,
      shared,
      scheme: 'http',
      onRequest,
      onClosed: () => this.happened.push('server closed'),
    });
    this.toServer.handler = this.client;
    this.toServer.peer = this.server;
    this.toClient.handler = this.server;
    this.toClient.peer = this.client;
  }

  /** Passes bytes both ways until there are none left; `sizes` are the pieces they are cut into, in turn. */
  settle(sizes: readonly number[] = [Infinity]): void {
    let step = 0;
    for (;;) {
      this.worker.endTurn();
      const size = sizes[step++ % sizes.length]!;
      const moved = [this.toServer.deliver(size), this.toClient.deliver(size)];
      if (!moved.includes(true)) return;
    }
  }
}

/** Decodes header blocks of one connection in order, as a peer would. */
export class BlockReader {
  /** The names that were marked as never to be indexed. */
  readonly secrets = new SecretNames();
  private readonly decoder = new Decoder(Buffer.alloc(scratchBytesFor(1024 * 1024)), this.secrets);
  private readonly list = new FieldList(1000);

  /** The fields, flat; throws where the block is not valid. */
  read(bytes: Buffer): Fields {
    this.list.reset(Infinity);
    if (!this.decoder.decode(bytes, 0, bytes.length, this.list)) throw new Error('invalid block');
    const fields: Fields = [];
    for (let at = 0; at < this.list.count; at++) {
      fields.push(this.list.names[at]!, this.list.values[at]!);
    }
    return fields;
  }
}

/** A request head with everything a test does not care for filled in. */
export function requestHead(head: Partial<RequestHead> = {}): RequestHead {
  return {
    method: 'GET',
    target: '/',
    authority: 'example.com',
    scheme: 'http',
    fields: [],
    contentLength: 0,
    protocol: '',
    expectContinue: false,
    ...head,
  };
}
