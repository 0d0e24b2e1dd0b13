// A request that somebody looks at: stands between the connection and what becomes of the request, counts
// what passes, and tells how it ended. Requests nobody looks at never meet it.
//
//   connection ─▶ ObservedStream (Receiver) ─▶ exchange
//   connection ◀─ ObservedStream (ServerStream) ◀─ exchange
//
// Budget: 1 µs for a request that is looked at. Allocates itself and the record.

import type { Fields, Receiver, ResetReason, ResponseHead, ServerStream } from '../stream.ts';
import type { RequestRecord } from './record.ts';

export class ObservedStream implements ServerStream, Receiver {
  readonly record: RequestRecord;
  /** What receives the request; set as soon as there is one. */
  receiver: Receiver | null = null;
  readonly #stream: ServerStream;
  readonly #began: number;
  readonly #onOver: (record: RequestRecord) => void;
  #over = false;
  #tunnel = false;

  constructor(
    stream: ServerStream,
    record: RequestRecord,
    onOver: (record: RequestRecord) => void,
  ) {
    this.#stream = stream;
    this.record = record;
    this.#began = performance.now();
    this.#onOver = onOver;
  }

  // ── The response ────────────────────────────────────────────────────────────────────────────────

  sendInterim(status: number, fields: Fields): void {
    this.#stream.sendInterim(status, fields);
  }

  sendHead(head: ResponseHead, end: boolean): void {
    this.record.status = head.status;
    const { requestId } = this.record;
    const told =
      requestId === '' ? head : { ...head, fields: [...head.fields, 'x-request-id', requestId] };
    this.#stream.sendHead(told, end);
    if (end) this.#finish('done');
  }

  sendBody(bytes: Buffer): boolean {
    this.record.bytesOut += bytes.length;
    return this.#stream.sendBody(bytes);
  }

  sendEnd(trailers: Fields | null): void {
    this.#stream.sendEnd(trailers);
    if (!this.#tunnel) this.#finish('done');
  }

  startTunnel(head: ResponseHead): void {
    this.record.status = head.status;
    this.#tunnel = true;
    this.#stream.startTunnel(head);
  }

  reset(reason: ResetReason): void {
    this.#stream.reset(reason);
    this.#finish(this.#tunnel ? 'done' : 'reset');
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  // ── The request ─────────────────────────────────────────────────────────────────────────────────

  onBody(bytes: Buffer): void {
    this.record.bytesIn += bytes.length;
    this.receiver?.onBody(bytes);
  }

  onEnd(trailers: Fields | null): void {
    this.receiver?.onEnd(trailers);
  }

  onReset(reason: ResetReason): void {
    this.#finish(this.#tunnel ? 'done' : 'reset');
    this.receiver?.onReset(reason);
  }

  onDrain(): void {
    this.receiver?.onDrain();
  }

  #finish(end: RequestRecord['end']): void {
    if (this.#over) return;
    this.#over = true;
    const { record } = this;
    record.end = end;
    record.durationMs = performance.now() - this.#began;
    this.#onOver(record);
  }
}
