// A control plane for tests: a store, the controllers, a clock that is set by hand, and in place of a
// kubelet a few lines that make pods run or end when a test says so.

import assert from 'node:assert/strict';
import { admit } from '../../api/admit.ts';
import { Pod } from '../../api/core/pod.ts';
import { apiVersionOf } from '../../api/kind.ts';
import type { Kind, KubeObject } from '../../api/kind.ts';
import { formatFieldError } from '../../api/schema/errors.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { Store } from '../../store/store.ts';
import type { SourceRef } from '../../store/table.ts';
import type { Controller } from '../controller.ts';
import { createControllers } from '../controllers.ts';
import type { ControllersOptions } from '../controllers.ts';
import { reconcileAll } from '../reconcile.ts';
import type { Reconciled } from '../reconcile.ts';
import { timestamp } from '../shared/metadata.ts';
import { isActive, isReady } from '../shared/pods.ts';

export const OPTIONS: ControllersOptions = {
  nodeName: 'laptop',
  nodeAddresses: ['127.0.0.1'],
  zone: 'home',
  serviceCidr: '127.96.0.0/16',
  loadBalancerCidr: '127.80.128.0/17',
};

/** Any object of a kind as people write it: without what is filled in. */
interface Written {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

/** An object as it is admitted; fails the test when the API server would refuse it. */
export function objectOf<T extends KubeObject>(kind: Kind<T>, written: Written): T {
  const metadata = kind.namespaced
    ? { namespace: 'default', ...written.metadata }
    : written.metadata;
  const full = { ...written, apiVersion: apiVersionOf(kind), kind: kind.kind, metadata };
  const { object, errors } = admit(kind, full);
  assert.deepEqual(errors.map(formatFieldError), [], `${kind.kind} ${written.metadata.name}`);
  return object;
}

export class Lab {
  readonly store: Store;
  #controllers: readonly Controller[];
  #nowMs = Date.parse('2026-01-01T00:00:00Z');
  #uidCount = 0;
  #podIpCount = 0;

  constructor(controllers: readonly Controller[] = createControllers(OPTIONS)) {
    this.#controllers = controllers;
    this.store = new Store({
      now: () => this.now,
      newUid: () => `uid-${String(++this.#uidCount).padStart(6, '0')}`,
    });
  }

  get now(): Date {
    return new Date(this.#nowMs);
  }

  get snapshot(): Snapshot {
    return this.store.snapshot();
  }

  advance(seconds: number): void {
    this.#nowMs += seconds * 1000;
  }

  /** As if Fairway had been started anew: controllers that remember nothing. */
  restart(controllers: readonly Controller[]): void {
    this.#controllers = controllers;
  }

  /** Puts an object as a file would, or as a client of the API without `file`. */
  put<T extends KubeObject>(kind: Kind<T>, written: Written, file?: string): void {
    const source: SourceRef =
      file === undefined
        ? { source: 'api', file: '', document: 0 }
        : { source: 'files', file, document: 0 };
    const object = objectOf(kind, written);
    this.store.write([{ op: 'put', kind: kind as unknown as Kind, object, source }]);
  }

  remove(kind: Kind, name: string, namespace = 'default'): void {
    this.store.write([{ op: 'delete', kind, namespace, name }]);
  }

  get<T extends KubeObject>(kind: Kind<T>, name: string, namespace = 'default'): T {
    const object = this.snapshot.get(kind, kind.namespaced ? namespace : '', name);
    assert.ok(object !== undefined, `no ${kind.kind} ${name}`);
    return object;
  }

  list<T extends KubeObject>(kind: Kind<T>): readonly T[] {
    return this.snapshot.list(kind);
  }

  names(kind: Kind): readonly string[] {
    return this.snapshot.list(kind).map(({ metadata }) => metadata.name ?? '');
  }

  reconcile(): Reconciled {
    return reconcileAll(this.#controllers, this.store, this.now);
  }

  setStatus<T extends KubeObject>(kind: Kind<T>, object: T, status: unknown): void {
    const { namespace = '', name = '' } = object.metadata;
    this.store.write([{ op: 'status', kind: kind as unknown as Kind, namespace, name, status }]);
  }

  /** Makes a pod run, ready or not. */
  run(pod: Pod, ready = true): void {
    const podIP = pod.status.podIP ?? this.#nextPodIp();
    const before = pod.status.conditions?.find(({ type }) => type === 'Ready');
    const status = ready ? 'True' : 'False';
    const lastTransitionTime =
      before?.status === status ? before.lastTransitionTime : timestamp(this.now);
    this.setStatus(Pod, pod, {
      phase: 'Running',
      podIP,
      podIPs: [{ ip: podIP }],
      conditions: [{ type: 'Ready', status, lastTransitionTime }],
    });
  }

  /** The pod has run to its end. */
  finish(pod: Pod, phase: 'Failed' | 'Succeeded'): void {
    this.setStatus(Pod, pod, { ...pod.status, phase, conditions: [] });
  }

  /** The pod has stopped, and is no more. */
  stop(pod: Pod): void {
    this.remove(Pod, pod.metadata.name ?? '', pod.metadata.namespace);
  }

  /** All pods start, those that are to end have ended, and controllers come to rest, until nothing moves. */
  settle(): void {
    for (let round = 0; round < 200; round++) {
      this.reconcile();
      if (!this.#movePods()) return;
    }
    assert.fail('pods and controllers do not come to rest');
  }

  /** The same, with the clock set forward for as long as anything waits for it. */
  settleInTime(): void {
    for (let round = 0; round < 200; round++) {
      this.settle();
      const { wakeAtMs } = this.reconcile();
      if (wakeAtMs === undefined) return;
      assert.ok(wakeAtMs > this.#nowMs, 'controllers ask to be woken in the past');
      this.#nowMs = wakeAtMs;
    }
    assert.fail('controllers wait for ever');
  }

  #movePods(): boolean {
    let isMoving = false;
    for (const pod of this.list(Pod)) {
      if (pod.metadata.deletionTimestamp !== undefined) this.stop(pod);
      else if (isActive(pod) && !isReady(pod)) this.run(pod);
      else continue;
      isMoving = true;
    }
    return isMoving;
  }

  #nextPodIp(): string {
    const number = ++this.#podIpCount;
    return `127.244.${1 + Math.floor(number / 250)}.${1 + (number % 250)}`;
  }
}
