// Who may connect: as many connections as there are descriptors for, as many on one listener, and as
// many from one address, as limits say. One too many is closed at once, before it costs a byte of
// reading or a handshake.
//
// Budget: 0.2 µs for each connection. Allocates an entry for each client address with connections.

import type { Socket } from 'node:net';
import type { Counters } from './counters.ts';
import type { Limits } from './limits.ts';

/** All connections of a worker. */
export class Admission {
  readonly #limits: Limits;
  readonly #counters: Counters;
  readonly #byAddress = new Map<string, number>();
  #open = 0;

  constructor(limits: Limits, counters: Counters) {
    this.#limits = limits;
    this.#counters = counters;
  }

  /** The door of one listening socket. */
  listener(): Door {
    return new Door(this, this.#limits, this.#counters);
  }

  /** How many are in. */
  get open(): number {
    return this.#open;
  }

  isFull(): boolean {
    const { connectionsMax } = this.#limits;
    return connectionsMax > 0 && this.#open >= connectionsMax;
  }

  enter(address: string): boolean {
    const { connectionsPerAddressMax } = this.#limits;
    if (connectionsPerAddressMax > 0) {
      const count = this.#byAddress.get(address) ?? 0;
      if (count >= connectionsPerAddressMax) return false;
      this.#byAddress.set(address, count + 1);
    }
    this.#open++;
    return true;
  }

  leave(address: string): void {
    this.#open--;
    if (this.#limits.connectionsPerAddressMax === 0) return;
    const count = (this.#byAddress.get(address) ?? 1) - 1;
    if (count > 0) this.#byAddress.set(address, count);
    else this.#byAddress.delete(address);
  }
}

export class Door {
  readonly #admission: Admission;
  readonly #limits: Limits;
  readonly #counters: Counters;
  #open = 0;

  constructor(admission: Admission, limits: Limits, counters: Counters) {
    this.#admission = admission;
    this.#limits = limits;
    this.#counters = counters;
  }

  /**
   * Lets a connection in, or closes it. Gives what must be called when it is gone; null when it was
   * closed.
   */
  admit(socket: Socket): (() => void) | null {
    const { connectionsPerListenerMax } = this.#limits;
    const address = socket.remoteAddress ?? '';
    const isFull = connectionsPerListenerMax > 0 && this.#open >= connectionsPerListenerMax;
    if (isFull || this.#admission.isFull()) {
      this.#counters.connectionsRefused++;
      socket.resetAndDestroy();
      return null;
    }
    if (!this.#admission.enter(address)) {
      this.#counters.connectionsOverAddress++;
      socket.resetAndDestroy();
      return null;
    }
    this.#open++;
    return () => {
      this.#open--;
      this.#admission.leave(address);
    };
  }
}
