// Whole connections without sockets: our client and server, and node:http2's, each pair joined in memory in
// this one thread. What it shows is the cost of the framing alone, both ends together.
// Run: bin/node bench/h2/connection.ts

import http2 from 'node:http2';
import { duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';
import { Clock } from '../../src/targets/proxy/datapath/clock.ts';
import { H2ClientConnection } from '../../src/targets/proxy/datapath/h2/client.ts';
import type { Transport } from '../../src/targets/proxy/datapath/stream.ts';
import { H2ServerConnection } from '../../src/targets/proxy/datapath/h2/server.ts';
import { H2Shared, newH2Counters } from '../../src/targets/proxy/datapath/h2/shared.ts';
import { DEFAULT_LIMITS } from '../../src/targets/proxy/datapath/limits.ts';
import type {
  Receiver,
  RequestHead,
  ResponseReceiver,
  ServerStream,
  TransportHandler,
} from '../../src/targets/proxy/datapath/stream.ts';

const CONCURRENT = 32;
const FIELDS = ['content-type', 'text/plain', 'server', 'fairway', 'date', 'now'];
const ignore = (): void => undefined;

/** Hands what is written to the other side at the end of the turn, as one read. */
class Wire implements Transport {
  readonly bufferedBytes = 0;
  peer: TransportHandler | null = null;

  write(chunk: Buffer | string): boolean {
    const bytes = Buffer.from(chunk as Buffer);
    setImmediate(() => this.peer!.onTransportData(bytes));
    return true;
  }

  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

/** One size of response, and how many of them one run asks for. */
interface Load {
  readonly bodyBytes: number;
  readonly requests: number;
}

class Answer implements Receiver {
  private readonly stream: ServerStream;
  private readonly body: Buffer;
  private sent = 0;

  constructor(stream: ServerStream, body: Buffer) {
    this.stream = stream;
    this.body = body;
  }

  onEnd(): void {
    const { body } = this;
    this.stream.sendHead({ status: 200, fields: FIELDS, contentLength: body.length }, false);
    this.onDrain();
  }

  onDrain(): void {
    while (this.sent < this.body.length) {
      const end = Math.min(this.body.length, this.sent + 65_536);
      const flows = this.stream.sendBody(this.body.subarray(this.sent, end));
      this.sent = end;
      if (!flows) return;
    }
    this.stream.sendEnd(null);
  }

  onBody(): void {}
  onReset(): void {}
}

async function runOurs({ bodyBytes, requests }: Load): Promise<void> {
  const counters = newH2Counters();
  const shared = new H2Shared({ limits: DEFAULT_LIMITS, clock: new Clock(), counters });
  const [toServer, toClient] = [new Wire(), new Wire()];
  const body = Buffer.alloc(bodyBytes, 'a');
  const client = new H2ClientConnection({
    transport: toServer,
    shared,
    scheme: 'http',
    onClosed: ignore,
  });
  toClient.peer = client;
  toServer.peer = new H2ServerConnection({
    transport: toClient,
    shared,
    scheme: 'http',
    onRequest: (stream) => new Answer(stream, body),
    onClosed: ignore,
  });
  const head: RequestHead = {
    method: 'GET',
    target: '/index.html',
    authority: 'example.com',
    scheme: 'http',
    fields: ['user-agent', 'bench', 'accept', '*/*'],
    contentLength: 0,
    protocol: '',
    expectContinue: false,
  };
  await new Promise<void>((resolve) => {
    let left = requests;
    let running = 0;
    const done = (): void => {
      running--;
      if (left > 0) ask();
      else if (running === 0) resolve();
    };
    const receiver: ResponseReceiver = {
      onInterim: ignore,
      onHead: ignore,
      onTunnel: ignore,
      onBody: ignore,
      onEnd: done,
      onReset: done,
      onDrain: ignore,
    };
    const ask = (): void => {
      left--;
      running++;
      client.request(head, true, receiver);
    };
    while (running < CONCURRENT) ask();
  });
  if (counters.resetsSent > 0) throw new Error('streams were reset');
}

async function runNode({ bodyBytes, requests }: Load): Promise<void> {
  const [clientSide, serverSide] = duplexPair();
  const body = Buffer.alloc(bodyBytes, 'a');
  // 32 bodies of 1 MiB are more than node:http2 lets a session hold by default.
  const server = http2.createServer({ maxSessionMemory: 100 });
  server.on('stream', (stream) => {
    stream.respond({
      ':status': 200,
      'content-length': body.length,
      'content-type': 'text/plain',
      server: 'fairway',
      date: 'now',
    });
    stream.end(body);
  });
  server.emit('connection', serverSide);
  const session = http2.connect('http://example.com', {
    createConnection: (): Duplex => clientSide,
  });
  await new Promise<void>((resolve) => {
    let left = requests;
    let running = 0;
    const ask = (): void => {
      left--;
      running++;
      const stream = session.request({
        ':path': '/index.html',
        'user-agent': 'bench',
        accept: '*/*',
      });
      stream.on('data', ignore);
      stream.on('end', () => {
        running--;
        if (left > 0) ask();
        else if (running === 0) resolve();
      });
    };
    while (running < CONCURRENT) ask();
  });
  session.destroy();
}

async function compare(load: Load): Promise<void> {
  const rates: number[] = [];
  for (const run of [runOurs, runNode]) {
    await run({ ...load, requests: Math.ceil(load.requests / 4) });
    let best = 0;
    for (let round = 0; round < 3; round++) {
      const start = performance.now();
      await run(load);
      best = Math.max(best, (load.requests / (performance.now() - start)) * 1000);
    }
    rates.push(best);
  }
  const [ours, nodes] = rates;
  process.stdout.write(
    `${String(load.bodyBytes).padStart(8)} bytes: ours ${ours!.toFixed(0).padStart(7)} requests/s, ` +
      `node:http2 ${nodes!.toFixed(0).padStart(6)}, ${(ours! / nodes!).toFixed(1)} times\n`,
  );
}

await compare({ bodyBytes: 19, requests: 40_000 });
await compare({ bodyBytes: 16_384, requests: 20_000 });
await compare({ bodyBytes: 1_048_576, requests: 400 });
