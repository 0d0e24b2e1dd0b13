// Keeps slices for Endpoints objects that people still write for Services without selector.

import { Endpoints } from '../../api/core/endpoints.ts';
import { Service } from '../../api/core/service.ts';
import type { Finding } from '../../api/finding.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { ObjectWrite } from '../../store/write.ts';
import type { Controller, ReconcileContext } from '../controller.ts';
import { serviceAddressOf } from '../service-address/service-address.ts';
import { Agenda } from '../shared/agenda.ts';
import { TableWatch } from '../shared/changes.ts';
import { refOf } from '../shared/findings.ts';
import { objectKey } from '../shared/metadata.ts';
import { isMirrored, MIRROR_MANAGER, MIRRORED_MAX, planMirror, removeSlice } from './mirror.ts';
import { repackSubsets } from './repack.ts';
import { SliceIndex } from './slice-index.ts';

export function createEndpointSliceMirroringController(): Controller {
  return new Mirroring();
}

class Mirroring implements Controller {
  readonly name = 'endpointslicemirroring';
  readonly #watch = new TableWatch(Endpoints);
  readonly #serviceWatch = new TableWatch(Service);
  readonly #slices = new SliceIndex(MIRROR_MANAGER);
  readonly #agenda = new Agenda();

  reconcile(snapshot: Snapshot, { now }: ReconcileContext): readonly ObjectWrite[] {
    const concerned = (key: string): void => this.#agenda.add(key);
    for (const { before, after } of [
      ...this.#watch.changes(snapshot),
      ...this.#serviceWatch.changes(snapshot),
    ]) {
      const object = after ?? before;
      if (object !== undefined) concerned(objectKey(object));
    }
    this.#slices.notice(snapshot, concerned);
    const out: ObjectWrite[] = [];
    this.#agenda.work(now.getTime(), (key) => {
      const writes = plan(snapshot, key, this.#slices);
      out.push(...writes);
      return { wrote: writes.length > 0 };
    });
    return out;
  }
}

function plan(snapshot: Snapshot, key: string, index: SliceIndex): readonly ObjectWrite[] {
  const slices = index.of(key);
  const [namespace = '', name = ''] = key.split('/');
  const endpoints = snapshot.get(Endpoints, namespace, name);
  if (endpoints === undefined && slices.length === 0) return [];
  const service = snapshot.get(Service, namespace, name);
  // What stands in for the Service takes the place of all its endpoints.
  const hasStandIns = service !== undefined && serviceAddressOf(service).type === 'standIns';
  return endpoints !== undefined && isMirrored(endpoints, service) && !hasStandIns
    ? planMirror(snapshot, endpoints, slices)
    : slices.flatMap(removeSlice);
}

/** Endpoints objects with more addresses than are mirrored. */
export function mirroringFindings(snapshot: Snapshot): readonly Finding[] {
  return snapshot.list(Endpoints).flatMap((endpoints): readonly Finding[] => {
    const { namespace = '', name = '' } = endpoints.metadata;
    if (!isMirrored(endpoints, snapshot.get(Service, namespace, name))) return [];
    const skipped = repackSubsets(endpoints.subsets ?? []).reduce(
      (sum, { addresses }) => sum + Math.max(0, addresses.length - MIRRORED_MAX),
      0,
    );
    if (skipped === 0) return [];
    return [
      {
        severity: 'warning',
        reason: 'TooManyAddressesToMirror',
        message: `A max of ${MIRRORED_MAX} addresses can be mirrored to EndpointSlices per Endpoints subset. ${skipped} addresses were skipped`,
        hint: 'Write EndpointSlices instead of Endpoints.',
        origin: { object: refOf(endpoints), field: 'subsets' },
      },
    ];
  });
}
