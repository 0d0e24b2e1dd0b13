// What all HTTP/2 connections of a worker share: limits, counters, buffers, and the tools that work on one
// header block at a time. Made once for each worker.

import type { Clock } from '../clock.ts';
import type { Limits } from '../limits.ts';
import { BufferPool } from './buffer-pool.ts';
import { FieldList } from './field-list.ts';
import { FlushQueue } from './flush-queue.ts';
import { FRAME_BYTES_MAX } from './frames.ts';
import { scratchBytesFor } from './hpack/decoder.ts';
import { SecretNames } from './hpack/secret-names.ts';
import { RequestHeadReader } from './request-head.ts';

/** What HTTP/2 connections count. */
export interface H2Counters {
  /** Requests taken from clients, and requests sent to backends. */
  streamsOpened: number;
  /** Streams refused because the peer had too many open. */
  streamsRefused: number;
  /** Requests answered by us: a head too large, a method or an expectation we do not take. */
  requestsRefused: number;
  resetsSent: number;
  resetsReceived: number;
  /** Streams reset because of what the peer sent on them. */
  streamErrors: number;
  /** Connections ended because of what the peer sent. */
  protocolErrors: number;
  /** Connections ended because the peer sent too much of what costs it little. */
  floodGoaways: number;
  /** Connections ended, and streams reset, because a time ran out. */
  timeouts: number;
  /** Fields left out of what we sent: connection-specific, or with bytes that would break a message. */
  fieldsDropped: number;
}

export function newH2Counters(): H2Counters {
  return {
    streamsOpened: 0,
    streamsRefused: 0,
    requestsRefused: 0,
    resetsSent: 0,
    resetsReceived: 0,
    streamErrors: 0,
    protocolErrors: 0,
    floodGoaways: 0,
    timeouts: 0,
    fieldsDropped: 0,
  };
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
