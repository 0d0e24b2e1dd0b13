// What the tests of this folder share: pods as the API server would store them, a store with a runtime
// on it, and waiting for something to come true.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { admit } from '../api/admit.ts';
import { ConfigMap } from '../api/core/config-map.ts';
import { Node } from '../api/core/node.ts';
import { Pod } from '../api/core/pod.ts';
import { Secret } from '../api/core/secret.ts';
import { Service } from '../api/core/service.ts';
import type { Finding } from '../api/finding.ts';
import type { Kind, KubeObject } from '../api/kind.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { Store } from '../store/store.ts';
import { createPodRuntime } from './runtime.ts';
import type { PodRuntime, PodRuntimeOptions } from './runtime.ts';

/** Long enough for a machine that is busy with something else. */
const PATIENCE_MS = 30_000;

/** Waits until `probe` gives something; fails with `what` when it never does. */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  while (true) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    assert.ok(Date.now() < deadline, `never came true: ${what}`);
    await delay(15);
  }
}

/** A folder that is removed when the test is over. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-runtime-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What a test takes as given, and the compiler cannot know. */
export function the<T>(value: T | undefined): T {
  assert.ok(value !== undefined);
  return value;
}

/** An object as it is after admission. Fails when the API server would refuse it. */
function object<T extends KubeObject>(kind: Kind<T>, written: Record<string, unknown>): T {
  const metadata = { namespace: 'default', ...(written['metadata'] as object) };
  const full = { apiVersion: 'v1', kind: kind.kind, ...written, metadata };
  const { object: admitted, errors, unknown } = admit(kind, full);
  assert.deepEqual([errors, unknown], [[], []]);
  return admitted;
}

export interface PodSketch {
  readonly name?: string;
  readonly namespace?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly uid?: string;
  /** Fields of the first container, whose name is `main` and whose image nobody knows. */
  readonly container?: Record<string, unknown>;
  /** Other fields of the spec. */
  readonly spec?: Record<string, unknown>;
  readonly status?: Record<string, unknown>;
}

export function pod(sketch: PodSketch = {}): Pod {
  const { name = 'web', namespace = 'default', annotations, labels, uid } = sketch;
  return object(Pod, {
    metadata: {
      name,
      namespace,
      ...(uid === undefined ? {} : { uid }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(labels === undefined ? {} : { labels }),
    },
    spec: {
      nodeName: 'fairway',
      containers: [{ name: 'main', image: 'example.com/app', ...sketch.container }],
      ...sketch.spec,
    },
    ...(sketch.status === undefined ? {} : { status: sketch.status }),
  });
}

/** A container that runs a shell script. */
export function shell(script: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { command: ['/bin/sh', '-c', script], ...more };
}

/** A container that runs a Node.js script with the Node.js of this test. */
export function node(script: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { command: [process.execPath, '-e', script], ...more };
}

export function secret(name: string, stringData: Record<string, string>): Secret {
  return object(Secret, { metadata: { name }, stringData });
}

export function configMap(name: string, data: Record<string, string>): ConfigMap {
  return object(ConfigMap, { metadata: { name }, data });
}

export function service(name: string, spec: Record<string, unknown>): Service {
  return object(Service, { metadata: { name }, spec });
}

const KINDS = new Map<string, Kind>(
  [Node, Pod, Secret, ConfigMap, Service].map((kind) => [kind.kind, kind]),
);

/** Writes objects as a source does. */
export function putAll(store: Store, objects: readonly KubeObject[]): void {
  store.write(
    objects.map((each) => {
      const kind = KINDS.get(each.kind);
      assert.ok(kind !== undefined, `unknown kind ${each.kind}`);
      return { op: 'put', kind, object: each };
    }),
  );
}

/** All these objects, and nothing else. */
export function snapshotOf(...objects: readonly KubeObject[]): Snapshot {
  const store = new Store();
  putAll(store, objects);
  return store.snapshot();
}

export interface Harness {
  readonly store: Store;
  readonly runtime: PodRuntime;
  readonly stateDir: string;
  readonly errors: readonly unknown[];
  findings(): readonly Finding[];
  put(...objects: readonly KubeObject[]): void;
  remove(kind: Kind, name: string): void;
  /** Deletes a pod as `kubectl delete` does. */
  terminate(name: string, gracePeriodSeconds: number): void;
  get(name?: string): Pod | undefined;
  /** Waits for a pod of which `test` is true. */
  when(what: string, test: (pod: Pod) => boolean, name?: string): Promise<Pod>;
}

let ranges = 0;

/** A store with a runtime on it, ended after the test. Every one has a range of addresses of its own. */
export function harness(t: TestContext, options: Partial<PodRuntimeOptions> = {}): Harness {
  const stateDir = options.stateDir ?? mkdtempSync(join(tmpdir(), 'fairway-runtime-'));
  const store = new Store();
  const errors: unknown[] = [];
  let findings: readonly Finding[] = [];
  const runtime = createPodRuntime({
    // Test files run at the same time, in processes of their own.
    podCidr: `127.${200 + (process.pid % 40)}.${ranges++ % 256}.0/24`,
    nodeName: 'fairway',
    stateDir,
    images: [],
    locate: () => undefined,
    workingDir: stateDir,
    write: (writes) => void store.write(writes),
    onFindings: (all) => (findings = all),
    onError: (error) => errors.push(error),
    backoff: { initialMs: 20, maxMs: 200, resetAfterMs: 600_000 },
    ...options,
  });
  store.subscribe(() => runtime.sync(store.snapshot()));
  t.after(async () => {
    await runtime.stop(2000);
    if (options.stateDir === undefined) rmSync(stateDir, { recursive: true, force: true });
  });
  const get = (name = 'web'): Pod | undefined => store.snapshot().get(Pod, 'default', name);
  return {
    store,
    runtime,
    stateDir,
    errors,
    findings: () => findings,
    put: (...objects) => putAll(store, objects),
    remove: (kind, name) => store.write([{ op: 'delete', kind, namespace: 'default', name }]),
    terminate: (name, gracePeriodSeconds) =>
      store.write([{ op: 'terminate', kind: Pod, namespace: 'default', name, gracePeriodSeconds }]),
    get,
    when: async (what, test, name = 'web') => {
      try {
        return await until(what, () => {
          const found = get(name);
          return found?.status.phase !== undefined && test(found) ? found : undefined;
        });
      } catch (error) {
        const status = JSON.stringify(get(name)?.status, undefined, 1);
        throw new Error(
          `${(error as Error).message}; the pod is ${status}; errors: ${errors.join()}`,
          {
            cause: error,
          },
        );
      }
    },
  };
}

export function isReady(found: Pod): boolean {
  return (
    found.status.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') ===
    true
  );
}
