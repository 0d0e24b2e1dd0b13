// Frames at random, sensible and not, thrown at a server and at a client: nothing may throw, every receiver
// must hear a story that makes sense, and how the bytes were cut must not matter.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Flag, FrameType } from './frames.ts';
import { H2ClientConnection } from './client.ts';
import { requestHead, Recorder, TestServer, TestWorker } from './testing/harness.ts';
import type { Exchange } from './testing/harness.ts';
import { MemoryTransport } from './testing/transports.ts';
import { block, frame, goawayCodes, readWire, resets, settings, uint32 } from './testing/wire.ts';
import type { WireFrame } from './testing/wire.ts';

const STREAM = fc.constantFrom(0, 1, 1, 1, 3, 3, 5, 7, 2, 9);
const FLAGS = fc.constantFrom(0, Flag.END_STREAM, Flag.END_HEADERS, 5, 5, 5, Flag.PADDED, 0x2d);
const NOISE = fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes));
const REQUEST = fc.constantFrom(
  block([':method', 'GET'], [':scheme', 'http'], [':authority', 'a'], [':path', '/']),
  block([':method', 'POST'], [':scheme', 'http'], [':authority', 'a'], [':path', '/'], ['x', 'y']),
  block(
    [':method', 'POST'],
    [':scheme', 'http'],
    [':authority', 'a'],
    [':path', '/'],
    ['content-length', '5'],
  ),
);
const RESPONSE = fc.constantFrom(
  block([':status', '200']),
  block([':status', '103']),
  block([':status', '204']),
  block([':status', '200'], ['content-length', '5']),
);
const NUMBER = fc.constantFrom(0, 1, 5, 8, 100, 16_384, 65_535, 0x7fff_ffff, 0xffff_ffff);

/** Any frame; header blocks are mostly of the given kind. */
function frames(blocks: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  const headers = fc
    .tuple(FLAGS, STREAM, fc.oneof({ weight: 5, arbitrary: blocks }, NOISE))
    .map(([flags, id, payload]) => frame(FrameType.HEADERS, flags, id, payload));
  const data = fc
    .tuple(
      FLAGS,
      STREAM,
      fc.oneof(NOISE, fc.constant(Buffer.alloc(5)), fc.constant(Buffer.alloc(9000))),
    )
    .map(([flags, id, payload]) => frame(FrameType.DATA, flags, id, payload));
  const numbers = fc
    .tuple(fc.constantFrom(FrameType.RST_STREAM, FrameType.WINDOW_UPDATE), STREAM, NUMBER)
    .map(([type, id, value]) => frame(type, 0, id, uint32(value)));
  const entries = fc
    .array(fc.tuple(fc.constantFrom(1, 2, 3, 4, 5, 8), NUMBER), { maxLength: 2 })
    .map((pairs) => settings(...pairs));
  const others = fc
    .tuple(fc.nat({ max: 12 }), fc.nat({ max: 255 }), STREAM, NOISE)
    .map(([type, flags, id, payload]) => frame(type, flags, id, payload));
  const ping = fc.constant(frame(FrameType.PING, 0, 0, Buffer.alloc(8)));
  return fc.oneof(
    { weight: 5, arbitrary: headers },
    { weight: 4, arbitrary: data },
    { weight: 3, arbitrary: numbers },
    { weight: 1, arbitrary: entries },
    { weight: 1, arbitrary: others },
    { weight: 1, arbitrary: ping },
  );
}

/** One body at most, one end at most, nothing after a reset. */
function checkStory(events: readonly string[]): void {
  const story = events.join(' ');
  assert.match(
    story,
    /^(interim ?)*((head ?)?(body ?)?(end ?)?|head\+end ?)(reset \w+)?$/,
    `a receiver heard: ${story}`,
  );
}

/** What the frames say, but for window updates: when those come depends on how the bytes were cut. */
function told(sent: readonly WireFrame[]): unknown {
  return {
    goaways: goawayCodes(sent),
    resets: resets(sent),
    heads: sent.filter((each) => each.type === FrameType.HEADERS).map((each) => each.streamId),
    pings: sent.filter((each) => each.type === FrameType.PING).length,
  };
}

/** What was heard. How much of a body came before it proved wrong depends on how the bytes were cut. */
function heard({ events }: Recorder): string {
  return events.join(' ').replace(/body (?=reset protocol)/, '');
}

function respond({ stream, recorder, head }: Exchange): void {
  if (recorder.reason !== null) return;
  const contentLength = head.method === 'GET' ? 3 : -1;
  stream.sendHead({ status: 200, fields: ['a', 'b'], contentLength }, false);
  stream.sendBody(Buffer.from('abc'));
  stream.sendEnd(head.method === 'GET' ? null : ['x', 'y']);
}

/** Sends the bytes in pieces, answers what is left open, closes; returns what the server did. */
function runServer(bytes: Buffer, pieceBytes: number): unknown {
  const server = TestServer.greeted();
  const sent: WireFrame[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    sent.push(...server.send(bytes.subarray(at, at + pieceBytes)));
  }
  for (const exchange of server.exchanges) respond(exchange);
  sent.push(...server.answers());
  const events = server.exchanges.map(({ recorder }) => heard(recorder));
  server.worker.pass(100_000);
  server.connection.onTransportClose();
  server.worker.endTurn();
  for (const { recorder } of server.exchanges) checkStory(recorder.events);
  return { told: told(sent), events, counters: server.worker.counters.streamErrors };
}

function runClient(bytes: Buffer, pieceBytes: number): unknown {
  const worker = new TestWorker();
  const transport = new MemoryTransport();
  const client = new H2ClientConnection({
    transport,
    shared: worker.shared,
    scheme: 'http',
    onClosed: () => undefined,
  });
  const recorders = [1, 3, 5].map((id) => {
    const recorder = new Recorder();
    const sender = client.request(requestHead({ contentLength: -1 }), id !== 3, recorder);
    if (id === 3) sender.sendBody(Buffer.alloc(70_000));
    return recorder;
  });
  client.onTransportData(settings());
  worker.endTurn();
  transport.take();
  const sent: WireFrame[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    client.onTransportData(Buffer.from(bytes.subarray(at, at + pieceBytes)));
    worker.endTurn();
    sent.push(...readWire(transport.take()));
  }
  const events = recorders.map(heard);
  worker.pass(1_000_000);
  client.destroy();
  for (const recorder of recorders) checkStory(recorder.events);
  return { told: told(sent), events };
}

const PIECES = fc.constantFrom(1, 2, 3, 7, 10, 50, 1000);

for (const [who, run, blocks] of [
  ['server', runServer, REQUEST],
  ['client', runClient, RESPONSE],
] as const) {
  test(
    `a ${who} survives any frames, and how they are cut does not matter`,
    { timeout: 120_000 },
    () => {
      fc.assert(
        fc.property(fc.array(frames(blocks), { maxLength: 14 }), PIECES, (sequence, pieceBytes) => {
          const bytes = Buffer.concat(sequence);
          assert.deepEqual(run(bytes, pieceBytes), run(bytes, Infinity));
        }),
        { numRuns: 1500 },
      );
    },
  );
}
