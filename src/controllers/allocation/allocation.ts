// Gives Services their addresses and node ports. What a Service has is on the Service itself; what is
// remembered here is only who has what, to see at once whether a number is free.

import { withAskedAgain } from '../../api/core/service-carry-over.ts';
import { Service } from '../../api/core/service.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { ObjectWrite } from '../../store/write.ts';
import type { Controller } from '../controller.ts';
import { TableWatch } from '../shared/changes.ts';
import type { Changed } from '../shared/changes.ts';
import { compareAge, compareText, objectKey, uidOf } from '../shared/metadata.ts';
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
  /** Services that were written to in the last run, by key. */
  #written = new Set<string>();

  constructor(allocations: Allocations) {
    this.#allocations = allocations;
  }

  reconcile(snapshot: Snapshot): readonly ObjectWrite[] {
    const changes = this.#watch.changes(snapshot);
    if (changes.length === 0 && this.#written.size === 0) return [];
    this.#takeDown(changes);
    const keys = new Set([...this.#refused, ...this.#written]);
    for (const { after } of changes) if (after !== undefined) keys.add(objectKey(after));
    this.#written = new Set();
    // What was asked for in vain goes first: somebody without a wish might take it.
    return [...keys]
      .toSorted(
        (a, b) => Number(this.#isContent(a)) - Number(this.#isContent(b)) || compareText(a, b),
      )
      .flatMap((key) => this.#settle(snapshot, key));
  }

  #isContent(key: string): boolean {
    return !this.#refused.has(key);
  }

  /** Who has a number keeps it; among new ones the older goes first. */
  #takeDown(changes: readonly Changed<Service>[]): void {
    for (const { before } of changes) if (before !== undefined) this.#allocations.release(before);
    const claims = changes.toSorted(
      (a, b) => seniority(a) - seniority(b) || compareClaimants(a.after, b.after),
    );
    for (const { after } of claims) if (after !== undefined) this.#allocations.claim(after);
  }

  #settle(snapshot: Snapshot, key: string): readonly ObjectWrite[] {
    const [namespace = '', name = ''] = key.split('/');
    const current = snapshot.get(Service, namespace, name);
    this.#refused.delete(key);
    if (current === undefined) return [];
    const asked = withAskedAgain(current);
    const { service, isSatisfied } = settleService(asked, current, this.#allocations);
    if (!isSatisfied) this.#refused.add(key);
    if (service === current) return [];
    this.#written.add(key);
    this.#allocations.release(current);
    this.#allocations.claim(service);
    return [putWrite(snapshot, Service, service)];
  }
}

/** 0 for a Service that was there before, 1 for one that comes with everything, 2 for a new one. */
function seniority({ before, after }: Changed<Service>): number {
  if (after === undefined) return 0;
  if (before !== undefined && uidOf(before) === uidOf(after)) return 0;
  return after.spec.ipFamilies === undefined ? 2 : 1;
}

function compareClaimants(a: Service | undefined, b: Service | undefined): number {
  if (a === undefined || b === undefined) return 0;
  return compareAge(a, b) || compareText(objectKey(a), objectKey(b));
}
