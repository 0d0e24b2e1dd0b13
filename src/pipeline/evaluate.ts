// What would be served, without serving it: the same loop as pipeline.ts with pods that are taken to be
// ready and certificates that are made and thrown away. For `check`, `explain` and `compile`.

import type { Finding, Position } from '../api/finding.ts';
import { LocalCa } from '../certificates/local-ca.ts';
import type { Controller } from '../controllers/controller.ts';
import { reconcileAll } from '../controllers/reconcile.ts';
import { createResolver } from '../resolve/resolve.ts';
import type { ResolveOptions } from '../resolve/resolve.ts';
import { allStatuses } from '../resolve/resolution.ts';
import type { Resolution } from '../resolve/resolution.ts';
import { assumePodsReady } from '../runtime/assume.ts';
import { podFindings } from '../runtime/findings.ts';
import type { PodFindingsOptions } from '../runtime/findings.ts';
import type { Source } from '../sources/source.ts';
import { kindKey } from '../store/snapshot.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { Store } from '../store/store.ts';
import { createStaticFinder } from './findings.ts';
import { createLocator } from './locate.ts';
import { tellRefused } from './refused.ts';
import { statusWrites } from './status.ts';

export interface EvaluateOptions extends ResolveOptions {
  readonly sources: readonly Source[];
  readonly controllers: readonly Controller[];
  readonly podCidr: string;
  readonly pods: (snapshot: Snapshot) => PodFindingsOptions;
  readonly now: Date;
}

export interface Evaluation {
  /** With the statuses the objects would have. */
  readonly snapshot: Snapshot;
  readonly resolution: Resolution;
  readonly findings: readonly Finding[];
  readonly locate: (origin: Finding['origin']) => Position | undefined;
}

/** Reads the sources once and says what would be served. Rejects when a source cannot be read at all. */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { sources, controllers, podCidr, now } = options;
  // The same files give the same objects, to the last identifier.
  const store = new Store({
    now: () => now,
    newUid: (kind, namespace, name) => `${kindKey(kind)}/${namespace}/${name}`,
  });
  const sourceFindings = new Map<string, readonly Finding[]>();
  const stop = new AbortController();
  await Promise.all(
    sources.map((source) =>
      source.start(({ writes, findings }) => {
        sourceFindings.set(source.name, findings);
        store.write(writes);
      }, stop.signal),
    ),
  );
  stop.abort();
  settle(store, controllers, podCidr, now);
  store.write(await new LocalCa({ directory: null }).issueMissing(store.snapshot()));
  settle(store, controllers, podCidr, now);
  const snapshot = store.snapshot();
  const resolution = createResolver(options)(snapshot);
  store.write(statusWrites(snapshot, allStatuses(resolution), now));
  const ofSources = [...sourceFindings.values()].flat();
  return {
    snapshot: store.snapshot(),
    resolution,
    findings: [
      ...ofSources,
      ...tellRefused(ofSources, resolution.findings),
      ...createStaticFinder()(snapshot),
      ...podFindings(snapshot, options.pods(snapshot)),
    ],
    locate: createLocator(sources, () => store.snapshot()),
  };
}

/** Controllers and the pods they make, until nothing changes any more. */
function settle(
  store: Store,
  controllers: readonly Controller[],
  podCidr: string,
  now: Date,
): void {
  do {
    reconcileAll(controllers, store, now);
  } while (store.write(assumePodsReady(store.snapshot(), podCidr)).length > 0);
}
