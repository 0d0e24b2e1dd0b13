// What all HTTP/2 connections of a worker share: limits, counters, buffers, and the tools that work on one
// header block at a time. Made once for each worker.
//
// Not hot: made once; what it holds is used by all.

import type { Clock } from '../clock.ts';
import { namedNumbers } from '../counters.ts';
import type { Limits } from '../limits.ts';
import { BufferPool } from './buffer-pool.ts';
import { FieldList } from './field-list.ts';
import { FlushQueue } from './flush-queue.ts';
import { FRAME_BYTES_MAX } from './frames.ts';
import { scratchBytesFor } from './hpack/decoder.ts';
import { SecretNames } from './hpack/secret-names.ts';
import { RequestHeadReader } from './request-head.ts';

/** What HTTP/2 connections count, with what it says. */
export const H2_COUNTERS = {
  streamsOpened: 'Requests taken from clients, and requests sent to backends',
  streamsRefused: 'Streams refused because the peer had streamsMax open',
  requestsRefused:
    'Requests answered by us: a head too large, a method or an expectation we do not take',
  resetsSent: 'Streams reset by us',
  resetsReceived: 'Streams reset by peers',
  streamErrors: 'Streams reset because of what the peer sent on them',
  protocolErrors: 'Connections ended because of what the peer sent',
  floodGoaways: 'Connections ended because the peer sent too much of what costs it little',
  timeouts: 'Connections ended, and streams reset, because a time ran out',
  fieldsDropped:
    'Fields left out of what we sent: connection-specific, or with bytes that would break a message',
} as const;

export type H2Counters = Record<keyof typeof H2_COUNTERS, number>;

const H2_NAMES = Object.keys(H2_COUNTERS) as (keyof H2Counters)[];

/** How many numbers there are. */
export const H2_COUNTER_COUNT = H2_NAMES.length;

/** Counters over `values`, as in ../counters.ts. */
export const newH2Counters: (values?: Float64Array) => H2Counters = namedNumbers(H2_NAMES);

/** The counters as they are now, as plain data. */
export function readH2Counters(values: Float64Array): H2Counters {
  return Object.fromEntries(H2_NAMES.map((name, i) => [name, values[i] ?? 0])) as H2Counters;
}

export interface H2SharedOptions {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly counters: H2Counters;
  /** Runs a function at the end of the event-loop turn; tests bring their own. */
  readonly schedule?: (run: () => void) => void;
}

export class H2Shared {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly counters: H2Counters;
  readonly buffers = new BufferPool();
  readonly flushQueue: FlushQueue;
  readonly fields: FieldList;
  readonly requestHeads = new RequestHeadReader();
  /** Names of fields that clients, and backends, marked as never to be indexed. */
  readonly requestSecrets = new SecretNames();
  readonly responseSecrets = new SecretNames();
  /** Compressed bytes a header block may have: one frame at least. */
  readonly blockBytesMax: number;
  readonly huffmanScratch: Buffer;

  constructor(options: H2SharedOptions) {
    this.limits = options.limits;
    this.clock = options.clock;
    this.counters = options.counters;
    this.flushQueue = new FlushQueue(options.schedule ?? setImmediate);
    this.fields = new FieldList(options.limits.headFieldsMax);
    this.blockBytesMax = Math.max(options.limits.headBytesMax, FRAME_BYTES_MAX);
    this.huffmanScratch = Buffer.allocUnsafeSlow(scratchBytesFor(this.blockBytesMax));
  }
}
