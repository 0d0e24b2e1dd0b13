// The catalog in the forms clients ask for: APIVersions, APIGroupList, APIGroup and APIResourceList, and
// all of them in one as apidiscovery.k8s.io has it (KEP-3352).

import type { Catalog, CatalogGroup, CatalogVersion, Resource } from './catalog.ts';
import { groupOf } from './catalog.ts';

export type Document = Readonly<Record<string, unknown>>;

/** /api: the versions of the core group. `serverAddress` is the host and port the client came to. */
export function apiVersions(catalog: Catalog, serverAddress?: string): Document {
  const addresses = serverAddress === undefined ? [] : [{ clientCIDR: '0.0.0.0/0', serverAddress }];
  return {
    kind: 'APIVersions',
    versions: groupOf(catalog, '')?.versions.map(({ version }) => version) ?? [],
    serverAddressByClientCIDRs: addresses,
  };
}

/** /apis: the groups with a name. */
export function apiGroupList(catalog: Catalog): Document {
  const groups = catalog.groups.filter(({ name }) => name !== '');
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(group) };
}

/** /apis/GROUP */
export function apiGroup(of: CatalogGroup): Document {
  return { kind: 'APIGroup', apiVersion: 'v1', ...group(of) };
}

function group({ name, versions }: CatalogGroup): Document {
  const named = versions.map(({ version }) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: named, preferredVersion: named[0] };
}

/** /api/v1 and /apis/GROUP/VERSION: the resources, each followed by what lies below it. */
export function apiResourceList(of: CatalogGroup, version: CatalogVersion): Document {
  const groupVersion = of.name === '' ? version.version : `${of.name}/${version.version}`;
  const resources = version.resources.flatMap((resource) => [
    plainResource(resource),
    ...plainSubresources(resource, of.name, version.version),
  ]);
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources };
}

function plainResource(resource: Resource): Document {
  const { plural, singular, namespaced, kind, verbs } = resource;
  return { name: plural, singularName: singular, namespaced, kind, verbs, ...names(resource) };
}

function plainSubresources(resource: Resource, groupName: string, version: string): Document[] {
  return resource.subresources.map(({ name, type, verbs }) => ({
    name: `${resource.plural}/${name}`,
    singularName: '',
    namespaced: resource.namespaced,
    // Said only where it differs from what the list is about.
    ...(type.group === groupName && type.version === version
      ? {}
      : { group: type.group, version: type.version }),
    kind: type.kind,
    verbs,
  }));
}

function names({ shortNames, categories }: Resource): Document {
  return {
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
  };
}

/** /api (`core`) or /apis with everything below it. */
export function aggregated(catalog: Catalog, core: boolean, apiVersion: string): Document {
  const groups = catalog.groups.filter(({ name }) => (name === '') === core);
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion,
    metadata: {},
    items: groups.map(({ name, versions }) => ({
      metadata: name === '' ? {} : { name },
      versions: versions.map(({ version, resources }) => ({
        version,
        resources: resources.map((resource) => aggregatedResource(resource, name, version)),
        freshness: 'Current',
      })),
    })),
  };
}

function aggregatedResource(resource: Resource, groupName: string, version: string): Document {
  const { plural, singular, kind, namespaced, verbs, subresources } = resource;
  const below = subresources.map(({ name, type, verbs: able }) => ({
    subresource: name,
    responseKind: type,
    verbs: able,
  }));
  return {
    resource: plural,
    responseKind: { group: groupName, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...names(resource),
    ...(below.length === 0 ? {} : { subresources: below }),
  };
}
