// The server's end of a stream: takes the response from the exchange and writes it as HEADERS and DATA.
//
// Budget: as stream.ts. Allocates itself. Guarded by bench/proxy.ts.

import assert from 'node:assert/strict';
import { LENGTH_UNKNOWN } from '../stream.ts';
import type { Fields, Receiver, RequestHead, ResponseHead, ServerStream } from '../stream.ts';
import type { H2ServerConnection } from './server.ts';
import { H2Stream } from './stream.ts';

/** Stands in until the exchange has returned its receiver, during which nothing can come in. */
const NO_RECEIVER: Receiver = {
  onBody: noEvent,
  onEnd: noEvent,
  onReset: noEvent,
  onDrain: noEvent,
};

function noEvent(): void {}

export class H2ServerStream extends H2Stream implements ServerStream {
  readonly record = null;
  private readonly server: H2ServerConnection;
  /** The request asked for a tunnel (RFC 8441). */
  private readonly tunnelAsked: boolean;
  private headSent = false;
  private isTunnel = false;

  constructor(server: H2ServerConnection, id: number, head: RequestHead) {
    super(server, id, NO_RECEIVER);
    this.server = server;
    this.tunnelAsked = head.protocol !== '';
  }

  /**
   * Also when the request's body stays away, but not between the head and the end of the response: there
   * the two may be a conversation (gRPC), in which silence is nobody's fault. A tunnel has a time of its own.
   */
  override isOverdue(nowMs: number): boolean {
    if (super.isOverdue(nowMs)) return true;
    if (this.isTunnel) {
      return nowMs - this.activeAtMs >= this.connection.limits.tunnelIdleTimeoutMs;
    }
    const ownsTurn = this.localEnded || (!this.headSent && !this.tunnelAsked);
    return ownsTurn && !this.remoteEnded && !this.paused && this.isIdle(nowMs);
  }

  sendInterim(status: number, fields: Fields): void {
    if (this.closed || this.headSent || status === 101)
      assert.fail('interim response out of place');
    this.server.writeResponse(this, { status, fields, contentLength: LENGTH_UNKNOWN }, false);
    this.frameAt = -1;
  }

  sendHead(head: ResponseHead, end: boolean): void {
    if (this.closed || this.headSent) assert.fail('second head of a response');
    this.headSent = true;
    this.endAsked = end;
    this.localEnded = end;
    this.server.writeResponse(this, head, end);
    if (end) this.server.settle(this);
  }

  /** Answers 200: what HTTP/1.1 says with 101 (RFC 8441 §5). */
  startTunnel(head: ResponseHead): void {
    if (!this.tunnelAsked) assert.fail('tunnel that was not asked for');
    this.isTunnel = true;
    this.sendHead({ status: 200, fields: head.fields, contentLength: LENGTH_UNKNOWN }, false);
  }
}
