// The kinds that are served → groups, versions and resources, in the order clients are told of them.
// documents.ts writes it down in the several forms clients ask for.

import type { Kind } from '../../api/kind.ts';
import { compareGroups, compareText, compareVersions } from './groups.ts';
import { REVIEWS } from './reviews.ts';
import type { Review } from './reviews.ts';
import { subresourcesOf } from './subresources.ts';
import type { Subresource } from './subresources.ts';

export interface Resource {
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly Subresource[];
}

export interface CatalogVersion {
  readonly version: string;
  /** By plural name. */
  readonly resources: readonly Resource[];
}

export interface CatalogGroup {
  /** Empty for the core group. */
  readonly name: string;
  /** The preferred one first; there is at least one. */
  readonly versions: readonly CatalogVersion[];
}

export interface Catalog {
  readonly groups: readonly CatalogGroup[];
}

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

const catalogs = new WeakMap<readonly Kind[], Catalog>();

/** The catalog of a set of kinds; made once for each array. */
export function catalogOf(kinds: readonly Kind[]): Catalog {
  let catalog = catalogs.get(kinds);
  if (catalog === undefined) {
    catalog = build(kinds);
    catalogs.set(kinds, catalog);
  }
  return catalog;
}

export function groupOf(catalog: Catalog, name: string): CatalogGroup | undefined {
  return catalog.groups.find((group) => group.name === name);
}

function build(kinds: readonly Kind[]): Catalog {
  const groups = new Map<string, Map<string, Resource[]>>();
  const add = (group: string, version: string, resource: Resource): void => {
    const versions = groups.get(group) ?? new Map<string, Resource[]>();
    groups.set(group, versions.set(version, [...(versions.get(version) ?? []), resource]));
  };
  for (const kind of kinds) {
    for (const version of kind.versions) add(kind.group, version, resourceOf(kind, version));
  }
  for (const review of REVIEWS) add(review.group, review.version, resourceOfReview(review));
  const sorted = [...groups].toSorted(([a], [b]) => compareGroups(a, b));
  return {
    groups: sorted.map(([name, versions]) => ({ name, versions: sortedVersions(versions) })),
  };
}

function sortedVersions(versions: ReadonlyMap<string, readonly Resource[]>): CatalogVersion[] {
  return [...versions]
    .toSorted(([a], [b]) => compareVersions(a, b))
    .map(([version, resources]) => ({
      version,
      resources: resources.toSorted((a, b) => compareText(a.plural, b.plural)),
    }));
}

function resourceOf(kind: Kind, version: string): Resource {
  // Not all Namespaces at once: each takes what is in it along.
  const isNamespace = kind.group === '' && kind.kind === 'Namespace';
  return {
    plural: kind.plural,
    singular: kind.singular,
    kind: kind.kind,
    namespaced: kind.namespaced,
    verbs: isNamespace ? VERBS.filter((verb) => verb !== 'deletecollection') : VERBS,
    shortNames: kind.shortNames,
    categories: kind.categories ?? [],
    subresources: subresourcesOf(kind, version),
  };
}

function resourceOfReview({ plural, kind, namespaced }: Review): Resource {
  return {
    plural,
    singular: kind.toLowerCase(),
    kind,
    namespaced,
    verbs: ['create'],
    shortNames: [],
    categories: [],
    subresources: [],
  };
}
