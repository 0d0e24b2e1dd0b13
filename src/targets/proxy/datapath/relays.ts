// The relays of a worker: addresses of Services that connections and datagrams are passed on from.
//
// Not hot: once for each change of programs.

import type { BindFailure, RelayBinding } from '../messages.ts';
import type { Delta } from '../patch.ts';
import type { RelayProgram } from '../program.ts';
import type { Clock } from './clock.ts';
import type { Counters } from './counters.ts';
import type { Limits } from './limits.ts';
import { TcpRelay } from './relay-tcp.ts';
import { UdpRelay } from './relay-udp.ts';

export interface RelaysOptions {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly counters: Counters;
}

export class Relays {
  readonly #options: RelaysOptions;
  readonly #programs = new Map<string, RelayProgram>();
  readonly #running = new Map<string, TcpRelay | UdpRelay>();

  constructor(options: RelaysOptions) {
    this.#options = options;
  }

  /** Runs exactly the relays of `bindings`. Gives those that could not be opened. */
  async apply(
    delta: Delta<RelayProgram>,
    bindings: readonly RelayBinding[],
  ): Promise<readonly BindFailure[]> {
    for (const [id, program] of delta.set) this.#programs.set(id, program);
    for (const id of delta.removed) this.#programs.delete(id);
    const wanted = new Map(bindings.map((b) => [`${b.relay}|${b.address}|${b.port}`, b]));
    for (const [key, relay] of this.#running) {
      if (wanted.has(key)) continue;
      this.#running.delete(key);
      // A Service without endpoints refuses, and connections to endpoints that are gone have ended.
      if (relay instanceof TcpRelay) relay.close(false);
      else relay.close();
    }
    const failures: BindFailure[] = [];
    const opening: Promise<void>[] = [];
    for (const [key, binding] of wanted) {
      const program = this.#programs.get(binding.relay);
      if (program === undefined) continue;
      const running = this.#running.get(key);
      if (running === undefined) opening.push(this.#open(key, program, binding, failures));
      else running.update(program);
    }
    await Promise.all(opening);
    return failures;
  }

  /** Takes nothing new; what is under way goes on. */
  drain(): void {
    for (const relay of this.#running.values()) {
      if (relay instanceof TcpRelay) relay.close(false);
      else relay.drain();
    }
  }

  /** Connections and clients that look as if something were under way. */
  get busy(): number {
    let count = 0;
    for (const relay of this.#running.values()) count += relay.busy;
    return count;
  }

  /** After `drain`: ends what is left. */
  stop(): void {
    for (const relay of this.#running.values()) {
      if (relay instanceof TcpRelay) relay.close(true);
      else relay.close();
    }
    this.#running.clear();
  }

  async #open(
    key: string,
    program: RelayProgram,
    { relay: id, address, port }: RelayBinding,
    failures: BindFailure[],
  ): Promise<void> {
    const { limits, clock, counters } = this.#options;
    const relay =
      program.protocol === 'TCP'
        ? new TcpRelay(program, limits, counters)
        : new UdpRelay({ program, address, port, clock, counters, limits });
    this.#running.set(key, relay);
    try {
      await (relay instanceof TcpRelay ? relay.listen(address, port) : relay.listen());
    } catch (error) {
      this.#running.delete(key);
      const { code = String(error) } = error as NodeJS.ErrnoException;
      const transport = program.protocol === 'TCP' ? 'tcp' : 'udp';
      failures.push({ id, address, port, transport, code });
    }
  }
}
