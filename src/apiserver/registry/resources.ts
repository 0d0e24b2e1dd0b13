// Which resources there are: the built-in kinds, and those that users define while we run.

import { apiVersionOf } from '../../api/kind.ts';
import type { Kind, KubeObject } from '../../api/kind.ts';

/** A kind in the version a client asked for. */
export interface Resource {
  readonly kind: Kind;
  readonly version: string;
  readonly view?: View;
}

/** Objects of one kind in the words of another group, as Events are in events.k8s.io. */
export interface View {
  /** As clients of the group see it. */
  readonly kind: Kind;
  readonly of: Kind;
  /** What a client sends → what is stored; what cannot be told for one is left as it is. */
  toStored(body: unknown): unknown;
  /** Fields of what a client sends that have no place in what is stored. */
  unknownFields(body: unknown): readonly string[];
  fromStored(object: KubeObject): KubeObject;
  /** A field of the view → the field of what is stored; undefined for what has no such name. */
  storedField(field: string): string | undefined;
}

export class Resources {
  readonly #builtIn: readonly Kind[];
  readonly #views: readonly View[];
  #custom: readonly Resource[] = [];
  #byPath = new Map<string, Resource>();
  #all: readonly Kind[] = [];

  constructor(kinds: readonly Kind[], views: readonly View[] = []) {
    this.#builtIn = kinds;
    this.#views = views;
    this.#index();
  }

  /** Every kind; the same array as long as there are the same. */
  get kinds(): readonly Kind[] {
    return this.#all;
  }

  /** Replaces what users have defined. */
  setCustom(resources: readonly Resource[]): void {
    this.#custom = resources;
    this.#index();
  }

  find(group: string, version: string, plural: string): Resource | undefined {
    return this.#byPath.get(`${group}/${version}/${plural}`);
  }

  #index(): void {
    const own = this.#builtIn.flatMap((kind) =>
      kind.versions.map((version): Resource => ({ kind, version })),
    );
    // Versions of a user's kind may differ in their schemas: documents show each its own.
    const shown = this.#custom.map(({ kind, version }) => ({
      ...kind,
      version,
      versions: [version],
    }));
    this.#all = [...this.#builtIn, ...this.#views.map(({ kind }) => kind), ...shown];
    this.#byPath = new Map(
      [...own, ...this.#custom].map((resource) => [
        `${resource.kind.group}/${resource.version}/${resource.kind.plural}`,
        resource,
      ]),
    );
    for (const view of this.#views) {
      const { group, version, plural } = view.kind;
      const resource = { kind: view.of, version: view.of.version, view };
      this.#byPath.set(`${group}/${version}/${plural}`, resource);
    }
  }
}

/** The apiVersion clients of that version see. */
export function apiVersionFor({ kind, version }: Resource): string {
  return apiVersionOf({ group: kind.group, version });
}

/** An object as it is served in a version; versions differ in their apiVersion alone. */
export function inVersion<T extends KubeObject>(object: T, apiVersion: string): T {
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
}
