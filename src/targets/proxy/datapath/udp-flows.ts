// One UDP address whose datagrams are passed on to endpoints. Each client gets a socket of its own, so
// that replies find their way back and come from the address the client dialled; and a client stays with
// its endpoint as long as it keeps talking, as conntrack has it.
//
// Budget: one look into a Map for each datagram. Allocates a flow for each client.

import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import type { Clock, Timed } from './clock.ts';
import type { Counters } from './counters.ts';
import type { Limits } from './limits.ts';

/** An answer to a datagram may take so long; nobody says when there will be none. */
const ANSWER_MS = 1_000;

/** Where a flow goes. */
export interface FlowEnd {
  readonly address: string;
  readonly port: number;
}

export interface UdpFlowsOptions {
  readonly address: string;
  readonly port: number;
  /** Whether other threads listen on the same address; the kernel then keeps clients apart. */
  readonly isShared: boolean;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly limits: Limits;
  /** The endpoint for a new client; null drops the datagram. */
  readonly choose: (client: string) => FlowEnd | null;
}

export class UdpFlows {
  readonly #options: UdpFlowsOptions;
  readonly #socket: Socket;
  readonly #flows = new Map<string, Flow>();
  #draining = false;

  constructor(options: UdpFlowsOptions) {
    this.#options = options;
    this.#socket = createSocket({ type: familyOf(options.address), reusePort: options.isShared });
    this.#socket.on('message', (bytes, from) => this.#onMessage(bytes, from));
  }

  listen(): Promise<void> {
    const { address, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#socket.once('error', reject);
      this.#socket.bind({ address, port, exclusive: true }, () => {
        this.#socket.off('error', reject);
        this.#socket.on('error', () => undefined);
        resolve();
      });
    });
  }

  /** Ends the flows whose endpoint is none any more; their clients choose anew with their next datagram. */
  keepOnly(isEndpoint: (end: FlowEnd) => boolean): void {
    for (const [key, flow] of this.#flows) if (!isEndpoint(flow.end)) this.#end(key, flow);
  }

  /** Takes no new clients. */
  drain(): void {
    this.#draining = true;
  }

  /** How many clients have asked a moment ago, and not been answered. */
  get busy(): number {
    const since = performance.now() - ANSWER_MS;
    return [...this.#flows.values()].filter((flow) => flow.askedAtMs > since).length;
  }

  close(): void {
    for (const [key, flow] of this.#flows) this.#end(key, flow);
    this.#socket.close();
  }

  #onMessage(bytes: Buffer, from: RemoteInfo): void {
    const { clock, counters, limits } = this.#options;
    counters.relayedDatagrams++;
    const key = `${from.address}|${from.port}`;
    let flow = this.#flows.get(key);
    if (flow === undefined) {
      if (this.#draining) return;
      // A flood of new clients is not answered at the cost of those there are.
      if (this.#flows.size >= limits.udpFlowsMax) {
        counters.datagramsDropped++;
        return;
      }
      flow = this.#begin(key, from);
      if (flow === undefined) return;
    }
    flow.deadlineMs = clock.nowMs + limits.udpIdleTimeoutMs;
    flow.send(bytes);
  }

  #begin(key: string, from: RemoteInfo): Flow | undefined {
    const end = this.#options.choose(from.address);
    if (end === null) return undefined;
    const flow: Flow = new Flow(end, {
      onReply: (bytes) => {
        flow.askedAtMs = 0;
        this.#socket.send(bytes, from.port, from.address);
      },
      onEnd: () => this.#end(key, flow),
    });
    this.#flows.set(key, flow);
    this.#options.clock.add(flow);
    return flow;
  }

  #end(key: string, flow: Flow): void {
    this.#flows.delete(key);
    this.#options.clock.remove(flow);
    flow.close();
  }
}

/** One client's datagrams to one endpoint. */
class Flow implements Timed {
  deadlineMs = 0;
  /** When the client last said something that has not been answered; 0 for never. */
  askedAtMs = 0;
  readonly end: FlowEnd;
  readonly #socket: Socket;
  readonly #onEnd: () => void;
  #connected = false;
  #closed = false;

  constructor(
    end: FlowEnd,
    { onReply, onEnd }: { onReply: (bytes: Buffer) => void; onEnd: () => void },
  ) {
    this.end = end;
    this.#onEnd = onEnd;
    this.#socket = createSocket(familyOf(end.address));
    // Connected, so that only the endpoint's datagrams come in and its refusals are told.
    this.#socket.connect(end.port, end.address, () => (this.#connected = true));
    this.#socket.on('message', onReply);
    this.#socket.on('error', onEnd);
  }

  send(bytes: Buffer): void {
    if (this.#closed) return;
    this.askedAtMs = performance.now();
    if (this.#connected) this.#socket.send(bytes);
    else this.#socket.once('connect', () => this.#closed || this.#socket.send(bytes));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }

  onDeadline(): void {
    this.#onEnd();
  }
}

function familyOf(address: string): 'udp4' | 'udp6' {
  return address.includes(':') ? 'udp6' : 'udp4';
}
