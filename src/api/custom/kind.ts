// A CustomResourceDefinition → the kinds it defines, one for each served version, to be treated as any
// other kind. Versions are converted by name alone (strategy None): an object written in one version is
// pruned, defaulted and checked by that version, and stored with the storage version's apiVersion.

import type { CustomResourceDefinition, CustomVersion } from '../apiextensions/crd.ts';
import type { Kind, KubeObject } from '../kind.ts';
import type { Schema } from '../schema/schema.ts';
import { customColumns } from './columns.ts';
import { customSchema } from './schema.ts';

/** A kind of a user. */
export interface CustomKind extends Kind {
  readonly listKind: string;
  readonly showsAge: boolean;
  readonly selectableFields: readonly string[];
}

export interface CustomKinds {
  /** The version objects are stored in; served or not. */
  readonly storage: CustomKind;
  /** Served versions, in the order of the definition; `version` of each is its own. */
  readonly served: readonly CustomKind[];
}

/** The kinds of a definition that has passed validation. */
export function customKinds(crd: CustomResourceDefinition): CustomKinds {
  const { versions } = crd.spec;
  const servedNames = versions.filter(({ served }) => served).map(({ name }) => name);
  const all = versions.map((version) => ({ version, kind: customKind(crd, version, servedNames) }));
  const storage = all.find(({ version }) => version.storage) ?? all[0];
  if (storage === undefined) throw new Error(`${crd.metadata.name}: no version is stored`);
  return {
    storage: storage.kind,
    served: all.filter(({ version }) => version.served).map(({ kind }) => kind),
  };
}

function customKind(
  { spec }: CustomResourceDefinition,
  version: CustomVersion,
  servedNames: readonly string[],
): CustomKind {
  const { names, group, scope } = spec;
  const schema = version.schema?.openAPIV3Schema ?? {};
  const columns = version.additionalPrinterColumns ?? [];
  const { scale, status } = version.subresources ?? {};
  return {
    group,
    version: version.name,
    versions: servedNames,
    kind: names.kind,
    listKind: names.listKind ?? `${names.kind}List`,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    ...(names.categories === undefined ? {} : { categories: names.categories }),
    namespaced: scope === 'Namespaced',
    doc: schema.description ?? '',
    schema: customSchema(schema) as Schema<KubeObject>,
    hasStatus: status !== undefined,
    hasGeneration: true,
    columns: customColumns(columns),
    showsAge: columns.length === 0,
    selectableFields: (version.selectableFields ?? []).map(({ jsonPath }) => jsonPath),
    ...(scale === undefined ? {} : { scale }),
    ...deprecation(spec, version),
  };
}

function deprecation(
  { group, names }: CustomResourceDefinition['spec'],
  { name, deprecated, deprecationWarning }: CustomVersion,
): { readonly deprecationWarning?: string } {
  if (deprecated !== true) return {};
  return {
    deprecationWarning: deprecationWarning ?? `${group}/${name} ${names.kind} is deprecated`,
  };
}

/** The same object in another version of its kind. */
export function convertTo<T extends KubeObject>(
  object: T,
  kind: Pick<Kind, 'group' | 'version'>,
): T {
  const apiVersion = `${kind.group}/${kind.version}`;
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
}
