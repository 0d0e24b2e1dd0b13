// The model as one node sees it: which endpoints count there. Shared by every target that moves
// packets or requests, so that "ready", "terminating" and "local" mean the same everywhere.

import { changedKeys, VersionedMap } from '../lib/versioned-map.ts';
import type {
  Backend,
  BackendProtocol,
  BackendTls,
  Certificate,
  Endpoint,
  EntryPoint,
  ExternalHost,
  Frontend,
  Model,
  Origin,
  ServicePort,
} from '../model/model.ts';
import type { Balance, RetryBudget, Session } from '../model/policy.ts';

export interface View {
  readonly node: string;
  readonly entryPoints: readonly EntryPoint[];
  readonly certificates: ReadonlyMap<string, Certificate>;
  readonly backends: ReadonlyMap<string, BackendView>;
  readonly services: readonly ServiceView[];
}

export interface BackendView {
  readonly key: string;
  readonly protocol: BackendProtocol;
  /** Null for plain text. */
  readonly tls: BackendTls | null;
  /** Absent: leastRequests. */
  readonly balance?: Balance;
  readonly retryBudget?: RetryBudget;
  readonly session?: Session;
  /** Set when its endpoints are looked up in DNS. */
  readonly host?: ExternalHost;
  /** Those that take new requests. */
  readonly endpoints: readonly EndpointAddress[];
  /** Those that only finish what they have. */
  readonly draining: readonly EndpointAddress[];
}

export interface EndpointAddress {
  readonly address: string;
  readonly port: number;
}

export interface ServiceView {
  readonly id: string;
  readonly service: string;
  readonly protocol: ServicePort['protocol'];
  readonly affinitySeconds: number;
  readonly frontends: readonly FrontendView[];
  readonly origin: Origin;
}

/** One address a client dials, and where its connections go. */
export interface FrontendView extends Frontend {
  /** What happens: to one of the endpoints; refused, as there is none; dropped, as none is local. */
  readonly fate: 'forward' | 'reject' | 'drop';
  readonly endpoints: readonly EndpointAddress[];
  /** Lists of networks: a client must be in one network of each. Absent: everybody may dial it. */
  readonly sources?: readonly (readonly string[])[];
}

const backendViews = new WeakMap<Backend, BackendView>();
const serviceViews = new WeakMap<ServicePort, { node: string; view: ServiceView }>();

/** Lowers a model for a node. Parts of the model that are the same give parts that are the same. */
export function lower(model: Model, node: string): View {
  return createLowerer(node)(model);
}

/** Lowers one model after another, each at the cost of what is different from the one before. */
export function createLowerer(node: string): (model: Model) => View {
  let from: Model | undefined;
  let backends = VersionedMap.of<BackendView>();
  let services: readonly ServiceView[] = [];
  return (model) => {
    const before = from?.backends ?? NO_BACKENDS;
    backends = backends.with(
      Array.from(changedKeys(before, model.backends), (key) => {
        const backend = model.backends.get(key);
        return [key, backend === undefined ? undefined : lowerBackend(backend)] as const;
      }),
    );
    if (from?.services !== model.services) {
      services = model.services.map((service) => lowerService(service, node));
    }
    from = model;
    const { entryPoints, certificates } = model;
    return { node, entryPoints, certificates, backends, services };
  };
}

const NO_BACKENDS: ReadonlyMap<string, Backend> = new Map();

function lowerBackend(backend: Backend): BackendView {
  let view = backendViews.get(backend);
  if (view === undefined) {
    const { key, protocol, tls = null, balance, retryBudget, session, host, endpoints } = backend;
    const taking = usable(endpoints);
    const draining = endpoints.filter((e) => e.terminating && !taking.includes(e));
    view = {
      key,
      protocol,
      tls,
      ...(balance === undefined ? {} : { balance }),
      ...(retryBudget === undefined ? {} : { retryBudget }),
      ...(session === undefined ? {} : { session }),
      ...(host === undefined ? {} : { host }),
      endpoints: taking.map(addressOf),
      draining: draining.map(addressOf),
    };
    backendViews.set(backend, view);
  }
  return view;
}

function lowerService(service: ServicePort, node: string): ServiceView {
  const known = serviceViews.get(service);
  if (known !== undefined && known.node === node) return known.view;
  const cluster = usable(service.endpoints);
  const local = usable(service.endpoints.filter((e) => e.node === node));
  const view: ServiceView = {
    id: service.id,
    service: service.service,
    protocol: service.protocol,
    affinitySeconds: service.affinitySeconds,
    frontends: service.frontends.map((frontend) => {
      const policy =
        frontend.kind === 'clusterIP' ? service.internalPolicy : service.externalPolicy;
      const endpoints = (policy === 'Local' ? local : cluster).map(addressOf);
      const nowhere = cluster.length > 0 ? 'drop' : 'reject';
      return { ...frontend, endpoints, fate: endpoints.length > 0 ? 'forward' : nowhere };
    }),
    origin: service.origin,
  };
  serviceViews.set(service, { node, view });
  return view;
}

/** Ready endpoints; when there are none, those that end but still serve (KEP-1669). */
function usable(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const ready = endpoints.filter((e) => e.ready);
  return ready.length > 0 ? ready : endpoints.filter((e) => e.serving && e.terminating);
}

function addressOf({ address, port }: Endpoint): EndpointAddress {
  return { address, port };
}
