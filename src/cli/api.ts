// The API of a running Fairway, put together: its keys, its port, and what answers there.

import { join } from 'node:path';
import { ALL_KINDS } from '../api/all-kinds.ts';
import { CustomResourceDefinition } from '../api/apiextensions/crd.ts';
import { Namespace } from '../api/core/namespace.ts';
import { Service } from '../api/core/service.ts';
import { extensionDefinitions, gatewayDefinitions } from '../api/crds/definitions.ts';
import { EVENTS_VIEW } from '../api/events/event.ts';
import type { Kind } from '../api/kind.ts';
import { followDefinitions } from '../apiserver/definitions/definitions.ts';
import { kubeconfig, openAccess, writeSecret } from '../apiserver/http/access.ts';
import type { Access } from '../apiserver/http/access.ts';
import { tokenIdentity } from '../apiserver/http/gate.ts';
import { createHandler } from '../apiserver/http/handle.ts';
import { ApiServer } from '../apiserver/http/server.ts';
import { failure } from '../apiserver/failure.ts';
import { Reader } from '../apiserver/registry/reader.ts';
import { Resources } from '../apiserver/registry/resources.ts';
import { Writer } from '../apiserver/registry/writer.ts';
import { readLog } from '../runtime/logs/read-log.ts';
import type { PodRuntime } from '../runtime/runtime.ts';
import type { SourceRef } from '../store/table.ts';
import { createSubresources } from '../apiserver/streams/subresources.ts';
import type { Pods } from '../apiserver/streams/subresources.ts';
import { WatchHub } from '../apiserver/watch/hub.ts';
import { pathsFrom } from '../config/paths.ts';
import { allocateService } from '../controllers/allocation/allocate.ts';
import { createAllocationTracker } from '../controllers/allocation/allocations.ts';
import { formatPosition } from '../pipeline/locate.ts';
import type { Locator } from '../pipeline/locate.ts';
import type { Kept } from './kept.ts';
import { VERSION } from './version.ts';

export interface ApiOptions {
  readonly kept: Kept;
  readonly address: string;
  readonly port: number;
  readonly serviceCidr: string;
  readonly locate: Locator;
  /** Null when no pods are run. */
  readonly runtime: PodRuntime | null;
  /** Kinds that users have defined, whenever there are others than before. */
  readonly onCustomKinds: (kinds: readonly Kind[]) => void;
  /** The folder with the logs of pods. */
  readonly stateDir: string;
  /** Where the kubeconfig is written. */
  readonly kubeconfigPath: string;
  readonly onError: (error: unknown) => void;
}

export interface Api {
  readonly url: string;
  readonly kubeconfigPath: string;
  stop(): Promise<void>;
}

const DEFINITION = CustomResourceDefinition as unknown as Kind;
/** What is there without anybody having written it, and is not kept. */
const CLUSTER_SOURCE: SourceRef = { source: 'cluster', file: '', document: 0 };
/** Namespaces every cluster has. */
const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

export async function startApi(options: ApiOptions): Promise<Api> {
  const { kept, address, port, locate, onError } = options;
  const { store, storage } = kept;
  const hub = new WatchHub(store.revision);
  store.subscribe((changes) => hub.publish(changes));
  const isMissing = (kind: Kind, name: string): boolean => store.get(kind, '', name) === undefined;
  const startedAt = `${new Date().toISOString().slice(0, 19)}Z`;
  store.write([
    ...NAMESPACES.filter((name) => isMissing(Namespace, name)).map(namespaceWrite),
    ...[...gatewayDefinitions(startedAt), ...extensionDefinitions(startedAt)]
      .filter(({ metadata }) => isMissing(DEFINITION, metadata.name ?? ''))
      .map((object) => ({ op: 'put' as const, kind: DEFINITION, object, source: CLUSTER_SOURCE })),
  ]);
  const trackAllocations = createAllocationTracker({ serviceCidr: options.serviceCidr });
  const kinds = [...ALL_KINDS, DEFINITION];
  const writer = new Writer({
    store,
    lastingDefinitions: new Set(kinds.map(({ group, plural }) => `${plural}.${group}`)),
    complete: (kind, object, old) => {
      if (kind !== (Service as Kind)) return object;
      const service = object as Service;
      const outcome = allocateService(
        service,
        trackAllocations(store.snapshot()),
        old as Service | undefined,
      );
      if ('service' in outcome) return outcome.service;
      const { error } = outcome;
      throw error.type === 'invalid'
        ? failure.invalid(kind, service.metadata.name ?? '', error.errors)
        : failure.internal(error.message);
    },
    fileOf: (kind, namespace, name) => {
      const source = store.get(kind, namespace, name)?.source;
      if (source === undefined || source.file === '') return undefined;
      const position = locate({ object: { kind: kind.kind, namespace, name } });
      return position === undefined ? source.file : formatPosition(position);
    },
  });
  const resources = new Resources(kinds, [EVENTS_VIEW]);
  const unfollow = followDefinitions({
    store,
    builtIn: kinds,
    now: () => new Date(),
    onKinds: (custom) => {
      resources.setCustom(custom.resources);
      options.onCustomKinds(custom.kinds);
    },
  });
  const access = await accessFor(address);
  const handler = createHandler({
    store,
    hub,
    resources,
    reader: new Reader(store),
    writer,
    flush: () => storage.flush(),
    streams: createSubresources({ store, pods: podsOf(options) }),
    userFor: (token) => tokenIdentity(token, access),
    version: VERSION,
    now: () => new Date(),
  });
  const stop = async (): Promise<void> => {
    unfollow();
    await server.stop();
  };
  const server = new ApiServer({ address, port, access, handler, onError });
  const url = await server.start();
  await writeSecret(options.kubeconfigPath, kubeconfig(url, access));
  return { url, kubeconfigPath: options.kubeconfigPath, stop };
}

function podsOf({ runtime, stateDir }: ApiOptions): Pods {
  return {
    exec: ({ namespace, pod, container }, { command, stdin, tty }) =>
      runtime === null
        ? Promise.reject(new Error('no pods are run: Fairway was started with --no-pods'))
        : runtime.exec({ namespace, pod, container, command, stdin, tty }),
    log: (container, { tailLines, ...options }, signal) => {
      const given = Object.entries({ ...options, tail: tailLines }).filter(
        ([, value]) => value !== undefined,
      );
      return readLog({ stateDir, ...container, ...Object.fromEntries(given) }, signal);
    },
  };
}

function accessFor(address: string): Promise<Access> {
  const names = [address, 'localhost', 'kubernetes.default.svc'];
  return openAccess(join(pathsFrom(process.env).data, 'api'), names, async () => {
    const { makeAuthority, makeClientCertificate, makeServerCertificate } =
      await import('../certificates/x509.ts');
    return {
      authority: (name) => makeAuthority(name, new Date()),
      server: (all, authority) => makeServerCertificate(all, authority, new Date()),
      client: (user, authority) => makeClientCertificate(user, authority, new Date()),
    };
  });
}

function namespaceWrite(name: string) {
  const object: Namespace = {
    apiVersion: 'v1',
    kind: Namespace.kind,
    metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  };
  return { op: 'put' as const, kind: Namespace as Kind, object, source: CLUSTER_SOURCE };
}
