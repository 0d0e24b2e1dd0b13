// What is served, in tables: listeners with the URLs to open, routes with what they are attached to,
// Services with how many of their endpoints are ready.

import { Service } from '../api/core/service.ts';
import { Gateway } from '../api/gateway/gateway.ts';
import { GRPCRoute } from '../api/gateway/grpcroute.ts';
import { HTTPRoute } from '../api/gateway/httproute.ts';
import { ListenerSet } from '../api/gateway/listenerset.ts';
import { TCPRoute } from '../api/gateway/tcproute.ts';
import { TLSRoute } from '../api/gateway/tlsroute.ts';
import { UDPRoute } from '../api/gateway/udproute.ts';
import type { Kind } from '../api/kind.ts';
import { Ingress } from '../api/networking/ingress.ts';
import type { Condition } from '../api/meta.ts';
import { servedPorts } from '../lib/privileged-ports.ts';
import { formatTable } from '../lib/table.ts';
import type { Model } from '../model/model.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { Binding } from '../targets/proxy/messages.ts';
import { listenerUrls } from './urls.ts';

export interface Overview {
  readonly snapshot: Snapshot;
  readonly model: Model;
  /** Empty when nothing is being served. */
  readonly bindings: readonly Binding[];
  /** Ports of Services below this number are served at others; absent when nothing is served. */
  readonly firstOpenPort?: number;
}

/** Rows of a kind that are shown; more are counted. */
const ROWS_MAX = 40;

export function formatOverview(overview: Overview): readonly string[] {
  const tables = [
    table(['GATEWAY', 'LISTENER', 'URL', 'ROUTES', 'PROGRAMMED'], listenerRows(overview)),
    table(['ROUTE', 'HOSTNAMES', 'ATTACHED TO', 'ACCEPTED', 'REFERENCES'], routeRows(overview)),
    table(['INGRESS', 'CLASS', 'HOSTS', 'URL', 'TLS'], ingressRows(overview)),
    table(['SERVICE', 'TYPE', 'ADDRESS', 'PORTS', 'READY'], serviceRows(overview)),
  ];
  return tables.filter((lines) => lines.length > 1).flatMap((lines) => [...lines, '']);
}

function table(headings: readonly string[], rows: readonly string[][]): readonly string[] {
  const lines = formatTable(headings, rows.slice(0, ROWS_MAX));
  return rows.length > ROWS_MAX ? [...lines, `… and ${rows.length - ROWS_MAX} more`] : lines;
}

function listenerRows({ snapshot, model, bindings }: Overview): string[][] {
  return snapshot.list(Gateway).flatMap((gateway) => {
    const key = keyOf(gateway.metadata);
    const address = gateway.status.addresses?.[0]?.value ?? '';
    const rowsOf = (owner: Gateway | ListenerSet): string[][] =>
      owner.spec.listeners.map((listener) => {
        const status = owner.status.listeners?.find((l) => l.name === listener.name);
        const isSet = owner.kind === ListenerSet.kind;
        const ownerKey = keyOf(owner.metadata);
        const id = `${isSet ? 'ListenerSet ' : ''}${ownerKey}/${listener.name}`;
        const urls = listenerUrls({ gateway: key, listener, id, address, model, bindings });
        // A set that is not taken in says why itself, its listeners say nothing.
        const programmed = status?.conditions ?? (isSet ? owner.status.conditions : undefined);
        return [
          key,
          isSet ? `${ownerKey}/${listener.name}` : listener.name,
          urls[0] ?? '',
          String(status?.attachedRoutes ?? 0),
          conditionText(programmed, 'Programmed'),
        ];
      });
    const sets = snapshot.list(ListenerSet).filter((set) => gatewayOf(set) === key);
    return [gateway, ...sets].flatMap(rowsOf);
  });
}

/** The Gateway that a set adds to, as `namespace/name`. */
function gatewayOf({ metadata, spec }: ListenerSet): string {
  return `${spec.parentRef.namespace ?? metadata.namespace ?? ''}/${spec.parentRef.name}`;
}

/** What all kinds of routes have. */
type AnyRoute = Pick<HTTPRoute, 'apiVersion' | 'kind' | 'metadata' | 'status'> & {
  readonly spec: { readonly hostnames?: readonly string[] };
};

function routeRows({ snapshot }: Overview): string[][] {
  const routes = [HTTPRoute, GRPCRoute, TLSRoute, TCPRoute, UDPRoute].flatMap((kind) =>
    snapshot.list(kind as Kind<AnyRoute>),
  );
  return routes.map((route) => {
    const parents = route.status?.parents ?? [];
    const attached = parents
      .filter((p) => p.conditions.some((c) => c.type === 'Accepted' && c.status === 'True'))
      .map(({ parentRef: { kind, namespace, name, sectionName } }) => {
        const gateway = `${namespace ?? route.metadata.namespace ?? ''}/${name}`;
        const place = sectionName === undefined ? gateway : `${gateway}/${sectionName}`;
        return kind === ListenerSet.kind ? `ListenerSet ${place}` : place;
      });
    const conditions = parents.flatMap((p) => p.conditions);
    return [
      keyOf(route.metadata),
      (route.spec.hostnames ?? ['*']).join(','),
      attached.join(','),
      worst(conditions, 'Accepted'),
      worst(conditions, 'ResolvedRefs'),
    ];
  });
}

/** The first URL of each Ingress: by name where every machine knows the name, else by address. */
function ingressRows({ snapshot, model, bindings }: Overview): string[][] {
  return snapshot.list(Ingress).map((ingress) => {
    const { spec, status, metadata } = ingress;
    const hosts = (spec.rules ?? []).map(({ host = '' }) => host || '*');
    const address = status.loadBalancer.ingress?.[0]?.ip ?? '';
    const isTls = (spec.tls ?? []).length > 0;
    const port = isTls ? 443 : 80;
    const entry = model.entryPoints.find((e) => e.port === port && e.addresses.includes(address));
    const own = bindings.filter((b) => b.socket === entry?.id);
    const local = hosts.find((h) => h === 'localhost' || /^[^*].*\.localhost$/.test(h));
    const at = own.find((b) => b.address === '127.0.0.1' && local !== undefined);
    const bound = at ?? own.find((b) => b.address === address);
    const scheme = isTls ? 'https' : 'http';
    const shown = bound?.port === port ? '' : `:${bound?.port ?? ''}`;
    const name = local !== undefined && bound?.address === '127.0.0.1' ? local : address;
    return [
      keyOf(metadata),
      spec.ingressClassName ?? metadata.annotations?.['kubernetes.io/ingress.class'] ?? '',
      [...new Set(hosts)].join(',') || '*',
      bound === undefined ? '' : `${scheme}://${name}${shown}`,
      isTls ? 'yes' : '',
    ];
  });
}

function serviceRows({ snapshot, model, firstOpenPort = 0 }: Overview): string[][] {
  return snapshot.list(Service).map((service) => {
    const { spec, metadata } = service;
    const key = keyOf(metadata);
    const asked = (spec.ports ?? []).map(({ port }) => port);
    const served = servedPorts(asked, firstOpenPort);
    const ports = (spec.ports ?? []).map((port) => {
      const node = (port.nodePort ?? 0) === 0 ? '' : `:${port.nodePort}`;
      const at = served.get(port.port) ?? port.port;
      const moved = at === port.port ? '' : ` at ${at}`;
      return `${port.port}${moved}${node}/${port.protocol}`;
    });
    const endpoints = endpointsOf(model, key);
    const ready = endpoints.filter((e) => e.ready).length;
    return [
      key,
      spec.type,
      addressesOf(service).join(','),
      ports.join(','),
      spec.type === 'ExternalName' ? '' : `${ready}/${endpoints.length}`,
    ];
  });
}

/** The address to dial from outside first, where there is one. */
function addressesOf({ spec, status }: Service): readonly string[] {
  const ingress = (status?.loadBalancer.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname);
  return [...ingress, spec.clusterIP].filter((a): a is string => a !== undefined && a !== '');
}

/** The endpoints of a Service: of its ports, or, when it is headless, of a backend that uses it. */
function endpointsOf(model: Model, key: string): Model['services'][number]['endpoints'] {
  const port = model.services.find((s) => s.service === key);
  if (port !== undefined) return port.endpoints;
  for (const backend of model.backends.values()) {
    if (backend.key.startsWith(`Service ${key}:`)) return backend.endpoints;
  }
  return [];
}

function conditionText(conditions: readonly Condition[] | undefined, type: string): string {
  const condition = conditions?.find((c) => c.type === type);
  if (condition === undefined) return 'Unknown';
  return condition.status === 'True' ? 'True' : `${condition.status} (${condition.reason})`;
}

function worst(conditions: readonly Condition[], type: string): string {
  const bad = conditions.find((c) => c.type === type && c.status !== 'True');
  return conditionText(bad === undefined ? conditions : [bad], type);
}

function keyOf({ namespace = '', name = '' }: { namespace?: string; name?: string }): string {
  return `${namespace}/${name}`;
}
