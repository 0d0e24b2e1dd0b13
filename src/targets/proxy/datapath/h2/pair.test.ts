// Our client against our server, in memory: whatever the exchange and however the bytes are cut, both ends
// must tell of it the same.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Fields, Receiver, RequestHead, Sender, ServerStream } from '../stream.ts';
import { BlockReader, Recorder, requestHead, TestPair } from './testing/harness.ts';
import { readWire } from './testing/wire.ts';

/** What one request and its response carry. */
interface Plan {
  readonly fields: Fields;
  readonly bodyBytes: readonly number[];
  readonly trailers: Fields | null;
  readonly interims: number;
  readonly responseFields: Fields;
  readonly responseBytes: readonly number[];
  readonly responseTrailers: Fields | null;
  readonly knowsLength: boolean;
  /** How often the receivers stop for a step. */
  readonly pauseEvery: number;
}

/** Sends pieces of a body one after another, as fast as they are taken. */
class Pusher {
  private readonly sender: Sender;
  private readonly pieces: Buffer[];
  private readonly trailers: Fields | null;
  private ended = false;

  constructor(sender: Sender, pieces: readonly Buffer[], trailers: Fields | null) {
    this.sender = sender;
    this.pieces = [...pieces];
    this.trailers = trailers;
  }

  push(): void {
    while (this.pieces.length > 0) {
      const piece = Buffer.from(this.pieces.shift()!);
      const flows = this.sender.sendBody(piece);
      // The rule is that what was passed is only valid during the call.
      piece.fill(0xa5);
      if (!flows) return;
    }
    if (!this.ended) {
      this.ended = true;
      this.sender.sendEnd(this.trailers);
    }
  }
}

/** Records, pauses now and then, and goes on pushing when there is room. */
class Half extends Recorder {
  pusher: Pusher | null = null;
  sender: Sender | null = null;
  paused = false;
  private readonly pauseEvery: number;
  private pieces = 0;

  constructor(pauseEvery: number) {
    super();
    this.pauseEvery = pauseEvery;
  }

  override onBody(bytes: Buffer): void {
    assert.equal(this.paused, false, 'body after pause');
    super.onBody(bytes);
    this.pieces++;
    if (this.pauseEvery === 0 || this.pieces % this.pauseEvery !== 0) return;
    this.paused = true;
    this.sender!.pause();
  }

  override onDrain(): void {
    super.onDrain();
    this.pusher?.push();
  }

  resume(): boolean {
    if (!this.paused) return false;
    this.paused = false;
    this.sender!.resume();
    return true;
  }
}

/** A body whose bytes tell their place, so that a lost or doubled one is seen. */
function bodyOf(sizes: readonly number[]): Buffer[] {
  let at = 0;
  return sizes.map((size) => Buffer.from(Uint8Array.from({ length: size }, () => at++ * 7)));
}

class Played {
  readonly requests: { readonly head: RequestHead; readonly half: Half; readonly plan: Plan }[] =
    [];
  readonly responses: { readonly half: Half; readonly plan: Plan }[] = [];
  readonly pair: TestPair;
  private readonly plans: readonly Plan[];

  constructor(plans: readonly Plan[]) {
    this.plans = plans;
    const limits = {
      streamWindowBytes: 3000,
      connectionWindowBytes: 70_000,
      controlFramesBurst: 1e6,
      headFieldsMax: 100,
    };
    this.pair = new TestPair((stream, head) => this.answer(stream, head), limits);
  }

  run(sizes: readonly number[]): void {
    this.plans.forEach((plan, index) => this.ask(plan, index));
    do {
      this.pair.settle(sizes);
    } while ([...this.requests, ...this.responses].some(({ half }) => half.resume()));
    this.pair.settle(sizes);
  }

  private ask(plan: Plan, index: number): void {
    const half = new Half(plan.pauseEvery);
    const body = bodyOf(plan.bodyBytes);
    const bytes = plan.bodyBytes.reduce((sum, each) => sum + each, 0);
    const end = body.length === 0 && plan.trailers === null;
    const head = requestHead({
      method: 'POST',
      target: `/${index}`,
      fields: [...plan.fields],
      contentLength: plan.knowsLength ? bytes : -1,
    });
    half.sender = this.pair.client.request(head, end, half);
    half.pusher = end ? null : new Pusher(half.sender, body, plan.trailers);
    half.pusher?.push();
    this.responses.push({ half, plan });
  }

  private answer(stream: ServerStream, head: RequestHead): Receiver {
    const plan = this.plans[Number(head.target.slice(1))]!;
    const half = new Half(plan.pauseEvery);
    half.sender = stream;
    this.requests.push({ head, half, plan });
    for (let count = 0; count < plan.interims; count++)
      stream.sendInterim(103, ['x-step', `${count}`]);
    const bytes = plan.responseBytes.reduce((sum, each) => sum + each, 0);
    const contentLength = plan.knowsLength ? bytes : -1;
    stream.sendHead({ status: 200, fields: [...plan.responseFields], contentLength }, false);
    half.pusher = new Pusher(stream, bodyOf(plan.responseBytes), plan.responseTrailers);
    half.pusher.push();
    return half;
  }
}

function lowered(fields: Fields): Fields {
  return fields.map((text, at) => (at % 2 === 0 ? text.toLowerCase() : text));
}

function check(played: Played): void {
  assert.deepEqual(played.pair.happened, []);
  assert.equal(played.requests.length, played.responses.length);
  for (const { head, half, plan } of played.requests) {
    assert.deepEqual(head.fields, lowered(plan.fields));
    assert.ok(half.body.equals(Buffer.concat(bodyOf(plan.bodyBytes))), 'the request body');
    // A request that ended with its head, and was answered before the handler returned, is over by then.
    const ends = half.events.filter((each) => each === 'end').length;
    assert.ok(ends === 1 || (ends === 0 && plan.bodyBytes.length === 0), `${ends} ends`);
    assert.deepEqual(half.trailers, plan.trailers);
    assert.equal(half.reason, null);
  }
  for (const { half, plan } of played.responses) {
    assert.equal(half.interims.length, plan.interims);
    assert.deepEqual(half.heads[0]?.fields, lowered(plan.responseFields));
    assert.ok(half.body.equals(Buffer.concat(bodyOf(plan.responseBytes))), 'the response body');
    assert.deepEqual(half.trailers, plan.responseTrailers);
    assert.equal(half.reason, null);
  }
}

const NAME = fc.constantFrom('X-One', 'accept', 'x-two', 'Cache-Control', 'user-agent');
const VALUE = fc.oneof(
  fc.constantFrom('', 'no-cache', 'a'.repeat(500)),
  fc.stringMatching(/^[!-~]{1,20}$/),
);
const FIELDS = fc.array(fc.tuple(NAME, VALUE), { maxLength: 6 }).map((pairs) => pairs.flat());
const TRAILERS = fc
  .option(
    fc.array(fc.tuple(fc.constantFrom('x-sum', 'grpc-status'), VALUE), {
      minLength: 1,
      maxLength: 3,
    }),
  )
  .map((pairs) => pairs?.flat() ?? null);
const SIZES = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 20_000 })),
  {
    maxLength: 5,
  },
);
const PLAN: fc.Arbitrary<Plan> = fc.record({
  fields: FIELDS,
  bodyBytes: SIZES,
  trailers: TRAILERS,
  interims: fc.nat({ max: 2 }),
  responseFields: FIELDS,
  responseBytes: SIZES,
  responseTrailers: TRAILERS,
  knowsLength: fc.boolean(),
  pauseEvery: fc.constantFrom(0, 0, 1, 3),
});
const CUTS = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 100, max: 40_000 })),
  { minLength: 1, maxLength: 12 },
);

test('any exchanges arrive whole, however the bytes are cut', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(fc.array(PLAN, { minLength: 1, maxLength: 6 }), CUTS, (plans, cuts) => {
      const played = new Played(plans);
      played.run(cuts);
      check(played);
    }),
    { numRuns: 150 },
  );
});

test('byte by byte is no different', () => {
  const plan: Plan = {
    fields: ['X-One', '1'],
    bodyBytes: [5000, 1],
    trailers: ['x-sum', '2'],
    interims: 1,
    responseFields: ['x-two', '2'],
    responseBytes: [7000],
    responseTrailers: ['grpc-status', '0'],
    knowsLength: true,
    pauseEvery: 2,
  };
  const played = new Played([plan, plan]);
  played.run([1]);
  check(played);
});

test('a client that drains and a server that drains both end when the last stream has', () => {
  for (const side of ['client', 'server'] as const) {
    let stream: ServerStream | null = null;
    const pair = new TestPair((opened) => {
      stream = opened;
      return new Recorder();
    });
    const recorder = new Recorder();
    pair.client.request(requestHead(), true, recorder);
    pair.settle();
    pair[side].drain();
    pair.settle();
    assert.equal(pair.client.available, false);
    stream!.sendHead({ status: 204, fields: [], contentLength: 0 }, true);
    pair.settle();
    assert.deepEqual(recorder.events, ['head+end']);
    const ended = side === 'client' ? pair.toServer.ended : pair.toClient.ended;
    assert.equal(ended, true);
  }
});

test('what one hop marks as never indexed goes on so to the next', () => {
  const pair = new TestPair(() => new Recorder());
  pair.worker.shared.requestSecrets.add('x-token');
  pair.settle();
  pair.client.request(requestHead({ fields: ['X-Token', 'abc'] }), true, new Recorder());
  pair.worker.endTurn();
  const [headers] = readWire(pair.toServer.take());
  const reader = new BlockReader();
  reader.read(headers!.payload);
  assert.equal(reader.secrets.has('x-token'), true);
});
