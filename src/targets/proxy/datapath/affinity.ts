// Session affinity by client address: which endpoint a client was sent to last. One memory for each
// port of a Service, bounded; the clients unheard of for longest are forgotten first.
//
// Not hot: once for each connection or datagram flow of a Service with affinity.

import type { EndpointProgram } from '../program.ts';

const CLIENTS_MAX = 100_000;

interface Stay {
  readonly endpoint: EndpointProgram;
  readonly untilMs: number;
}

export class Affinity {
  /** In order of last use, as a Map keeps the order of insertion. */
  readonly #stays = new Map<string, Stay>();

  /** The endpoint the client is to go back to, if it still is one and the time has not passed. */
  find(
    client: string,
    endpoints: readonly EndpointProgram[],
    seconds: number,
  ): EndpointProgram | undefined {
    const stay = this.#stays.get(client);
    if (stay === undefined) return undefined;
    const { address, port } = stay.endpoint;
    const endpoint = endpoints.find((e) => e.address === address && e.port === port);
    if (endpoint === undefined || stay.untilMs < performance.now()) {
      this.#stays.delete(client);
      return undefined;
    }
    this.remember(client, endpoint, seconds);
    return endpoint;
  }

  remember(client: string, endpoint: EndpointProgram, seconds: number): void {
    this.#stays.delete(client);
    this.#stays.set(client, { endpoint, untilMs: performance.now() + seconds * 1000 });
    if (this.#stays.size <= CLIENTS_MAX) return;
    for (const oldest of this.#stays.keys()) {
      this.#stays.delete(oldest);
      return;
    }
  }
}
