// apiVersion and kind as written → the kind Fairway serves, or what to say when there is none.

import { apiVersionOf, parseApiVersion } from '../../api/kind.ts';
import type { Kind } from '../../api/kind.ts';
import { nearest } from '../../lib/nearest.ts';

export type KindName = Pick<Kind, 'group' | 'kind'>;

export type Lookup =
  | { readonly type: 'served'; readonly kind: Kind }
  /** A kind the user of the source has declared to be of no interest. */
  | { readonly type: 'ignored' }
  /** A kind Fairway serves, under an apiVersion it does not serve. */
  | { readonly type: 'otherVersion'; readonly kind: Kind }
  | {
      readonly type: 'unknown';
      /** The served kind that was most likely meant. */
      readonly nearest?: Kind;
      /** A served kind of the same name in another group. */
      readonly namesake?: Kind;
    };

export class Catalog {
  readonly #byName: ReadonlyMap<string, readonly Kind[]>;
  readonly #ignored: ReadonlySet<string>;

  constructor(kinds: readonly Kind[], ignored: readonly KindName[]) {
    this.#byName = Map.groupBy(kinds, (kind) => kind.kind);
    this.#ignored = new Set(ignored.map(({ group, kind }) => `${group}/${kind}`));
  }

  lookup(apiVersion: string, kindName: string): Lookup {
    const { group, version } = parseApiVersion(apiVersion);
    const namesakes = this.#byName.get(kindName) ?? [];
    const kind = namesakes.find((candidate) => candidate.group === group);
    if (kind?.versions.includes(version) === true) return { type: 'served', kind };
    if (kind !== undefined) return { type: 'otherVersion', kind };
    if (this.#ignored.has(`${group}/${kindName}`)) return { type: 'ignored' };
    const [namesake] = namesakes;
    if (namesake !== undefined && isKubernetesGroup(group)) {
      return { type: 'otherVersion', kind: namesake };
    }
    if (namesake !== undefined) return { type: 'unknown', namesake };
    const name = nearest(kindName, [...this.#byName.keys()]);
    const [near] = name === undefined ? [] : (this.#byName.get(name) ?? []);
    return near === undefined ? { type: 'unknown' } : { type: 'unknown', nearest: near };
  }

  /** True when the source was given the kind itself, so that `FooList` is no list of Foo. */
  serves(kindName: string): boolean {
    return this.#byName.has(kindName);
  }

  /** The apiVersions a kind is served under, the stored one first. */
  apiVersionsOf(kindName: string): readonly string[] {
    return (this.#byName.get(kindName) ?? []).flatMap(apiVersionsOf);
  }

  /** `ConfigMap, Gateway, HTTPRoute, …` */
  kindNames(): string {
    return [...this.#byName.keys()].toSorted().join(', ');
  }
}

/** The apiVersions of one kind, the stored one first. */
export function apiVersionsOf(kind: Kind): readonly string[] {
  const others = kind.versions.filter((version) => version !== kind.version);
  return [kind.version, ...others].map((version) => apiVersionOf({ group: kind.group, version }));
}

/**
 * True for groups of Kubernetes itself, past and present, in which a kind of a known name can only be
 * that kind: Ingress was in extensions, HTTPRoute in networking.x-k8s.io. A Gateway of istio.io is
 * something else.
 */
function isKubernetesGroup(group: string): boolean {
  return !group.includes('.') || group.endsWith('.k8s.io') || group.endsWith('.x-k8s.io');
}
