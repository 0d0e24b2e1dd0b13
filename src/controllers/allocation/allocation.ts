// Gives Services their addresses and node ports. What a Service has is on the Service itself; what is
// remembered here is only who has what, to see at once whether a number is free.

import { withAskedAgain } from '../../api/core/service-carry-over.ts';
import { Service } from '../../api/core/service.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { ObjectWrite } from '../../store/write.ts';
import type { Controller } from '../controller.ts';
import { TableWatch } from '../shared/changes.ts';
import { compareText, objectKey } from '../shared/metadata.ts';
import { putWrite } from '../shared/writes.ts';
import { settleService } from './allocate.ts';
import { Allocations } from './allocations.ts';
import type { AllocationRanges } from './allocations.ts';

/** Throws a FairwayError when the ranges are none. */
export function createAllocationController(ranges: AllocationRanges): Controller {
  return new Allocation(new Allocations(ranges));
}

class Allocation implements Controller {
  readonly name = 'allocation';
  readonly #watch = new TableWatch(Service);
  readonly #allocations: Allocations;
  /** Services that were refused something, by key: looked at again whenever a Service changes. */
  readonly #refused = new Set<string>();
  /** What was written in the last run, by key; it may not have been applied. */
  #written: ReadonlyMap<string, Service> = new Map();

  constructor(allocations: Allocations) {
    this.#allocations = allocations;
  }

  reconcile(snapshot: Snapshot): readonly ObjectWrite[] {
    const changes = this.#watch.changes(snapshot);
    if (changes.length === 0 && this.#written.size === 0) return [];
    const keys = new Set([...this.#refused, ...this.#written.keys()]);
    for (const service of this.#written.values()) this.#allocations.release(service);
    this.#allocations.follow(changes);
    for (const { after } of changes) if (after !== undefined) keys.add(objectKey(after));
    // What was asked for in vain goes first: somebody without a wish might take it.
    const sorted = [...keys].toSorted(
      (a, b) => Number(this.#isContent(a)) - Number(this.#isContent(b)) || compareText(a, b),
    );
    const written = new Map<string, Service>();
    for (const key of sorted) {
      const service = this.#settle(snapshot, key);
      if (service !== undefined) written.set(key, service);
    }
    this.#written = written;
    return [...written.values()].map((service) => putWrite(snapshot, Service, service));
  }

  #isContent(key: string): boolean {
    return !this.#refused.has(key);
  }

  /** The Service as it is to be; undefined when it is so already. */
  #settle(snapshot: Snapshot, key: string): Service | undefined {
    const [namespace = '', name = ''] = key.split('/');
    const current = snapshot.get(Service, namespace, name);
    this.#refused.delete(key);
    if (current === undefined) return undefined;
    this.#allocations.claim(current);
    const asked = withAskedAgain(current);
    const { service, isSatisfied } = settleService(asked, current, this.#allocations);
    if (!isSatisfied) this.#refused.add(key);
    if (service === current) return undefined;
    this.#allocations.release(current);
    this.#allocations.claim(service);
    return service;
  }
}
