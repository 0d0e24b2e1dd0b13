// Ingresses of the class of the specification → hosts and rules of the model: exact paths and prefixes
// by whole segments, the longest first, exact ones before; default backends last of all. Of two that
// claim the same path the older Ingress wins, then the first name.

import type { Ingress, IngressBackend } from '../../api/networking/ingress.ts';
import { normalizeHost } from '../../lib/hostname.ts';
import { compareMatches } from '../../model/match.ts';
import type { Action, Host, Rule } from '../../model/model.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { BackendUse } from '../gateway/backends.ts';
import { problem } from '../status/conditions.ts';
import { resolveIngressBackend } from './backends.ts';
import { nameOf, originOf } from './nginx/servers.ts';
import type { IngressProblem } from './nginx/servers.ts';

export interface SpecHosts {
  readonly hosts: readonly Host[];
  readonly uses: ReadonlyMap<string, BackendUse>;
  readonly problems: readonly IngressProblem[];
}

export function buildSpecHosts(
  ingresses: readonly Ingress[],
  snapshot: Snapshot,
  externalNames: boolean,
): SpecHosts {
  const builder = new Builder(snapshot, externalNames);
  const ordered = ingresses.toSorted(compareAges);
  for (const ingress of ordered) builder.addRules(ingress);
  for (const ingress of ordered) builder.addDefault(ingress);
  return builder.finish();
}

function compareAges(a: Ingress, b: Ingress): number {
  const [one, other] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  if (one !== other) return one < other ? -1 : 1;
  return nameOf(a) < nameOf(b) ? -1 : 1;
}

class Builder {
  readonly #snapshot: Snapshot;
  readonly #externalNames: boolean;
  readonly #uses = new Map<string, BackendUse>();
  readonly #problems: IngressProblem[] = [];
  /** Rules by host, and by what they ask for. */
  readonly #hosts = new Map<string, Map<string, Rule>>();
  #default: Rule | undefined;

  constructor(snapshot: Snapshot, externalNames: boolean) {
    this.#externalNames = externalNames;
    this.#snapshot = snapshot;
  }

  addRules(ingress: Ingress): void {
    for (const [i, { host: written = '', http }] of (ingress.spec.rules ?? []).entries()) {
      const host = patternOf(written);
      const rules = this.#hosts.get(host) ?? new Map<string, Rule>();
      this.#hosts.set(host, rules);
      for (const [j, { path = '/', pathType, backend }] of (http?.paths ?? []).entries()) {
        const field = `spec.rules[${i}].http.paths[${j}]`;
        const kind = pathType === 'Exact' ? 'exact' : 'prefix';
        const value = kind === 'exact' || path === '/' ? path : path.replace(/\/+$/, '');
        const key = `${kind} ${value}`;
        const winner = rules.get(key);
        if (winner !== undefined) {
          this.#overruled(ingress, field, `path ${path} of ${written || 'every host'}`, winner);
          continue;
        }
        const match = {
          path: { kind, value: value || '/' },
          headers: [],
          queryParams: [],
        } as const;
        const action = this.#action(ingress, backend, `${field}.backend`, path);
        rules.set(key, { match, action, origin: originOf(ingress, field) });
      }
    }
  }

  addDefault(ingress: Ingress): void {
    const backend = ingress.spec.defaultBackend;
    if (backend === undefined) return;
    const field = 'spec.defaultBackend';
    if (this.#default !== undefined) {
      this.#overruled(ingress, field, 'requests that no rule takes', this.#default);
      return;
    }
    this.#default = {
      match: { path: { kind: 'prefix', value: '/' }, headers: [], queryParams: [] },
      action: this.#action(ingress, backend, field, 'default'),
      origin: originOf(ingress, field),
    };
  }

  finish(): SpecHosts {
    const any = this.#hosts.get('') ?? new Map<string, Rule>();
    if (this.#default !== undefined && !any.has('prefix /')) {
      any.set('prefix /', this.#default);
      this.#hosts.set('', any);
    }
    const hosts = Array.from(this.#hosts, ([hostname, rules]) => ({
      hostname,
      rules: [...rules.values()].toSorted((a, b) => compareMatches(a.match, b.match)),
    }));
    return { hosts, uses: this.#uses, problems: this.#problems };
  }

  #action(ingress: Ingress, backend: IngressBackend, field: string, what: string): Action {
    const origin = originOf(ingress, field);
    const id = `Ingress ${nameOf(ingress)} ${what}`;
    const rules = { takesTargetPorts: false, externalNames: this.#externalNames };
    const resolved = resolveIngressBackend(backend, origin, this.#snapshot, rules);
    if ('problem' in resolved) {
      this.#problems.push({ ingress, problem: resolved.problem });
      const { message } = resolved.problem;
      const result = { kind: 'respond', statusCode: 503, reason: message } as const;
      return { id, filters: [], result, origin };
    }
    const { use } = resolved;
    this.#uses.set(use.key, use);
    const backends = [{ backend: use.key, weight: 1, filters: [], origin }];
    return { id, filters: [], result: { kind: 'forward', backends }, origin };
  }

  #overruled(ingress: Ingress, field: string, what: string, { origin }: Rule): void {
    const isOwn = `${origin.namespace}/${origin.name}` === nameOf(ingress);
    const winner = isOwn
      ? `${origin.field} of this Ingress`
      : `Ingress ${origin.namespace}/${origin.name}`;
    this.#problems.push({
      ingress,
      problem: {
        ...problem(
          'Overruled',
          field,
          `${what}: ${winner} has it, which comes first`,
          'take one of them out; the older Ingress comes first, and of the same second the first name',
        ),
        severity: 'warning',
      },
    });
  }
}

function patternOf(host: string): string {
  const name = normalizeHost(host);
  return name.startsWith('*.') ? `?.${name.slice(2)}` : name;
}
