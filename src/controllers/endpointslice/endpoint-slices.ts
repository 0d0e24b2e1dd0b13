// Keeps the slices of every Service that has a selector, or that names addresses of its own in place of
// pods. Slices of other Services are their users' affair.

import { Node } from '../../api/core/node.ts';
import { Pod } from '../../api/core/pod.ts';
import { Service } from '../../api/core/service.ts';
import { deepEqual } from '../../lib/equal.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { ObjectWrite } from '../../store/write.ts';
import type { Controller, ReconcileContext } from '../controller.ts';
import { serviceAddressOf } from '../service-address/service-address.ts';
import { Agenda } from '../shared/agenda.ts';
import { TableWatch } from '../shared/changes.ts';
import type { Changed } from '../shared/changes.ts';
import { LabelIndex } from '../shared/label-index.ts';
import { objectKey } from '../shared/metadata.ts';
import { isFinished, isReady } from '../shared/pods.ts';
import { SelectorIndex } from '../shared/selector-index.ts';
import { groupsOfPods } from './endpoints.ts';
import type { EndpointMemo, Zones } from './endpoints.ts';
import { planSlices } from './plan.ts';
import { familiesOf, SLICE_MANAGER } from './slice.ts';
import type { EndpointGroup, Family } from './slice.ts';
import { SliceIndex } from './slice-index.ts';
import { groupsOfStandIns } from './stand-ins.ts';

export interface EndpointSliceOptions {
  /** The node of this process: where processes on loopback addresses are. */
  readonly nodeName: string;
}

export function createEndpointSliceController(options: EndpointSliceOptions): Controller {
  return new EndpointSlices(options);
}

const ZONE_LABEL = 'topology.kubernetes.io/zone';

class EndpointSlices implements Controller {
  readonly name = 'endpointslice';
  readonly #nodeName: string;
  readonly #serviceWatch = new TableWatch(Service);
  readonly #podWatch = new TableWatch(Pod);
  readonly #selectors = new SelectorIndex();
  readonly #pods = new LabelIndex<Pod>();
  readonly #slices = new SliceIndex(SLICE_MANAGER);
  readonly #agenda = new Agenda();
  #nodes: unknown;
  #zones: Zones = new Map();
  #endpoints: EndpointMemo = new WeakMap();

  constructor({ nodeName }: EndpointSliceOptions) {
    this.#nodeName = nodeName;
  }

  reconcile(snapshot: Snapshot, { now }: ReconcileContext): readonly ObjectWrite[] {
    this.#notice(snapshot);
    const out: ObjectWrite[] = [];
    this.#agenda.work(now.getTime(), (key) => {
      const [namespace = '', name = ''] = key.split('/');
      const service = snapshot.get(Service, namespace, name);
      // The slices of a Service that is gone are garbage, and collected as such.
      if (service === undefined) return { wrote: false };
      const slices = this.#slices.of(key);
      const groups = this.#groupsOf(service);
      const writes = planSlices({ snapshot, service, slices, groups, now });
      out.push(...writes);
      return { wrote: writes.length > 0 };
    });
    return out;
  }

  #notice(snapshot: Snapshot): void {
    const concerned = (key: string): void => this.#agenda.add(key);
    for (const { before, after } of this.#serviceWatch.changes(snapshot)) {
      if (before !== undefined) this.#selectors.delete(objectKey(before));
      if (after === undefined) continue;
      const { namespace = '' } = after.metadata;
      this.#selectors.set(objectKey(after), namespace, { matchLabels: after.spec.selector ?? {} });
      concerned(objectKey(after));
    }
    for (const change of this.#podWatch.changes(snapshot)) {
      this.#pods.update(change);
      if (!isRelevant(change)) continue;
      for (const pod of [change.before, change.after]) {
        if (pod === undefined) continue;
        const { namespace = '', labels } = pod.metadata;
        this.#selectors.forEachMatch(namespace, labels, concerned);
      }
    }
    this.#slices.notice(snapshot, concerned);
    this.#noticeNodes(snapshot);
  }

  #noticeNodes(snapshot: Snapshot): void {
    const nodes = snapshot.table(Node);
    if (nodes === this.#nodes) return;
    this.#nodes = nodes;
    const zones = new Map(
      nodes.objects.map(({ metadata }) => [
        metadata.name ?? '',
        metadata.labels?.[ZONE_LABEL] ?? '',
      ]),
    );
    if (deepEqual([...zones], [...this.#zones])) return;
    this.#zones = zones;
    this.#endpoints = new WeakMap();
    for (const service of snapshot.list(Service)) this.#agenda.add(objectKey(service));
  }

  /** No families at all for a Service whose slices are not kept here. */
  #groupsOf(service: Service): ReadonlyMap<Family, ReadonlyMap<string, EndpointGroup>> {
    const { type, selector = {} } = service.spec;
    if (type === 'ExternalName') return new Map();
    const address = serviceAddressOf(service);
    if (address.type === 'standIns') {
      const node = { name: this.#nodeName, zone: this.#zones.get(this.#nodeName) ?? '' };
      return new Map([['IPv4', groupsOfStandIns(service, address.standIns, node)]]);
    }
    if (Object.keys(selector).length === 0) return new Map();
    const { namespace = '' } = service.metadata;
    const pods = this.#pods.select(namespace, { matchLabels: selector });
    const zones = this.#zones;
    const memo = this.#endpoints;
    return new Map(
      familiesOf(service).map((family) => [
        family,
        groupsOfPods({ service, pods, zones, family, memo }),
      ]),
    );
  }
}

/** True when a change of a pod can change an endpoint: pods report much else while they run. */
function isRelevant({ before, after }: Changed<Pod>): boolean {
  if (before === undefined || after === undefined) return true;
  return (
    before.spec !== after.spec ||
    before.metadata.uid !== after.metadata.uid ||
    before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp ||
    isReady(before) !== isReady(after) ||
    isFinished(before) !== isFinished(after) ||
    before.status.podIP !== after.status.podIP ||
    !deepEqual(before.status.podIPs, after.status.podIPs) ||
    !deepEqual(before.metadata.labels, after.metadata.labels)
  );
}
