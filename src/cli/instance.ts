// A running Fairway, put together: addresses of its own, sources, pods, workers and the loop between.

import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { LocalCa } from '../certificates/local-ca.ts';
import type { Configuration } from '../config/config.ts';
import { BLOCKS, lockAddressOf } from '../config/network.ts';
import type { Network } from '../config/network.ts';
import { blockDirectory, caDirectory, pathsFrom } from '../config/paths.ts';
import { Service } from '../api/core/service.ts';
import type { Finding } from '../api/finding.ts';
import type { Kind } from '../api/kind.ts';
import { lockAddress } from '../lib/address-lock.ts';
import type { AddressLock } from '../lib/address-lock.ts';
import { FairwayError } from '../lib/errors.ts';
import { firstOpenPort, servedPorts } from '../lib/privileged-ports.ts';
import type { EventRecorder } from '../pipeline/event-recorder.ts';
import { createPodFinder } from '../pipeline/findings.ts';
import { createLocator } from '../pipeline/locate.ts';
import type { Locator } from '../pipeline/locate.ts';
import { folderOf, writtenFindings } from '../pipeline/owners.ts';
import { Pipeline } from '../pipeline/pipeline.ts';
import { createResolver } from '../resolve/resolve.ts';
import { createPodRuntime } from '../runtime/runtime.ts';
import type { PodRuntime } from '../runtime/runtime.ts';
import type { Source } from '../sources/source.ts';
import { Store } from '../store/store.ts';
import { Proxy } from '../targets/proxy/proxy.ts';
import type { Api } from './api.ts';
import type { Kept } from './kept.ts';
import type { MetricsServer } from './metrics.ts';
import { notReady } from './readiness.ts';
import { takeOver } from './take-over.ts';
import type { Predecessor } from './take-over.ts';
import {
  controllersFor,
  externalRules,
  limitsOf,
  networkFor,
  NODE_NAME,
  observationOf,
  podFindingsOptions,
} from './settings.ts';

export interface InstanceOptions {
  readonly configuration: Configuration;
  readonly sources: readonly Source[];
  readonly workers: number;
  /** Whether pods are run. */
  readonly pods: boolean;
  /** What is served, as the user named it: it decides which objects were kept from before. */
  readonly paths: readonly string[];
  /** The Kubernetes API, and what is kept of what is written through it; null for none. */
  readonly api: ApiSettings | null;
  /** Whose addresses this one gets, once it is asked to `takeOver`; null or absent to have some of its own. */
  readonly predecessor?: Predecessor | null;
  readonly onError: (error: unknown) => void;
}

export interface ApiSettings {
  /** Tried first; null for the usual one. */
  readonly port: number | null;
  /** Where objects are kept; null for the usual place. */
  readonly directory: string | null;
  /** Nothing is kept beyond this run. */
  readonly isTemporary: boolean;
}

export interface Instance {
  readonly store: Store;
  readonly pipeline: Pipeline;
  readonly proxy: Proxy;
  readonly runtime: PodRuntime | null;
  readonly network: Network;
  /** Of running pods, as they are now. */
  readonly podFindings: () => readonly Finding[];
  readonly locate: Locator;
  readonly caPath: string | null;
  /** Where metrics are served; null when they are not. */
  readonly metricsUrl: string | null;
  /** Rejects when it cannot be served. */
  readonly api: Promise<Api | null>;
  /** How many objects were there from before. */
  readonly restored: number;
  /** Finishes requests and ends pods, each within its grace; then nothing is left. */
  stop(): Promise<void>;
  /** Asks the predecessor to leave; resolves when its addresses are this one's. */
  takeOver(): Promise<void>;
  /** Leaves everything to a successor that serves on the same ports already. */
  handOver(): Promise<void>;
}

/** The port of the first Fairway on a machine; the next has the next. */
const API_PORT = 6443;
const API_ADDRESS = '127.0.0.1';
/** For so long the API waits for pods to become ready. */
const API_WAITS_MS_MAX = 1_000;

/** Requests under way may take this long to finish when Fairway ends. */
const DRAIN_MS = 10_000;
/** A successor serves meanwhile, so nobody waits for this but long requests and tunnels. */
const HANDOVER_MS = 60_000;

/** Puts an instance together and starts it. Rejects when its sources cannot be read at all. */
export async function startInstance(options: InstanceOptions): Promise<Instance> {
  const { configuration, sources, workers, onError } = options;
  const kept = await openObjects(options);
  const { predecessor = null } = options;
  const taken = predecessor === null ? await takeBlock() : { lock: null, block: predecessor.block };
  const { block } = taken;
  let { lock }: { lock: AddressLock | null } = taken;
  const network = networkFor(block, configuration);
  const paths = pathsFrom(process.env);
  const firstOpen = await firstOpenPort(lockAddressOf(block));
  const store = kept?.store ?? new Store({ newUid: () => randomUUID() });
  let customKinds: readonly Kind[] = kept?.customKinds ?? [];
  let podFindings: readonly Finding[] = [];
  const events = kept === null ? null : await recordEvents(store);
  const runtime = options.pods
    ? createPodRuntime({
        podCidr: network.podCidr,
        nodeName: NODE_NAME,
        stateDir: prepare(blockDirectory(paths, block)),
        images: configuration.pods.images,
        firstOpenPort: firstOpen,
        locate: (kind, namespace, name) => folderOf(store.snapshot(), { kind, namespace, name }),
        write: (writes) => void store.write(writes),
        onFindings: (findings) => {
          podFindings = writtenFindings(store.snapshot(), findings);
          pipeline.refresh();
        },
        ...(kept === null
          ? {}
          : { onProbeFailure: (pod, failure) => events?.probed(pod, failure) }),
        onError,
      })
    : null;
  const proxy = new Proxy({
    workers,
    limits: limitsOf(configuration),
    observation: observationOf(configuration),
    onCrash: (worker, error) => onError(crashed(worker, error)),
    onForbidden: () => pipeline.refresh(),
    pathPolicy: configuration.paths,
    explains: configuration.explain,
    external: externalRules(network, configuration),
    bindings: {
      firstOpenPort: firstOpen,
      localhostOffset: network.localhostOffset,
    },
    servedPort: (service, port) => servedPortOf(store, service, port, firstOpen),
    nodePortAddresses: network.nodePortAddresses,
    takesOver: predecessor !== null,
  });
  const localCa = new LocalCa({ directory: caDirectory(paths) });
  const pipeline = new Pipeline({
    store,
    sources,
    controllers: controllersFor(network, () => customKinds),
    resolve: createResolver({
      gatewayCidr: network.gatewayCidr,
      adoptedClasses: configuration.gatewayClasses,
      externalNames: configuration.externalBackends.externalNameServices,
    }),
    node: NODE_NAME,
    firstOpenPort: firstOpen,
    proxy,
    runtime,
    localCa,
    findPodFaults: createPodFinder((snapshot) => podFindingsOptions(snapshot, configuration)),
    onError,
  });
  if (events !== null) {
    pipeline.subscribe((report) => events.found(report.findings));
  }
  const stop = async (): Promise<void> => {
    events?.stop();
    await pipeline.stop();
    // Pods serve until the last request is through.
    await proxy.stop(DRAIN_MS);
    await runtime?.stop();
    await api.then((running) => running?.stop()).catch(() => undefined);
    kept?.storage.close();
    await metrics?.stop();
    lock?.release();
  };
  let metrics: MetricsServer | null = null;
  const serveMetrics = async (): Promise<void> => {
    if (configuration.metrics === undefined) return;
    const { startMetrics } = await import('./metrics.ts');
    metrics = await startMetrics(configuration.metrics.port, proxy);
  };
  const locate = createLocator(sources, () => store.snapshot());
  let api = Promise.resolve<Api | null>(null);
  try {
    await pipeline.start();
    if (predecessor === null) await serveMetrics();
    if (kept !== null) {
      const stateDir = prepare(blockDirectory(paths, block));
      // After the rest: loading it takes the thread for a while, and pods that start need it.
      api = untilServed(pipeline, runtime !== null).then(async () => {
        const { startApi } = await import('./api.ts');
        return startApi({
          kept,
          address: API_ADDRESS,
          port: options.api?.port ?? API_PORT + block,
          serviceCidr: network.serviceCidr,
          locate,
          runtime,
          onCustomKinds: (kinds) => (customKinds = kinds),
          stateDir,
          kubeconfigPath: join(stateDir, 'kubeconfig'),
          onError,
        });
      });
      // Whoever asks for it hears of it; until then it is no error of nobody's.
      api.catch(() => undefined);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    store,
    pipeline,
    proxy,
    runtime,
    network,
    podFindings: () => podFindings,
    locate,
    api,
    restored: kept?.restored ?? 0,
    caPath: localCa.certificatePath,
    get metricsUrl() {
      return metrics?.url ?? null;
    },
    stop,
    takeOver: async () => {
      if (predecessor === null) return;
      lock = await takeOver(predecessor);
      proxy.tookOver();
      // What it had alone is free now.
      pipeline.refresh();
      await serveMetrics();
    },
    handOver: async () => {
      await pipeline.stop();
      await metrics?.stop();
      lock?.release();
      await proxy.handOver(HANDOVER_MS);
    },
  };
}

/** Told once; the worker is replaced, and the others serve meanwhile. */
function crashed(worker: number, cause: unknown): FairwayError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `thread ${worker} of the data path has crashed, and is replaced: ${why}`;
  return new FairwayError('FW_WORKER_CRASHED', message, {
    cause,
    hint: 'its connections are lost; please report what is printed here',
  });
}

/** Resolves when everything is ready that is there from the start, or soon if something is not. */
function untilServed(pipeline: Pipeline, podsRun: boolean): Promise<void> {
  const isServed = (): boolean =>
    pipeline.report !== undefined && notReady(pipeline.report.snapshot, podsRun).length === 0;
  if (isServed()) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      unsubscribe();
      resolve();
    };
    const timer = setTimeout(done, API_WAITS_MS_MAX);
    const unsubscribe = pipeline.subscribe(() => {
      if (isServed()) done();
    });
  });
}

async function openObjects({ api, paths, onError }: InstanceOptions): Promise<Kept | null> {
  if (api === null) return null;
  const { openKept } = await import('./kept.ts');
  const { directory, isTemporary } = api;
  return openKept({ paths, directory, isTemporary, onError }, () => randomUUID());
}

/** Events are for those who read them through the API. */
async function recordEvents(store: Store): Promise<EventRecorder> {
  const { EventRecorder: Recorder } = await import('../pipeline/event-recorder.ts');
  return new Recorder({ store });
}

/** The first block of addresses that no other Fairway has. */
async function takeBlock(): Promise<{ lock: AddressLock; block: number }> {
  for (let block = 0; block < BLOCKS; block++) {
    const lock = await lockAddress(lockAddressOf(block));
    if (lock !== undefined) return { lock, block };
  }
  throw new FairwayError(
    'FW_NO_ADDRESSES',
    `${BLOCKS} Fairways are running on this machine already`,
    {
      hint: 'stop one of them',
    },
  );
}

/** Where a port of a Service, given as `namespace/name`, is served. */
function servedPortOf(store: Store, service: string, port: number, firstOpen: number): number {
  const [namespace = '', name = ''] = service.split('/');
  const { ports = [] } = store.snapshot().get(Service, namespace, name)?.spec ?? {};
  const asked = ports.map((p) => p.port);
  return servedPorts(asked, firstOpen).get(port) ?? port;
}

function prepare(directory: string): string {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return directory;
}
