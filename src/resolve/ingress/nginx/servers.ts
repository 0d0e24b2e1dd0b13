// Ingresses → servers and locations, as ingress-nginx makes them: which Ingress a path belongs to, what
// the default location of a host inherits, where canaries are merged, and in which order locations stand.

import type { Ingress, IngressBackend } from '../../../api/networking/ingress.ts';
import type { Origin } from '../../../model/model.ts';
import { problem } from '../../status/conditions.ts';
import type { Problem } from '../../status/conditions.ts';
import type { WrittenAuthTls } from './auth-tls.ts';
import { readSettings } from './settings.ts';
import type { CanarySettings, NginxSettings } from './settings.ts';
import type { NginxConfig } from './config.ts';

/** A backend as it is written, and where. */
export interface LocationBackend {
  readonly ref: IngressBackend;
  readonly origin: Origin;
}

export interface NginxCanary {
  readonly settings: CanarySettings;
  readonly backend: LocationBackend;
  /** Whose session cookies hold for the canary as well. */
  readonly isSticky: boolean;
}

export interface NginxLocation {
  /** As nginx gets it. */
  readonly path: string;
  readonly pathType: 'Exact' | 'Prefix';
  /** As it is written in the Ingress: what rewrites look for. */
  readonly writtenPath: string;
  /** Null: the default backend of the controller. */
  readonly backend: LocationBackend | null;
  /** Null: nobody's; the catch-all of unknown hosts. */
  readonly settings: NginxSettings | null;
  readonly ingress: Ingress | null;
  readonly canary: NginxCanary | null;
  readonly origin: Origin;
}

export interface NginxServer {
  /** As written: a name, `*.name`, or empty for the server of unknown hosts. */
  readonly hostname: string;
  readonly aliases: readonly string[];
  /** Whether every location is a regular expression. */
  readonly isRegex: boolean;
  /** In the order of precedence among expressions. */
  readonly locations: readonly NginxLocation[];
  readonly fromToWww: boolean;
  readonly sslPassthrough: boolean;
  /** Ingresses with rules for the host, the oldest first. */
  readonly ingresses: readonly Ingress[];
  readonly serverSnippet: { readonly text: string; readonly origin: Origin } | undefined;
  /** What Ingresses say of client certificates, in order of precedence. */
  readonly authTls: readonly WrittenAuthTls[];
}

export interface IngressProblem {
  readonly ingress: Ingress;
  readonly problem: Problem;
}

export interface NginxServers {
  /** Sorted by hostname. */
  readonly servers: readonly NginxServer[];
  readonly problems: readonly IngressProblem[];
}

interface Location {
  path: string;
  pathType: 'Exact' | 'Prefix';
  writtenPath: string;
  backend: LocationBackend | null;
  settings: NginxSettings | null;
  ingress: Ingress | null;
  canary: NginxCanary | null;
  origin: Origin;
  isDefault: boolean;
}

interface Server {
  readonly hostname: string;
  aliases: readonly string[];
  readonly locations: Location[];
  readonly byPath: Map<string, Location>;
  fromToWww: boolean;
  sslPassthrough: boolean;
  readonly ingresses: Ingress[];
  serverSnippet: NginxServer['serverSnippet'];
  readonly authTls: WrittenAuthTls[];
}

/** The oldest first; of the same second, the last name first. */
export function compareIngresses(a: Ingress, b: Ingress): number {
  const [one, other] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  if (one !== other) return one < other ? -1 : 1;
  const [name, otherName] = [nameOf(a), nameOf(b)];
  return name > otherName ? -1 : name < otherName ? 1 : 0;
}

export function nameOf({ metadata }: Ingress): string {
  return `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}

export function originOf({ metadata }: Ingress, field: string): Origin {
  return {
    kind: 'Ingress',
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    field,
  };
}

export function buildServers(
  ingresses: readonly Ingress[],
  config: NginxConfig,
  controller: Origin,
): NginxServers {
  const builder = new Builder(config, controller);
  const ordered = ingresses.toSorted(compareIngresses);
  for (const ingress of ordered) builder.addHosts(ingress);
  for (const ingress of ordered) builder.addSettings(ingress);
  for (const ingress of ordered) builder.addPaths(ingress);
  for (const ingress of ordered) builder.mergeCanary(ingress);
  return builder.finish();
}

class Builder {
  readonly #config: NginxConfig;
  readonly #servers = new Map<string, Server>();
  readonly #problems: IngressProblem[] = [];

  constructor(config: NginxConfig, controller: Origin) {
    this.#config = config;
    this.#servers.set('', newServer('', defaultLocation(null, null, null, controller)));
  }

  /** Hosts, each with a default location that has everything its oldest Ingress says. */
  addHosts(ingress: Ingress): void {
    const settings = readSettings(ingress, this.#config);
    if (settings.canary !== undefined) return;
    const { defaultBackend, rules = [] } = ingress.spec;
    const fallback =
      defaultBackend?.service === undefined
        ? null
        : { ref: defaultBackend, origin: originOf(ingress, 'spec.defaultBackend') };
    if (defaultBackend !== undefined && defaultBackend.service === undefined) {
      this.#refuseResource(ingress, 'spec.defaultBackend');
    }
    if (fallback !== null && rules.length === 0) this.#setCatchAll(ingress, settings, fallback);
    for (const [i, { host = '' }] of rules.entries()) {
      const known = this.#servers.get(host);
      if (known === undefined) {
        const location = defaultLocation(
          fallback,
          settings,
          ingress,
          originOf(ingress, fallback === null ? `spec.rules[${i}]` : 'spec.defaultBackend'),
        );
        this.#servers.set(host, newServer(host, location));
      }
    }
  }

  #setCatchAll(ingress: Ingress, settings: NginxSettings, backend: LocationBackend): void {
    const location = (this.#servers.get('') as Server).locations[0] as Location;
    if (!location.isDefault) {
      const winner = location.ingress === null ? '' : nameOf(location.ingress);
      this.#overruled(ingress, 'spec.defaultBackend', `requests nobody else takes`, winner);
      return;
    }
    location.isDefault = false;
    location.backend = backend;
    location.ingress = ingress;
    location.origin = backend.origin;
    // Redirects and rewrites are not taken over.
    location.settings = {
      ...settings,
      rewriteTarget: '',
      useRegex: false,
      appRoot: '',
      redirect: undefined,
    };
  }

  /** What counts once for a host: the first one says it. */
  addSettings(ingress: Ingress): void {
    const settings = readSettings(ingress, this.#config);
    if (settings.canary !== undefined) return;
    for (const { host = '' } of ingress.spec.rules ?? []) {
      const server = this.#servers.get(host) as Server;
      if (!server.ingresses.includes(ingress)) server.ingresses.push(ingress);
      if (server.aliases.length === 0) server.aliases = settings.serverAliases;
      else if (settings.serverAliases.length > 0 && server.aliases !== settings.serverAliases) {
        const winner = nameOf(server.ingresses[0] as Ingress);
        this.#overruled(
          ingress,
          'metadata.annotations',
          `aliases of ${host || 'every host'}`,
          winner,
        );
      }
      const { authTls } = settings;
      if (authTls !== undefined && !server.authTls.some((said) => said.ingress === ingress)) {
        server.authTls.push({ ingress, settings: authTls });
      }
      if (settings.sslPassthrough) server.sslPassthrough = true;
      if (settings.serverSnippet !== '' && server.serverSnippet === undefined) {
        server.serverSnippet = {
          text: settings.serverSnippet,
          origin: originOf(
            ingress,
            'metadata.annotations[nginx.ingress.kubernetes.io/server-snippet]',
          ),
        };
      }
    }
  }

  addPaths(ingress: Ingress): void {
    const settings = readSettings(ingress, this.#config);
    for (const problem of settings.problems) this.#problems.push({ ingress, problem });
    if (settings.canary !== undefined) return;
    for (const [i, { host = '', http }] of (ingress.spec.rules ?? []).entries()) {
      const server = this.#servers.get(host) as Server;
      for (const [j, { path: written = '', pathType, backend }] of (http?.paths ?? []).entries()) {
        const field = `spec.rules[${i}].http.paths[${j}]`;
        if (backend.service === undefined) {
          this.#refuseResource(ingress, `${field}.backend`);
          continue;
        }
        const path = written === '' ? '/' : written;
        // ingress-nginx makes Prefix of what is left to the implementation.
        const type = pathType === 'Exact' ? 'Exact' : 'Prefix';
        this.#addPath(server, {
          path,
          pathType: type,
          writtenPath: path,
          backend: { ref: backend, origin: originOf(ingress, `${field}.backend`) },
          settings,
          ingress,
          canary: null,
          origin: originOf(ingress, field),
          isDefault: false,
        });
        if (settings.fromToWww) server.fromToWww = true;
      }
    }
  }

  #addPath(server: Server, added: Location): void {
    const same = server.byPath.get(added.path);
    if (same === undefined || same.pathType !== added.pathType) {
      server.locations.push(added);
      // Of several with one path only the first is ever looked at.
      if (same === undefined) server.byPath.set(added.path, added);
      return;
    }
    if (same.isDefault) {
      Object.assign(same, added);
      return;
    }
    const winner = same.ingress === null ? '' : nameOf(same.ingress);
    const what = `path ${added.path} of ${server.hostname || 'every host'}`;
    this.#overruled(added.ingress as Ingress, added.origin.field, what, winner);
  }

  /** A canary belongs to the backend, and so to every location that has it. */
  mergeCanary(ingress: Ingress): void {
    const settings = readSettings(ingress, this.#config);
    if (settings.canary === undefined) return;
    for (const [i, { host = '', http }] of (ingress.spec.rules ?? []).entries()) {
      for (const [j, { path = '/', pathType, backend }] of (http?.paths ?? []).entries()) {
        const field = `spec.rules[${i}].http.paths[${j}]`;
        if (backend.service === undefined) {
          this.#refuseResource(ingress, `${field}.backend`);
          continue;
        }
        const type = pathType === 'Exact' ? 'Exact' : 'Prefix';
        const main = this.#servers
          .get(host)
          ?.locations.find((l) => l.path === (path || '/') && l.pathType === type);
        const own = { ref: backend, origin: originOf(ingress, `${field}.backend`) };
        if (main?.backend === undefined || main.backend === null) {
          this.#problem(
            ingress,
            'CanaryWithoutMain',
            field,
            `no other Ingress has path ${path} of ${host || 'every host'} with the same type, so that nothing goes to this canary`,
            'give it the host, path and pathType of the Ingress it is a canary of',
          );
          continue;
        }
        if (backendId(main.backend) === backendId(own)) {
          this.#problem(
            ingress,
            'CanaryIsMain',
            field,
            'the canary is the backend it is a canary of',
            'name another Service',
          );
          continue;
        }
        if (main.canary !== null) {
          const winner = main.canary.backend.origin;
          this.#overruled(
            ingress,
            field,
            `the canary of path ${path}`,
            `${winner.namespace}/${winner.name}`,
          );
          continue;
        }
        const isSticky = settings.affinity?.canaryBehavior !== 'legacy';
        const id = backendId(main.backend);
        for (const server of this.#servers.values()) {
          for (const location of server.locations) {
            if (location.backend === null || backendId(location.backend) !== id) continue;
            location.canary ??= { settings: settings.canary, backend: own, isSticky };
          }
        }
      }
    }
  }

  finish(): NginxServers {
    const servers = [...this.#servers.values()].toSorted((a, b) =>
      a.hostname < b.hostname ? -1 : a.hostname > b.hostname ? 1 : 0,
    );
    const known = new Set(this.#servers.keys());
    return {
      servers: servers.map((server): NginxServer => {
        const sorted = server.locations.toSorted(
          (a, b) =>
            b.path.length - a.path.length || (a.path > b.path ? -1 : a.path < b.path ? 1 : 0),
        );
        const aliases = [...new Set(server.aliases)].filter((alias) => !known.has(alias));
        const exact = new Set(sorted.filter((l) => l.pathType === 'Exact').map((l) => l.path));
        const expanded = sorted.flatMap((location) => expand(location, exact));
        const locations = this.#withoutDuplicates(server, expanded);
        const { byPath: _byPath, ...rest } = server;
        return {
          ...rest,
          aliases: aliases.toSorted(),
          // Asked of paths as they are now: the slash that was added makes `/a` with target `/a` a rewrite.
          isRegex: locations.some((l) => isRewritten(l) || l.settings?.useRegex === true),
          locations,
        };
      }),
      problems: this.#problems,
    };
  }

  /** Locations that are written twice make nginx refuse all of its configuration; the first one counts. */
  #withoutDuplicates(
    { hostname }: Server,
    locations: readonly NginxLocation[],
  ): readonly NginxLocation[] {
    const isRegex = locations.some((l) => isRewritten(l) || l.settings?.useRegex === true);
    if (isRegex) return locations;
    const taken = new Map<string, NginxLocation>();
    return locations.filter((location) => {
      const key = `${location.pathType} ${location.path}`;
      const first = taken.get(key);
      if (first === undefined) {
        taken.set(key, location);
        return true;
      }
      const { ingress, origin, writtenPath } = location;
      if (ingress !== null && origin.field.endsWith(']')) {
        const winner = first.ingress === null ? 'the default' : `Ingress ${nameOf(first.ingress)}`;
        const message = `path ${writtenPath} of ${hostname || 'every host'} comes to the location of ${winner}, which has it: ingress-nginx would refuse its whole configuration`;
        this.#problem(ingress, 'DuplicateLocation', origin.field, message, 'take one of them out');
      }
      return false;
    });
  }

  #refuseResource(ingress: Ingress, field: string): void {
    const message = 'a resource cannot be a backend: requests go to the default backend instead';
    this.#problem(ingress, 'ResourceBackend', `${field}.resource`, message, 'use a Service');
  }

  #overruled(ingress: Ingress, field: string, what: string, winner: string): void {
    const own = nameOf(ingress) === winner;
    this.#problems.push({
      ingress,
      problem: {
        ...problem(
          'Overruled',
          field,
          `${what}: ${own ? 'the first entry of this Ingress' : `Ingress ${winner}, which comes first,`} has it`,
          'take one of them out; the older Ingress comes first, and of the same second the last name',
        ),
        severity: 'warning',
      },
    });
  }

  #problem(ingress: Ingress, reason: string, field: string, message: string, hint: string): void {
    this.#problems.push({ ingress, problem: problem(reason, field, message, hint) });
  }
}

function newServer(hostname: string, location: Location): Server {
  return {
    hostname,
    aliases: [],
    locations: [location],
    byPath: new Map([[location.path, location]]),
    fromToWww: false,
    sslPassthrough: false,
    ingresses: [],
    serverSnippet: undefined,
    authTls: [],
  };
}

function defaultLocation(
  backend: LocationBackend | null,
  settings: NginxSettings | null,
  ingress: Ingress | null,
  origin: Origin,
): Location {
  return {
    path: '/',
    pathType: 'Prefix',
    writtenPath: '/',
    backend,
    settings,
    ingress,
    canary: null,
    origin,
    isDefault: true,
  };
}

function backendId({ ref, origin }: LocationBackend): string {
  const { name = '', port } = ref.service ?? {};
  return `${origin.namespace}/${name}:${port?.name ?? port?.number ?? ''}`;
}

/** Whether the path is changed at all: a target that is the path itself changes nothing. */
export function isRewritten({ settings, path }: Pick<Location, 'settings' | 'path'>): boolean {
  const target = settings?.rewriteTarget ?? '';
  return target !== '' && target !== path;
}

/** A prefix is two locations: what is under it, and itself, unless another location is exactly that. */
function expand(location: Location, exact: ReadonlySet<string>): readonly NginxLocation[] {
  const { isDefault: _isDefault, ...own } = location;
  const { path } = own;
  if (path === '/' || own.pathType === 'Exact') return [own];
  if (isRewritten(location) || own.settings?.useRegex === true) return [own];
  const under = { ...own, path: path.endsWith('/') ? path : `${path}/` };
  const hasTwin = exact.has(path);
  return hasTwin ? [under] : [under, { ...own, pathType: 'Exact' }];
}
