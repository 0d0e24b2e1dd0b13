// Datagrams to an address of a Service, relayed to one of its endpoints. Each client gets a socket of
// its own, so that replies find their way back and come from the address the client dialled; without
// affinity, a client stays with its endpoint as long as it keeps talking, as conntrack has it.

import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import type { EndpointProgram, RelayProgram } from '../program.ts';
import { Affinity } from './affinity.ts';
import type { Clock, Timed } from './clock.ts';
import type { Counters } from './counters.ts';

/** Time without a datagram after which a client is forgotten: the kernel's time for UDP streams. */
const FLOW_IDLE_MS = 120_000;
const FLOWS_MAX = 10_000;

export interface UdpRelayOptions {
  readonly program: RelayProgram;
  readonly address: string;
  readonly port: number;
  readonly clock: Clock;
  readonly counters: Counters;
}

export class UdpRelay {
  #program: RelayProgram;
  readonly #address: string;
  readonly #port: number;
  readonly #clock: Clock;
  readonly #counters: Counters;
  readonly #socket: Socket;
  readonly #flows = new Map<string, Flow>();
  readonly #affinity = new Affinity();
  #next = 0;

  constructor({ program, address, port, clock, counters }: UdpRelayOptions) {
    this.#program = program;
    this.#address = address;
    this.#port = port;
    this.#clock = clock;
    this.#counters = counters;
    this.#socket = createSocket(familyOf(address));
    this.#socket.on('message', (bytes, from) => this.#onMessage(bytes, from));
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.once('error', reject);
      this.#socket.bind({ address: this.#address, port: this.#port, exclusive: true }, () => {
        this.#socket.off('error', reject);
        this.#socket.on('error', () => undefined);
        resolve();
      });
    });
  }

  /** Clients of endpoints that are gone choose anew with their next datagram. */
  update(program: RelayProgram): void {
    this.#program = program;
    for (const [key, flow] of this.#flows) {
      const { address, port } = flow.endpoint;
      const stays = program.endpoints.some((e) => e.address === address && e.port === port);
      if (!stays) this.#end(key, flow);
    }
  }

  close(): void {
    for (const [key, flow] of this.#flows) this.#end(key, flow);
    this.#socket.close();
  }

  #onMessage(bytes: Buffer, from: RemoteInfo): void {
    this.#counters.relayedDatagrams++;
    const key = `${from.address}|${from.port}`;
    let flow = this.#flows.get(key);
    if (flow === undefined) {
      // A flood of new clients is not answered at the cost of those there are.
      if (this.#flows.size >= FLOWS_MAX) return;
      flow = this.#begin(key, from);
    }
    flow.deadlineMs = this.#clock.nowMs + FLOW_IDLE_MS;
    flow.send(bytes);
  }

  #begin(key: string, from: RemoteInfo): Flow {
    const flow = new Flow(this.#choose(from.address), {
      onReply: (bytes) => this.#socket.send(bytes, from.port, from.address),
      onEnd: () => this.#end(key, flow),
    });
    this.#flows.set(key, flow);
    this.#clock.add(flow);
    return flow;
  }

  #choose(client: string): EndpointProgram {
    const { endpoints, affinitySeconds } = this.#program;
    const next = endpoints[this.#next++ % endpoints.length]!;
    if (affinitySeconds === 0) return next;
    const stuck = this.#affinity.find(client, endpoints, affinitySeconds);
    if (stuck === undefined) this.#affinity.remember(client, next, affinitySeconds);
    return stuck ?? next;
  }

  #end(key: string, flow: Flow): void {
    this.#flows.delete(key);
    this.#clock.remove(flow);
    flow.close();
  }
}

/** One client's datagrams to one endpoint. */
class Flow implements Timed {
  deadlineMs = 0;
  readonly endpoint: EndpointProgram;
  readonly #socket: Socket;
  readonly #onEnd: () => void;
  #connected = false;
  #closed = false;

  constructor(
    endpoint: EndpointProgram,
    { onReply, onEnd }: { onReply: (bytes: Buffer) => void; onEnd: () => void },
  ) {
    this.endpoint = endpoint;
    this.#onEnd = onEnd;
    this.#socket = createSocket(familyOf(endpoint.address));
    // Connected, so that only the endpoint's datagrams come in and its refusals are told.
    this.#socket.connect(endpoint.port, endpoint.address, () => (this.#connected = true));
    this.#socket.on('message', onReply);
    this.#socket.on('error', onEnd);
  }

  send(bytes: Buffer): void {
    if (this.#closed) return;
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
