// Where we listen ourselves: requests that are sent there would come back, and go round and round.
//
// Not hot: once for each change of programs, and one look into a Set for each address outside.

import { networkInterfaces } from 'node:os';
import type { Binding } from '../messages.ts';

/** Addresses that stand for all of the machine. */
const ALL: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

export class OwnPlaces {
  #places: ReadonlySet<string> = new Set();
  #everywhere: ReadonlySet<number> = new Set();

  set(bindings: readonly Pick<Binding, 'address' | 'port'>[]): void {
    this.#places = new Set(bindings.map(({ address, port }) => `${address}|${port}`));
    const wide = bindings.filter(({ address }) => ALL.has(address));
    this.#everywhere = new Set(wide.map(({ port }) => port));
  }

  has(address: string, port: number): boolean {
    const plain = address.replace(/^::ffff:/i, '');
    if (this.#places.has(`${plain}|${port}`)) return true;
    return this.#everywhere.has(port) && isOfMachine(plain);
  }
}

function isOfMachine(address: string): boolean {
  return Object.values(networkInterfaces()).some((own) =>
    own?.some((one) => one.address === address),
  );
}
