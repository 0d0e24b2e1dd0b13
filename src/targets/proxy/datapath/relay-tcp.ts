// TCP connections to an address of a Service, relayed to one of its endpoints: the userspace proxy.
// When an endpoint refuses, the next is tried; a client with affinity goes back to its endpoint.
//
// Not hot: connections are relayed by Node.js's own streams.

import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { isIn } from '../../../lib/cidr.ts';
import type { EndpointProgram, RelayProgram } from '../program.ts';
import { Affinity } from './affinity.ts';
import { Conversations } from './conversations.ts';
import type { Counters } from './counters.ts';
import type { Limits } from './limits.ts';
import { closeWhenIdle, splice } from './splice.ts';

export class TcpRelay {
  #program: RelayProgram;
  readonly #limits: Limits;
  readonly #counters: Counters;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #conversations = new Conversations();
  readonly #affinity = new Affinity();
  #next = 0;

  constructor(program: RelayProgram, limits: Limits, counters: Counters) {
    this.#program = program;
    this.#limits = limits;
    this.#counters = counters;
    this.#next = Math.floor(Math.random() * program.endpoints.length);
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
    this.#server.on('connection', (client) => this.#accept(client));
  }

  listen(address: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host: address, port, exclusive: true }, () => {
        this.#server.off('error', reject);
        // EMFILE and its like: the connection is refused, the relay goes on.
        this.#server.on('error', () => undefined);
        resolve();
      });
    });
  }

  /** New connections follow the new program; those there are stay where they are. */
  update(program: RelayProgram): void {
    this.#program = program;
  }

  /** Takes no new connections. With `now`, ends those there are. */
  close(now: boolean): void {
    this.#server.close();
    if (now) for (const socket of this.#open) socket.destroy();
  }

  /** How many clients look as if something were under way. */
  get busy(): number {
    return this.#conversations.busy;
  }

  #accept(client: Socket): void {
    this.#counters.relayedConnections++;
    if (!this.#program.sources.every((list) => isIn(client.remoteAddress ?? '', list))) {
      client.resetAndDestroy();
      return;
    }
    this.#track(client);
    this.#conversations.begin(client);
    client.on('error', () => client.destroy());
    this.#dial(client, this.#order(client.remoteAddress ?? ''));
  }

  /** Endpoints in the order they are to be tried. */
  #order(client: string): readonly EndpointProgram[] {
    const { endpoints, affinitySeconds } = this.#program;
    const start = this.#next++ % endpoints.length;
    const order = [...endpoints.slice(start), ...endpoints.slice(0, start)];
    if (affinitySeconds === 0) return order;
    const stuck = this.#affinity.find(client, endpoints, affinitySeconds);
    // At once: connections that a client opens together stay together.
    if (stuck === undefined && order[0] !== undefined) {
      this.#affinity.remember(client, order[0], affinitySeconds);
    }
    return stuck === undefined ? order : [stuck, ...order.filter((e) => e !== stuck)];
  }

  #dial(client: Socket, order: readonly EndpointProgram[]): void {
    const [endpoint, ...rest] = order;
    if (endpoint === undefined || client.destroyed) {
      // A reset, as the client would get from a port nobody listens on.
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({
      host: endpoint.address,
      port: endpoint.port,
      allowHalfOpen: true,
      noDelay: true,
    });
    const timer = setTimeout(() => upstream.destroy(new Error()), this.#limits.connectTimeoutMs);
    const failed = (): void => {
      clearTimeout(timer);
      this.#counters.connectRetries++;
      this.#dial(client, rest);
    };
    upstream.once('error', failed);
    upstream.once('connect', () => {
      clearTimeout(timer);
      upstream.off('error', failed);
      if (client.destroyed) {
        upstream.destroy();
        return;
      }
      this.#track(upstream);
      const { affinitySeconds } = this.#program;
      if (affinitySeconds > 0) {
        this.#affinity.remember(client.remoteAddress ?? '', endpoint, affinitySeconds);
      }
      closeWhenIdle(client, { limits: this.#limits, counters: this.#counters });
      splice(client, upstream, (fromClient) => this.#conversations.note(client, fromClient));
      this.#conversations.note(client, false);
    });
  }

  #track(socket: Socket): void {
    this.#open.add(socket);
    socket.on('close', () => this.#open.delete(socket));
  }
}
