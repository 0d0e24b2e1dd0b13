// Hosts of Ingresses → listeners of one Gateway. One listener for HTTP takes every host; hosts that must
// not fall back to a wider one have a listener of their own, and so has each host with a certificate.
// More than a Gateway may have, and those for a Gateway that is reused, are in ListenerSets.

import { Gateway } from '../api/gateway/gateway.ts';
import { Ingress } from '../api/networking/ingress.ts';
import { hostMatches, normalizeHost } from '../lib/hostname.ts';
import type { EntryPoint, Host, Origin } from '../model/model.ts';
import { compareIngresses } from '../resolve/ingress/nginx/servers.ts';
import type { Context } from './context.ts';
import { writtenHost } from './routes.ts';
import type { HostToRoute, ParentRef } from './routes.ts';
import { textOf } from './text.ts';
import type { GeneratedObject, Json, MigrateOptions } from './types.ts';

type JsonObject = { readonly [field: string]: Json };

const LISTENERS_MAX = 64;

export interface PlannedListeners {
  readonly objects: readonly GeneratedObject[];
  readonly hosts: readonly HostToRoute[];
  readonly notes: readonly string[];
}

/** A listener, and in which namespace it is at home. */
interface Wanted {
  readonly name: string;
  readonly namespace: string;
  readonly spec: JsonObject;
  readonly origin: Origin | undefined;
  /** `namespace/name` of the Secret. */
  readonly secret?: { readonly namespace: string; readonly name: string };
  readonly passthrough?: JsonObject;
}

interface Secured {
  readonly namespace: string;
  readonly name: string;
  readonly origin: Origin;
}

export function planListeners(
  context: Context,
  entryPoints: readonly EntryPoint[],
  options: MigrateOptions,
): PlannedListeners {
  const [gatewayNamespace = 'default', gatewayName = 'web'] = options.gateway.split('/');
  const existing = context.snapshot.get(Gateway, gatewayNamespace, gatewayName);
  const plain = entryPoints.find(({ protocol }) => protocol === 'http');
  const secure = entryPoints.find(({ protocol }) => protocol !== 'http');
  const hosts = plain?.listeners.flatMap((l) => l.hosts) ?? [];
  const secureHosts = secure?.listeners.flatMap((l) => l.hosts) ?? [];
  const conduct = secure?.conduct;
  const notes: string[] = [];
  const wanted: Wanted[] = [];
  const names = new Set<string>(['http']);
  const parents: { host: Host; scheme: 'http' | 'https'; listener: string; namespace: string }[] =
    [];
  const apart = hostsApart(hosts);
  for (const host of hosts) {
    const origin = host.rules[0]?.action.origin;
    const namespace =
      origin?.namespace === '' ? gatewayNamespace : (origin?.namespace ?? gatewayNamespace);
    let listener = 'http';
    if (apart.has(host)) {
      listener = nameListener(names, 'http', host.hostname);
      const spec = { port: 80, protocol: 'HTTP', hostname: writtenHost(host.hostname) };
      wanted.push({ name: listener, namespace, spec, origin });
    }
    parents.push({ host, scheme: 'http', listener, namespace });
  }
  const unsecured: string[] = [];
  for (const host of secureHosts) {
    const secret = secretOf(context, host.hostname, secure);
    if (secret === undefined) {
      if (host.hostname !== '') unsecured.push(writtenHost(host.hostname));
      continue;
    }
    const listener = nameListener(names, 'https', host.hostname);
    const spec = { port: 443, protocol: 'HTTPS', hostname: writtenHost(host.hostname) };
    wanted.push({
      name: listener,
      namespace: secret.namespace,
      spec,
      origin: secret.origin,
      secret,
    });
    parents.push({ host, scheme: 'https', listener, namespace: secret.namespace });
  }
  if (unsecured.length > 0) {
    notes.push(
      `${unsecured.length} host${unsecured.length === 1 ? ' has' : 's have'} no certificate, and no HTTPS from now on, where ingress-nginx shows one that nobody trusts: ${unsecured.slice(0, 5).join(', ')}${unsecured.length > 5 ? ', …' : ''}`,
    );
  }
  for (const stream of secure?.listeners ?? []) {
    if (stream.stream === undefined) continue;
    const [rule] = stream.stream.hosts.map((h) => h.rule);
    if (rule === undefined) continue;
    const listener = nameListener(names, 'tls', stream.hostname);
    const { namespace } = rule.origin;
    wanted.push({
      name: listener,
      namespace,
      spec: {
        port: 443,
        protocol: 'TLS',
        hostname: writtenHost(stream.hostname),
        tls: { mode: 'Passthrough' },
      },
      origin: rule.origin,
      passthrough: { backend: rule.backends[0]?.backend ?? '' },
    });
  }
  const isReused = existing !== undefined;
  const inSets = isReused || wanted.length + 1 > LISTENERS_MAX;
  const sets = inSets ? placeInSets(wanted, gatewayName) : new Map<string, string>();
  const placeOf = (listener: string): ParentRef => {
    const set = sets.get(listener);
    if (set === undefined) {
      const own = isReused ? httpListenerOf(existing) : 'http';
      const sectionName = listener === 'http' ? own : listener;
      return { kind: 'Gateway', namespace: gatewayNamespace, name: gatewayName, sectionName };
    }
    const namespace = wanted.find((w) => w.name === listener)?.namespace ?? gatewayNamespace;
    return { kind: 'ListenerSet', namespace, name: set, sectionName: listener };
  };
  const objects: GeneratedObject[] = [];
  if (isReused) {
    notes.push(
      `Gateway ${options.gateway} is there and is reused; what it lacks is added by ListenerSets`,
    );
    if ((existing.spec.allowedListeners?.namespaces?.from ?? 'None') === 'None') {
      notes.push(
        `Gateway ${options.gateway} lets no ListenerSets in: set spec.allowedListeners.namespaces.from to All`,
      );
    }
    if (httpListenerOf(existing) === '')
      notes.push(
        `Gateway ${options.gateway} has no listener for HTTP and every host: add one for port 80`,
      );
  } else {
    notes.push(
      `Gateway ${options.gateway} of class ${options.gatewayClass} is made for all Ingresses of the controller, as they share one address now`,
    );
    objects.push(gatewayObject(options, inSets ? [] : wanted, inSets));
  }
  for (const w of inSets ? [] : wanted) {
    const { secret } = w;
    if (secret === undefined || secret.namespace === gatewayNamespace) continue;
    context.references.push({
      fromKind: 'Gateway',
      fromNamespace: gatewayNamespace,
      toKind: 'Secret',
      toNamespace: secret.namespace,
      toName: secret.name,
      origin: w.origin ?? { kind: '', namespace: '', name: '', field: '' },
    });
  }
  objects.push(...setObjects(wanted, sets, options));
  for (const w of wanted) {
    if (w.passthrough !== undefined) objects.push(tlsRoute(w, placeOf(w.name)));
  }
  return {
    objects,
    notes,
    hosts: parents.map(({ host, scheme, listener }) => ({
      host,
      scheme,
      parent: placeOf(listener),
      secureResponse: scheme === 'https' ? (conduct?.secureResponse ?? []) : [],
    })),
  };
}

/** Hosts with a listener of their own: those that need one, and what is below a wildcard that has one. */
function hostsApart(hosts: readonly Host[]): ReadonlySet<Host> {
  const apart = new Set(hosts.filter((host) => needsOwn(host, hosts)));
  const wildcards = [...apart]
    .map((h) => writtenHost(h.hostname))
    .filter((name) => name.startsWith('*.'));
  // Nothing but the most specific listener takes a request.
  for (const host of hosts) {
    const sample = host.hostname.replace(/^[?*]\./, 'x.');
    if (host.hostname !== '' && wildcards.some((w) => hostMatches(w, sample))) apart.add(host);
  }
  return apart;
}

/** Whether requests its rules do not take would go on to a wider host, as they do not in nginx. */
function needsOwn(host: Host, all: readonly Host[]): boolean {
  if (host.hostname === '') return false;
  const last = host.rules.at(-1);
  const takesAll =
    last !== undefined &&
    (last.match.path.kind === 'prefix'
      ? last.match.path.value === '/'
      : last.match.path.value === '(?i)^/') &&
    last.match.headers.length === 0 &&
    !(last.action.result.kind === 'respond' && last.action.result.statusCode === 404);
  if (takesAll) return false;
  const sample = host.hostname.replace(/^[?*]\./, 'x.');
  return all.some(
    (other) =>
      other !== host && hostMatches(writtenHost(other.hostname), sample) && hasRules(other),
  );
}

function hasRules({ rules }: Host): boolean {
  return rules.some(
    ({ action: { result } }) => !(result.kind === 'respond' && result.statusCode === 404),
  );
}

function nameListener(names: Set<string>, prefix: string, hostname: string): string {
  const base = `${prefix}-${hostname.replace(/^[?*]\./, 'any.')}`
    .replaceAll(/[^-a-z0-9.]/g, '-')
    .slice(0, 240);
  for (let i = 1; ; i++) {
    const name = i === 1 ? base : `${base}-${i}`;
    if (names.has(name)) continue;
    names.add(name);
    return name;
  }
}

/** The Secret a host is shown with: one the controller uses, or one that an entry for the host names. */
function secretOf(
  context: Context,
  hostname: string,
  secure: EntryPoint | undefined,
): Secured | undefined {
  if (hostname === '') return undefined;
  const ingresses = ingressesFor(context, hostname);
  const [first] = ingresses;
  const origin = (ingress: Ingress | undefined, field: string): Origin => ({
    kind: Ingress.kind,
    namespace: ingress?.metadata.namespace ?? '',
    name: ingress?.metadata.name ?? '',
    field,
  });
  const named = secure?.listeners
    .flatMap((l) => l.named ?? [])
    .find((n) => n.hostname === hostname);
  const found = /^Secret ([^/]+)\/(.+)$/.exec(named?.certificate ?? '');
  if (found !== null) {
    const [, namespace = '', name = ''] = found;
    const asks = ({ metadata, spec }: Ingress): boolean =>
      metadata.namespace === namespace &&
      (spec.tls ?? []).some(({ secretName }) => secretName === name);
    return { namespace, name, origin: origin(ingresses.find(asks) ?? first, 'spec.tls') };
  }
  const written = writtenHost(hostname);
  for (const ingress of ingresses) {
    for (const [i, { hosts = [], secretName = '' }] of (ingress.spec.tls ?? []).entries()) {
      if (secretName === '' || !hosts.some((h) => normalizeHost(h) === written)) continue;
      return {
        namespace: ingress.metadata.namespace ?? '',
        name: secretName,
        origin: origin(ingress, `spec.tls[${i}]`),
      };
    }
  }
  return undefined;
}

const byHost = new WeakMap<object, ReadonlyMap<string, readonly Ingress[]>>();

/** The Ingresses with rules for a host, the oldest first. */
function ingressesFor({ snapshot }: Context, hostname: string): readonly Ingress[] {
  const table = snapshot.table(Ingress);
  let known = byHost.get(table);
  if (known === undefined) {
    const made = new Map<string, Ingress[]>();
    for (const ingress of snapshot.list(Ingress).toSorted(compareIngresses)) {
      for (const { host = '' } of ingress.spec.rules ?? []) {
        const name = normalizeHost(host);
        const own = made.get(name) ?? [];
        made.set(name, own);
        if (!own.includes(ingress)) own.push(ingress);
      }
    }
    known = made;
    byHost.set(table, known);
  }
  return known.get(writtenHost(hostname)) ?? [];
}

/** Listener → the ListenerSet it is in; each namespace has its own, of at most 64. */
function placeInSets(wanted: readonly Wanted[], gateway: string): ReadonlyMap<string, string> {
  const counts = new Map<string, number>();
  return new Map(
    wanted.map(({ name, namespace }) => {
      const count = counts.get(namespace) ?? 0;
      counts.set(namespace, count + 1);
      const part = Math.floor(count / LISTENERS_MAX);
      return [name, part === 0 ? gateway : `${gateway}-${part + 1}`];
    }),
  );
}

function listenerJson({ name, spec, secret }: Wanted, from: string): JsonObject {
  return {
    name,
    ...spec,
    ...(secret === undefined
      ? {}
      : {
          tls: {
            mode: 'Terminate',
            certificateRefs: [
              {
                kind: 'Secret',
                name: secret.name,
                ...(secret.namespace === from ? {} : { namespace: secret.namespace }),
              },
            ],
          },
        }),
    allowedRoutes: { namespaces: { from: 'All' } },
  };
}

function gatewayObject(
  { gateway, gatewayClass }: MigrateOptions,
  wanted: readonly Wanted[],
  hasSets: boolean,
): GeneratedObject {
  const [namespace = '', name = ''] = gateway.split('/');
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    namespace,
    name,
    spec: {
      gatewayClassName: gatewayClass,
      ...(hasSets ? { allowedListeners: { namespaces: { from: 'All' } } } : {}),
      listeners: [
        {
          name: 'http',
          port: 80,
          protocol: 'HTTP',
          allowedRoutes: { namespaces: { from: 'All' } },
        },
        ...wanted.map((w) => listenerJson(w, namespace)),
      ],
    },
    remarks: [
      { path: [], text: 'one Gateway for all Ingresses of the controller' },
      ...wanted.flatMap(({ origin }, i) =>
        origin === undefined ? [] : [{ path: ['spec', 'listeners', i + 1], text: '', origin }],
      ),
    ],
  };
}

function setObjects(
  wanted: readonly Wanted[],
  sets: ReadonlyMap<string, string>,
  { gateway }: MigrateOptions,
): readonly GeneratedObject[] {
  const [gatewayNamespace = '', gatewayName = ''] = gateway.split('/');
  const bySet = new Map<string, Wanted[]>();
  for (const w of wanted) {
    const set = sets.get(w.name);
    if (set === undefined) continue;
    const key = `${w.namespace}/${set}`;
    bySet.set(key, [...(bySet.get(key) ?? []), w]);
  }
  return Array.from(bySet, ([key, own]) => {
    const [namespace = '', name = ''] = key.split('/');
    return {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'ListenerSet',
      namespace,
      name,
      spec: {
        parentRef: {
          name: gatewayName,
          ...(gatewayNamespace === namespace ? {} : { namespace: gatewayNamespace }),
        },
        listeners: own.map((w) => listenerJson(w, namespace)),
      },
      remarks: own.flatMap(({ origin }, i) =>
        origin === undefined ? [] : [{ path: ['spec', 'listeners', i], text: '', origin }],
      ),
    };
  });
}

function httpListenerOf({ spec }: Gateway): string {
  return (
    spec.listeners.find((l) => l.protocol === 'HTTP' && l.port === 80 && (l.hostname ?? '') === '')
      ?.name ?? ''
  );
}

function tlsRoute(
  { name, namespace, spec, origin, passthrough }: Wanted,
  parent: ParentRef,
): GeneratedObject {
  const found = /^Service [^/]+\/([^:]+):(\d+)/.exec(textOf(passthrough?.['backend']));
  const hostname = textOf(spec['hostname']);
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'TLSRoute',
    namespace,
    name: name.replaceAll('.', '-'),
    spec: {
      parentRefs: [
        {
          ...(parent.kind === 'Gateway'
            ? {}
            : { group: 'gateway.networking.k8s.io', kind: parent.kind }),
          ...(parent.namespace === namespace ? {} : { namespace: parent.namespace }),
          name: parent.name,
          sectionName: parent.sectionName,
        },
      ],
      hostnames: [hostname],
      rules: [{ backendRefs: [{ name: found?.[1] ?? '', port: Number(found?.[2] ?? 443) }] }],
    },
    remarks: [{ path: [], text: 'ssl-passthrough', ...(origin === undefined ? {} : { origin }) }],
  };
}
