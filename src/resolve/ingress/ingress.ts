// Ingresses → entry points, like those of Gateways: one controller is one address with ports 80 and 443.
// Made anew when anything they are made of changes; parts that come out the same stay the same values.

import { ConfigMap } from '../../api/core/config-map.ts';
import { Secret } from '../../api/core/secret.ts';
import { Service } from '../../api/core/service.ts';
import { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import { ANNOTATION_PREFIX } from '../../api/ingress-nginx/annotations.ts';
import { INGRESS_CONTROLLERS, NGINX_CONTROLLER } from '../../api/fairway.ts';
import type { Finding } from '../../api/finding.ts';
import { IngressClass } from '../../api/networking/ingress-class.ts';
import { Ingress } from '../../api/networking/ingress.ts';
import { deepEqual } from '../../lib/equal.ts';
import { compareHostnames } from '../../lib/hostname.ts';
import { VersionedMap } from '../../lib/versioned-map.ts';
import { formatIPv4, parseRange } from '../../lib/ipv4.ts';
import type { Conduct } from '../../model/conduct.ts';
import type {
  Certificate,
  ClientQuestion,
  EntryPoint,
  Host,
  Listener,
  Origin,
} from '../../model/model.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { BackendUse } from '../gateway/backends.ts';
import { same } from '../reader.ts';
import type { StatusWish } from '../resolution.ts';
import { claimIngresses } from './classes.ts';
import type { ClaimedIngresses } from './classes.ts';
import { readConfig } from './nginx/config.ts';
import type { NginxConfig } from './nginx/config.ts';
import { resolveAuthTls } from './nginx/auth-tls.ts';
import { buildHosts, patternOf, wwwRedirect } from './nginx/rules.ts';
import { buildServers } from './nginx/servers.ts';
import type { IngressProblem, NginxServer } from './nginx/servers.ts';
import { passthroughListener } from './passthrough.ts';
import { buildSpecHosts } from './spec.ts';
import { fallbackCertificate, tlsOf } from './tls.ts';

export interface ResolvedIngresses {
  /** Sorted by id. */
  readonly entryPoints: readonly EntryPoint[];
  readonly uses: VersionedMap<BackendUse>;
  readonly certificates: ReadonlyMap<string, Certificate>;
  readonly statuses: readonly StatusWish[];
  readonly findings: readonly Finding[];
}

const NONE: ResolvedIngresses = {
  entryPoints: [],
  uses: VersionedMap.of<BackendUse>(),
  certificates: new Map(),
  statuses: [],
  findings: [],
};

/** Resolves Ingresses; gives the same value as long as nothing they are made of changes. */
export function createIngressResolver(
  gatewayCidr: string,
  externalNames = false,
): (snapshot: Snapshot) => ResolvedIngresses {
  let inputs: readonly unknown[] = [];
  let last = NONE;
  const hosts = new Map<string, Host>();
  return (snapshot) => {
    if (snapshot.list(Ingress).length === 0) return NONE;
    const now: unknown[] = [
      snapshot.table(Ingress),
      snapshot.table(IngressClass),
      snapshot.table(ConfigMap),
      snapshot.table(Secret),
      snapshot.table(Service),
      // Whether a backend has endpoints matters where another one is to answer in its place.
      hasFallbacks(snapshot) ? snapshot.table(EndpointSlice) : undefined,
    ];
    if (same(inputs, now)) return last;
    inputs = now;
    last = keepSame(resolveAll(snapshot, gatewayCidr, externalNames), hosts);
    return last;
  };
}

function hasFallbacks(snapshot: Snapshot): boolean {
  const name = `${ANNOTATION_PREFIX}default-backend`;
  return snapshot.list(Ingress).some(({ metadata }) => name in (metadata.annotations ?? {}));
}

/** Hosts and entry points that are as they were are the values they were. */
function keepSame(resolved: ResolvedIngresses, known: Map<string, Host>): ResolvedIngresses {
  const entryPoints = resolved.entryPoints.map((entryPoint) => ({
    ...entryPoint,
    listeners: entryPoint.listeners.map((listener) => ({
      ...listener,
      hosts: listener.hosts.map((host) => {
        const key = `${listener.id}|${host.hostname}`;
        const before = known.get(key);
        if (before !== undefined && deepEqual(before, host)) return before;
        known.set(key, host);
        return host;
      }),
    })),
  }));
  return { ...resolved, entryPoints };
}

function resolveAll(
  snapshot: Snapshot,
  gatewayCidr: string,
  externalNames: boolean,
): ResolvedIngresses {
  const claimed = claimIngresses(snapshot);
  const out = new Collector(snapshot, claimed, externalNames);
  INGRESS_CONTROLLERS.forEach((controller, i) => {
    const ingresses = claimed.byController.get(controller) ?? [];
    if (ingresses.length === 0) return;
    out.add(controller, ingresses, addressOf(gatewayCidr, i));
  });
  return out.finish();
}

/** Addresses of controllers are the last ones of the range, which Gateways reach last. */
export function addressOf(gatewayCidr: string, index: number): string | undefined {
  const range = parseRange(gatewayCidr);
  // The very last tells Fairways apart, and the one before is theirs as well.
  return range === undefined || range.last - range.first < 64
    ? undefined
    : formatIPv4(range.last - 2 - index);
}

class Collector {
  readonly #snapshot: Snapshot;
  readonly #claimed: ClaimedIngresses;
  readonly #externalNames: boolean;
  readonly #entryPoints: EntryPoint[] = [];
  readonly #uses = new Map<string, BackendUse>();
  readonly #certificates = new Map<string, Certificate>();
  readonly #statuses: StatusWish[] = [];
  readonly #findings: Finding[];

  constructor(snapshot: Snapshot, claimed: ClaimedIngresses, externalNames: boolean) {
    this.#externalNames = externalNames;
    this.#snapshot = snapshot;
    this.#claimed = claimed;
    this.#findings = [...claimed.findings];
  }

  add(controller: string, ingresses: readonly Ingress[], address: string | undefined): void {
    const addresses = address === undefined ? [] : [address];
    if (controller === NGINX_CONTROLLER) this.#addNginx(controller, ingresses, addresses);
    else this.#addSpec(controller, ingresses, addresses);
    for (const { metadata } of ingresses) {
      this.#statuses.push({
        kind: Ingress,
        namespace: metadata.namespace ?? '',
        name: metadata.name ?? '',
        generation: metadata.generation ?? 0,
        status: { kind: 'ingress', addresses },
      });
    }
  }

  finish(): ResolvedIngresses {
    return {
      entryPoints: this.#entryPoints.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
      uses: VersionedMap.of(this.#uses),
      certificates: this.#certificates,
      statuses: this.#statuses,
      findings: this.#findings,
    };
  }

  #addSpec(controller: string, ingresses: readonly Ingress[], addresses: readonly string[]): void {
    const { hosts, uses, problems } = buildSpecHosts(
      ingresses,
      this.#snapshot,
      this.#externalNames,
    );
    for (const [key, use] of uses) this.#uses.set(key, use);
    this.#tell(problems);
    const secure = new Map<string, Certificate | null>();
    for (const ingress of ingresses) {
      for (const { host = '' } of ingress.spec.rules ?? []) {
        const { certificate, problems: troubles } = tlsOf(host, [ingress], this.#snapshot);
        this.#tell(troubles);
        if (certificate !== undefined && !secure.has(patternOf(host))) {
          secure.set(patternOf(host), certificate);
        }
      }
    }
    const origin = originOfFirst(ingresses);
    this.#push(controller, addresses, 80, 'http', [{ hosts, certificates: [], named: [], origin }]);
    if (ingresses.some((ingress) => (ingress.spec.tls ?? []).length > 0)) {
      this.#pushSecure(controller, addresses, hosts, secure, origin);
    }
  }

  #addNginx(controller: string, ingresses: readonly Ingress[], addresses: readonly string[]): void {
    const snapshot = this.#snapshot;
    const map = this.#configMap();
    const config = readConfig(map);
    for (const { reason, message, field, hint, severity = 'warning' } of config.problems) {
      const { namespace = '', name = '' } = map?.metadata ?? {};
      const object = { kind: ConfigMap.kind, namespace, name };
      this.#findings.push({
        severity,
        reason,
        message,
        ...(hint === undefined ? {} : { hint }),
        origin: { object, field },
      });
    }
    const origin = originOfFirst(ingresses);
    const { servers, problems } = buildServers(ingresses, config, origin);
    this.#tell(problems);
    const plain: Host[] = [];
    const secure: SecureHost[] = [];
    const named = new Map<string, Certificate | null>();
    const known = new Set(servers.map((server) => server.hostname));
    const passthrough: NginxServer[] = [];
    for (const server of servers) {
      const tls =
        server.hostname === ''
          ? { certificate: undefined, problems: [] }
          : tlsOf(server.hostname, server.ingresses, snapshot);
      this.#tell(tls.problems);
      const ruleProblems: IngressProblem[] = [];
      const authTls = resolveAuthTls(server.authTls, snapshot);
      this.#tell(authTls?.problems ?? []);
      const context = {
        snapshot,
        config,
        uses: this.#uses,
        problems: ruleProblems,
        certificates: this.#certificates,
        externalNames: this.#externalNames,
        ...(authTls === undefined ? {} : { authTls }),
        hasTls: tls.certificate !== undefined,
      };
      const built = buildHosts(server, context);
      this.#tell(ruleProblems);
      plain.push(...built.http);
      const certificate = tls.certificate ?? null;
      const { question } = authTls ?? {};
      for (const host of built.https) secure.push({ host, certificate, question });
      if (tls.certificate !== undefined && tls.certificate !== null) {
        for (const name of [server.hostname, ...server.aliases]) {
          named.set(patternOf(name), tls.certificate);
        }
      }
      if (server.sslPassthrough && server.hostname !== '') passthrough.push(server);
      const www = wwwRedirect(server, known, config);
      if (www !== undefined) {
        plain.push(www);
        secure.push({ host: www, certificate: null, question: undefined });
      }
    }
    const conduct = conductOf(config);
    this.#push(
      controller,
      addresses,
      80,
      'http',
      [{ hosts: plain, certificates: [], named: [], origin }],
      conduct,
    );
    const streams = passthrough.flatMap((server) => {
      const found = passthroughListener(server, controller, snapshot, this.#externalNames);
      if ('problem' in found) {
        this.#tell([found]);
        return [];
      }
      this.#uses.set(found.use.key, found.use);
      return [found.listener];
    });
    const { apart, together } = apartBy(secure);
    const others = [...streams, ...this.#listenersApart(controller, apart, streams, origin)];
    this.#pushSecure(
      controller,
      addresses,
      together.map(({ host }) => host),
      named,
      origin,
      conduct,
      others,
    );
  }

  /** What goes through untouched asks nobody for anything; of two of one name, the first counts. */
  #listenersApart(
    controller: string,
    apart: readonly SecureHost[],
    streams: readonly Listener[],
    origin: Origin,
  ): readonly Listener[] {
    const fallback = fallbackCertificate(this.#snapshot);
    const taken = new Set(streams.map(({ hostname }) => hostname));
    const made: Listener[] = [];
    for (const { host, question, certificate } of apart) {
      const shown = certificate ?? fallback;
      if (shown === undefined || taken.has(host.hostname)) continue;
      taken.add(host.hostname);
      this.#certificates.set(shown.key, shown);
      made.push({
        id: `${controller}/https/${host.hostname || '*'}`,
        name: `https/${host.hostname || '*'}`,
        hostname: host.hostname,
        certificates: [shown.key],
        ...(question === undefined ? {} : { asks: question }),
        hosts: [host],
        origin,
      });
    }
    return made;
  }

  /** Named by the parameters of a class, or the one the Helm chart makes. */
  #configMap(): ConfigMap | undefined {
    for (const { spec } of this.#claimed.classes) {
      const { parameters } = spec;
      if (spec.controller !== NGINX_CONTROLLER || parameters?.kind !== 'ConfigMap') continue;
      const found = this.#snapshot.get(ConfigMap, parameters.namespace ?? '', parameters.name);
      if (found !== undefined) return found;
    }
    return this.#snapshot.get(ConfigMap, 'ingress-nginx', 'ingress-nginx-controller');
  }

  #pushSecure(
    controller: string,
    addresses: readonly string[],
    hosts: readonly Host[],
    certificates: ReadonlyMap<string, Certificate | null>,
    origin: Origin,
    conduct?: Conduct,
    streams: readonly Listener[] = [],
  ): void {
    const fallback = fallbackCertificate(this.#snapshot);
    // Without one there is nothing to begin TLS with; it is made soon.
    if (fallback === undefined) return;
    this.#certificates.set(fallback.key, fallback);
    const named: { hostname: string; certificate: string }[] = [];
    for (const [hostname, certificate] of certificates) {
      if (certificate === null || hostname === '') continue;
      this.#certificates.set(certificate.key, certificate);
      named.push({ hostname, certificate: certificate.key });
    }
    named.sort((a, b) => compareHostnames(a.hostname, b.hostname));
    const own = { hosts, certificates: [fallback.key], named, origin };
    const isTaken = streams.some(({ hostname }) => hostname === '');
    this.#push(controller, addresses, 443, 'https', isTaken ? [] : [own], conduct, streams);
  }

  #push(
    controller: string,
    addresses: readonly string[],
    port: number,
    protocol: 'http' | 'https',
    parts: readonly Pick<Listener, 'hosts' | 'certificates' | 'origin' | 'named'>[],
    conduct?: Conduct,
    streams: readonly Listener[] = [],
  ): void {
    const listeners = parts.map(({ hosts, certificates, named = [], origin }): Listener => ({
      id: `${controller}/${protocol}`,
      name: protocol,
      hostname: '',
      certificates,
      ...(named.length === 0 ? {} : { named }),
      hosts: uniqueHosts(hosts),
      origin,
    }));
    this.#entryPoints.push({
      id: `${controller}:${port}`,
      gateway: controller,
      addresses,
      port,
      protocol: streams.length > 0 ? 'tls' : protocol,
      ...(conduct === undefined ? {} : { conduct }),
      listeners: [...streams, ...listeners].toSorted((a, b) =>
        compareHostnames(a.hostname, b.hostname),
      ),
    });
  }

  #tell(problems: readonly IngressProblem[]): void {
    for (const { ingress, problem } of problems) {
      const { reason, message, field, hint, severity = 'error' } = problem;
      const { namespace = '', name = '' } = ingress.metadata;
      this.#findings.push({
        severity,
        reason,
        message,
        ...(hint === undefined ? {} : { hint }),
        origin: { object: { kind: Ingress.kind, namespace, name }, field },
      });
    }
  }
}

interface SecureHost {
  readonly host: Host;
  /** What its clients are asked for; undefined for nothing. */
  readonly question: ClientQuestion | undefined;
  /** Null: the fallback. */
  readonly certificate: Certificate | null;
}

/**
 * Clients are asked for certificates by the names of listeners: hosts that ask have one of their own. So
 * have all, where a host that asks is a wildcard and would take the names of others.
 */
function apartBy(hosts: readonly SecureHost[]): {
  readonly apart: readonly SecureHost[];
  readonly together: readonly SecureHost[];
} {
  const asks = ({ question }: SecureHost): boolean => question !== undefined;
  const isWide = ({ host }: SecureHost): boolean => !/^[^*?]/.test(host.hostname);
  if (hosts.some((host) => asks(host) && isWide(host))) return { apart: hosts, together: [] };
  return { apart: hosts.filter(asks), together: hosts.filter((host) => !asks(host)) };
}

/** The most specific first; of two with one name, as aliases may have, the first there was. */
function uniqueHosts(hosts: readonly Host[]): readonly Host[] {
  const byName = new Map<string, Host>();
  for (const host of hosts) if (!byName.has(host.hostname)) byName.set(host.hostname, host);
  return [...byName.values()].toSorted((a, b) => compareHostnames(a.hostname, b.hostname));
}

function originOfFirst(ingresses: readonly Ingress[]): Origin {
  const { namespace = '', name = '' } = ingresses[0]?.metadata ?? {};
  return { kind: Ingress.kind, namespace, name, field: 'spec' };
}

function conductOf(config: NginxConfig): Conduct {
  const { hstsMaxAge, hstsIncludeSubdomains, hstsPreload } = config;
  const value = `max-age=${hstsMaxAge}${hstsIncludeSubdomains ? '; includeSubDomains' : ''}${hstsPreload ? '; preload' : ''}`;
  return {
    paths: 'decoded',
    forwarded: 'full',
    ...(config.useForwardedHeaders ? { trustedProxies: config.proxyRealIpCidr } : {}),
    ...(config.computeFullForwardedFor ? { appendsForwardedFor: true } : {}),
    ...(config.enableUnderscores ? {} : { dropsUnderscores: true }),
    secureResponse: config.hsts ? [{ name: 'strict-transport-security', value }] : [],
  };
}
