// The addresses of each Gateway: those it asks for, as far as they can be had; else the one it has, or
// the lowest that is free. In the order of namespace and name, so that the same files give the same
// addresses on every machine.

import { INGRESS_CONTROLLERS } from '../../api/fairway.ts';
import type { Gateway } from '../../api/gateway/gateway.ts';
import { formatIPv4, parseIPv4, parseRange, rangeHas } from '../../lib/ipv4.ts';
import type { Range } from '../../lib/ipv4.ts';
import { problem } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';

export interface AssignedAddresses {
  readonly addresses: readonly string[];
  /** Addresses of a type we have none of: the Gateway is not accepted. */
  readonly unsupported: readonly Problem[];
  /** Addresses that cannot be had: the Gateway is served on the others. */
  readonly unusable: readonly Problem[];
}

/** What each Gateway gets, by `namespace/name`. */
export function assignAddresses(
  gateways: readonly Gateway[],
  cidr: string,
): ReadonlyMap<string, AssignedAddresses> {
  const range = parseRange(cidr);
  if (range === undefined) return new Map();
  const pool = new Pool(range, cidr);
  const requests = gateways.map((gateway) => new Request(gateway));
  // Nobody loses the address they have to somebody who comes later and asks for it.
  for (const request of requests) request.keepHeld(pool);
  for (const request of requests) request.takeAsked(pool);
  for (const request of requests) request.takeFree(pool);
  return new Map(requests.map((request) => [request.key, request.result]));
}

/** The addresses of the range and who has them. */
class Pool {
  readonly #range: Range;
  readonly #cidr: string;
  readonly #owners = new Map<number, string>();
  #next: number;

  constructor(range: Range, cidr: string) {
    this.#range = range;
    this.#cidr = cidr;
    this.#next = range.first + 1;
  }

  /** Undefined when the address is now theirs; else why it cannot be. */
  claim(text: string, owner: string): string | undefined {
    const value = parseIPv4(text);
    const { first, last } = this.#range;
    if (
      value === undefined ||
      !rangeHas(this.#range, value) ||
      value === first ||
      value >= last - 1 - INGRESS_CONTROLLERS.length
    ) {
      return `address ${text} is not one that Gateways can have here: those are in ${this.#cidr}`;
    }
    const other = this.#owners.get(value);
    if (other !== undefined && other !== owner)
      return `address ${text} belongs to Gateway ${other}`;
    this.#owners.set(value, owner);
    return undefined;
  }

  /** The lowest free address; undefined when there is none. */
  takeLowest(owner: string): string | undefined {
    // The last but one tells Fairways on one machine apart; those before are of Ingress controllers.
    const end = this.#range.last - 1 - INGRESS_CONTROLLERS.length;
    while (this.#next < end && this.#owners.has(this.#next)) this.#next++;
    if (this.#next >= end) return undefined;
    this.#owners.set(this.#next, owner);
    return formatIPv4(this.#next++);
  }
}

/** What one Gateway asks for. */
class Request {
  readonly key: string;
  readonly #gateway: Gateway;
  readonly #addresses: string[] = [];
  readonly #unsupported: Problem[] = [];
  readonly #unusable: Problem[] = [];
  /** Addresses it wants without saying which. */
  #open: number;

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
    const { namespace = '', name = '' } = gateway.metadata;
    this.key = `${namespace}/${name}`;
    const asked = gateway.spec.addresses ?? [];
    this.#open = asked.length === 0 ? 1 : asked.filter((a) => isIP(a) && !hasValue(a)).length;
    asked.forEach((address, i) => {
      if (isIP(address)) return;
      const message = `addresses of type ${address.type} are not served, only those of type IPAddress`;
      this.#unsupported.push(problem('UnsupportedAddress', `spec.addresses[${i}].type`, message));
    });
  }

  get result(): AssignedAddresses {
    return {
      addresses: this.#unsupported.length > 0 ? [] : this.#inOrder(),
      unsupported: this.#unsupported,
      unusable: this.#unusable,
    };
  }

  /** Those asked for by name first: whether the others are held or new makes no difference. */
  #inOrder(): readonly string[] {
    const asked = new Set((this.#gateway.spec.addresses ?? []).map(({ value }) => value));
    return [
      ...this.#addresses.filter((address) => asked.has(address)),
      ...this.#addresses.filter((address) => !asked.has(address)),
    ];
  }

  keepHeld(pool: Pool): void {
    const asked = new Set((this.#gateway.spec.addresses ?? []).map(({ value }) => value));
    for (const { value } of this.#gateway.status.addresses ?? []) {
      if (this.#open === 0) return;
      if (asked.has(value) || pool.claim(value, this.key) !== undefined) continue;
      this.#addresses.push(value);
      this.#open--;
    }
  }

  takeAsked(pool: Pool): void {
    (this.#gateway.spec.addresses ?? []).forEach((address, i) => {
      const { value = '' } = address;
      if (!isIP(address) || !hasValue(address) || this.#addresses.includes(value)) return;
      const trouble = pool.claim(value, this.key);
      if (trouble === undefined) this.#addresses.push(value);
      else {
        const field = `spec.addresses[${i}].value`;
        this.#unusable.push(problem('AddressNotUsable', field, trouble));
      }
    });
  }

  takeFree(pool: Pool): void {
    for (; this.#open > 0; this.#open--) {
      const address = pool.takeLowest(this.key);
      if (address === undefined) return;
      this.#addresses.push(address);
    }
  }
}

type Asked = NonNullable<Gateway['spec']['addresses']>[number];

function isIP({ type }: Asked): boolean {
  return type === 'IPAddress';
}

function hasValue({ value }: Asked): boolean {
  return value !== undefined && value !== '';
}
