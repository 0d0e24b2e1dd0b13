// The client's end of a stream: the exchange sends a request's body through it, and its receiver takes the
// response.
//
// Budget: as stream.ts. Allocates itself. Guarded by bench/proxy.ts.

import { LENGTH_UNKNOWN } from '../stream.ts';
import type { RequestHead, ResetReason, ResponseHead, ResponseReceiver } from '../stream.ts';
import { withAccept } from '../websocket.ts';
import type { H2ClientConnection } from './client.ts';
import { H2Stream } from './stream.ts';

export class H2ClientStream extends H2Stream<ResponseReceiver> {
  /** Of the request: the response to HEAD has no body, whatever its length says. */
  readonly method: string;
  /** The protocol of the tunnel that the request asked for (RFC 8441); '' for none. */
  private readonly protocol: string;
  /** Of a WebSocket asked for in HTTP/1.1: what the answer must prove; '' for none. */
  key = '';
  /** The final head of the response has come. */
  headReceived = false;

  constructor(
    client: H2ClientConnection,
    id: number,
    head: RequestHead,
    receiver: ResponseReceiver,
  ) {
    super(client, id, receiver);
    this.method = head.method;
    this.protocol = head.protocol;
  }

  get tunnelAsked(): boolean {
    return this.protocol !== '';
  }

  /** The backend's agreement, as HTTP/1.1 says it. */
  asUpgraded({ fields }: ResponseHead): ResponseHead {
    const told = withAccept(fields, this.key, this.protocol);
    return { status: 101, fields: told, contentLength: LENGTH_UNKNOWN };
  }

  /**
   * Also when the backend is silent for too long while it owes a response (a tunnel may be), or when the
   * rest of a request stays away after its response is complete.
   */
  override isOverdue(nowMs: number): boolean {
    if (super.isOverdue(nowMs)) return true;
    if (this.remoteEnded) return this.isIdle(nowMs);
    if (this.paused || (this.tunnelAsked && this.headReceived)) return false;
    return nowMs - this.heardAtMs >= this.connection.limits.backendResponseTimeoutMs;
  }

  /** A response that is complete stays so; only what is still to be sent is not wanted any more. */
  override tellReset(reason: ResetReason): void {
    if (this.remoteEnded) this.cut = true;
    else super.tellReset(reason);
  }

  override get keepsHeld(): boolean {
    return this.remoteEnded;
  }
}
