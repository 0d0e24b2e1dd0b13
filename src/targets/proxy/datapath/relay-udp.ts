// Datagrams to an address of a Service, relayed to one of its endpoints in turn. Without affinity, a
// client stays with its endpoint as long as it keeps talking.
//
// Not hot: once for each client of a UDP Service.

import { isIn } from '../../../lib/cidr.ts';
import type { EndpointProgram, RelayProgram } from '../program.ts';
import { Affinity } from './affinity.ts';
import type { Clock } from './clock.ts';
import type { Counters } from './counters.ts';
import type { Limits } from './limits.ts';
import { UdpFlows } from './udp-flows.ts';

export interface UdpRelayOptions {
  readonly program: RelayProgram;
  readonly address: string;
  readonly port: number;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly limits: Limits;
}

export class UdpRelay {
  #program: RelayProgram;
  readonly #flows: UdpFlows;
  readonly #affinity = new Affinity();
  #next = 0;

  constructor({ program, address, port, clock, counters, limits }: UdpRelayOptions) {
    this.#program = program;
    this.#flows = new UdpFlows({
      address,
      port,
      isShared: false,
      clock,
      counters,
      limits,
      choose: (client) => this.#choose(client),
    });
  }

  listen(): Promise<void> {
    return this.#flows.listen();
  }

  /** Clients of endpoints that are gone choose anew with their next datagram. */
  update(program: RelayProgram): void {
    this.#program = program;
    this.#flows.keepOnly((end) =>
      program.endpoints.some((e) => e.address === end.address && e.port === end.port),
    );
  }

  /** Takes no new clients; those that wait for an answer get it. */
  drain(): void {
    this.#flows.drain();
  }

  get busy(): number {
    return this.#flows.busy;
  }

  close(): void {
    this.#flows.close();
  }

  #choose(client: string): EndpointProgram | null {
    const { endpoints, affinitySeconds, sources } = this.#program;
    if (!sources.every((list) => isIn(client, list))) return null;
    const next = endpoints[this.#next++ % endpoints.length]!;
    if (affinitySeconds === 0) return next;
    const stuck = this.#affinity.find(client, endpoints, affinitySeconds);
    if (stuck === undefined) this.#affinity.remember(client, next, affinitySeconds);
    return stuck ?? next;
  }
}
