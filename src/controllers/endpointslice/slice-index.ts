// The slices that one controller keeps, by the Service they belong to.

import { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { compareObjects, keyOf } from '../../store/table.ts';
import { TableWatch } from '../shared/changes.ts';
import { objectKey } from '../shared/metadata.ts';
import { MANAGED_BY_LABEL, SERVICE_NAME_LABEL } from './slice.ts';

export class SliceIndex {
  readonly #manager: string;
  readonly #watch = new TableWatch(EndpointSlice);
  readonly #byService = new Map<string, Map<string, EndpointSlice>>();

  /** `manager` is the value of the label managed-by. */
  constructor(manager: string) {
    this.#manager = manager;
  }

  /** Takes a snapshot in; calls `concerned` with the key of every Service whose slices changed. */
  notice(snapshot: Snapshot, concerned: (serviceKey: string) => void): void {
    for (const { before, after } of this.#watch.changes(snapshot)) {
      const left = before === undefined ? undefined : this.#serviceOf(before);
      if (before !== undefined && left !== undefined) {
        const slices = this.#byService.get(left);
        slices?.delete(objectKey(before));
        if (slices?.size === 0) this.#byService.delete(left);
        concerned(left);
      }
      const joined = after === undefined ? undefined : this.#serviceOf(after);
      if (after !== undefined && joined !== undefined) {
        const slices = this.#byService.get(joined);
        if (slices === undefined) this.#byService.set(joined, new Map([[objectKey(after), after]]));
        else slices.set(objectKey(after), after);
        concerned(joined);
      }
    }
  }

  /** The slices of a Service, by name. */
  of(serviceKey: string): readonly EndpointSlice[] {
    return [...(this.#byService.get(serviceKey)?.values() ?? [])].toSorted(compareObjects);
  }

  #serviceOf({ metadata }: EndpointSlice): string | undefined {
    const { labels = {} } = metadata;
    const name = labels[SERVICE_NAME_LABEL];
    if (name === undefined || labels[MANAGED_BY_LABEL] !== this.#manager) return undefined;
    return keyOf(metadata.namespace ?? '', name);
  }
}
