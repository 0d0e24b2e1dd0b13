// What we know about one Kubernetes kind: its names, its schema and how it behaves on the wire.
// kinds.ts lists them all.

import type { ObjectMeta } from './meta.ts';
import type { Schema } from './schema/schema.ts';

/** The least every object has. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** A column of `kubectl get`. Priority above 0 is shown with `-o wide` only. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'date' | 'boolean';
  readonly priority?: number;
  /** As `int32`; none when absent. */
  readonly format?: string;
  /** What it shows, in a sentence, for columns whose sentence is known to nobody else. */
  readonly description?: string;
  /** The cell for one object; undefined shows as `<none>`, as kubectl does. Ages count from `nowMs`. */
  // oxlint-disable-next-line typescript/no-explicit-any -- a column knows the kind it belongs to
  readonly value: (object: any, nowMs?: number) => string | number | boolean | undefined;
}

/** Where the scale subresource finds its fields, as `.spec.replicas`. */
export interface ScalePaths {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath?: string;
}

export interface Kind<T extends KubeObject = KubeObject> {
  /** API group; empty for the core group. */
  readonly group: string;
  /** The version objects are stored in and the rest of Fairway reads. */
  readonly version: string;
  /** Every version clients may use; they differ in apiVersion only. */
  readonly versions: readonly string[];
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories?: readonly string[];
  readonly namespaced: boolean;
  /** One sentence on what the kind is for, in our own words. */
  readonly doc: string;
  readonly schema: Schema<T>;
  /** Status is a subresource: ordinary writes cannot change it. */
  readonly hasStatus: boolean;
  /** metadata.generation counts changes of the specification. */
  readonly hasGeneration: boolean;
  /** The columns after NAME and before AGE. */
  readonly columns: readonly Column[];
  /**
   * Defaults that one field takes from another (targetPort from port), on a normalized object that
   * may still be invalid. Returns the same object when nothing is to be filled in.
   */
  setDefaults?(object: T): T;
  /**
   * What the system has filled in and a writer who leaves it out does not mean to clear: a Service's
   * clusterIP, a Pod's nodeName. Returns `wanted` completed from `old`.
   */
  carryOver?(old: T, wanted: T): T;
  /** Name of lists; the kind's with List behind it when absent. */
  readonly listKind?: string;
  /** Of users' kinds: false when its columns say everything, Age among them or not. */
  readonly showsAge?: boolean;
  /** Where the subresource scale finds its fields, where a definition says so. */
  readonly scale?: ScalePaths;
  /** Fields beside name and namespace that field selectors may use, as `.spec.color`. */
  readonly selectableFields?: readonly string[];
  /** What a client that uses the version is warned of. */
  readonly deprecationWarning?: string;
  /** How metadata.name is checked, where it is not a DNS subdomain. */
  readonly nameFormat?: 'dns1035Label' | 'dns1123Label' | 'path';
}

/** Defines a kind; fills in what follows from the rest. */
export function defineKind<T extends KubeObject>(
  kind: Omit<
    Kind<T>,
    'versions' | 'singular' | 'shortNames' | 'columns' | 'hasStatus' | 'hasGeneration'
  > &
    Partial<Pick<Kind<T>, 'versions' | 'shortNames' | 'columns' | 'hasStatus' | 'hasGeneration'>>,
): Kind<T> {
  return {
    versions: [kind.version],
    shortNames: [],
    columns: [],
    hasStatus: false,
    hasGeneration: false,
    ...kind,
    singular: kind.kind.toLowerCase(),
  };
}

/** `gateway.networking.k8s.io/v1`, or `v1` for the core group. */
export function apiVersionOf(kind: Pick<Kind, 'group' | 'version'>): string {
  return kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
}

/** Splits `gateway.networking.k8s.io/v1` into group and version. */
export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/');
  return slash === -1
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}
