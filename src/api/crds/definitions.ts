// Gateway API kinds, and kinds of our own → the CustomResourceDefinitions that clients look for before they use such
// kinds. Only descriptions: the kinds are served whether or not these objects are there. Rules are
// code here, and therefore not among what is published.

import { acceptedStatus } from '../apiextensions/accept.ts';
import type { CustomResourceDefinition, CustomVersion } from '../apiextensions/crd.ts';
import { extensionKinds } from '../extensions/kinds.ts';
import { gatewayKinds } from '../gateway/kinds.ts';
import type { Kind } from '../kind.ts';
import type { ObjectMeta } from '../meta.ts';
import { toOpenApi } from '../schema/openapi.ts';
import type { JsonSchema } from '../apiextensions/json-schema.ts';

/** The release of Gateway API whose kinds these are, and its channel. */
export const BUNDLE_VERSION = 'v1.6.1';
export const CHANNEL = 'experimental';

const APPROVED_BY = 'https://github.com/kubernetes-sigs/gateway-api/pull/4530';

/** Kinds whose storage version upstream is not the one we read: it is what clients are told. */
const STORAGE_VERSION: Readonly<Record<string, string>> = { ReferenceGrant: 'v1beta1' };

/** Kinds that modify another object say so by a label. */
const DIRECT_POLICIES = new Set(['BackendTLSPolicy', 'XBackendTrafficPolicy']);

/** Where the values of columns are: our own kinds read them by code. */
const COLUMN_PATHS: Readonly<Record<string, string>> = {
  Controller: '.spec.controllerName',
  Description: '.spec.description',
  Class: '.spec.gatewayClassName',
  Address: '.status.addresses[*].value',
  Hostnames: '.spec.hostnames',
  Accepted: '.status.conditions[?(@.type=="Accepted")].status',
  Programmed: '.status.conditions[?(@.type=="Programmed")].status',
};

/** The definitions of all Gateway API kinds; `time` is when they came to be, as RFC 3339. */
export function gatewayDefinitions(time: string): readonly CustomResourceDefinition[] {
  return gatewayKinds.map((kind) => definitionOf(kind, ofBundle(kind), time));
}

/** The definitions of kinds of our own, which belong to no bundle. */
export function extensionDefinitions(time: string): readonly CustomResourceDefinition[] {
  return extensionKinds.map((kind) => definitionOf(kind, {}, time));
}

/** What says that a definition is of the Gateway API, and of which release. */
function ofBundle({ kind }: Kind): Pick<ObjectMeta, 'annotations' | 'labels'> {
  return {
    annotations: {
      'api-approved.kubernetes.io': APPROVED_BY,
      'gateway.networking.k8s.io/bundle-version': BUNDLE_VERSION,
      'gateway.networking.k8s.io/channel': CHANNEL,
    },
    ...(DIRECT_POLICIES.has(kind)
      ? { labels: { 'gateway.networking.k8s.io/policy': 'Direct' } }
      : {}),
  };
}

function definitionOf(
  kind: Kind,
  described: Pick<ObjectMeta, 'annotations' | 'labels'>,
  time: string,
): CustomResourceDefinition {
  const { group, plural, singular, shortNames, categories } = kind;
  const storage = STORAGE_VERSION[kind.kind] ?? kind.version;
  const names = {
    plural,
    singular,
    kind: kind.kind,
    listKind: `${kind.kind}List`,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories === undefined ? {} : { categories }),
  };
  const definition: CustomResourceDefinition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, ...described },
    spec: {
      group,
      names,
      scope: kind.namespaced ? 'Namespaced' : 'Cluster',
      versions: kind.versions.map((version) => versionOf(kind, version, storage)),
      conversion: { strategy: 'None' },
    },
  };
  return { ...definition, status: acceptedStatus(definition, [], time) };
}

function versionOf(kind: Kind, name: string, storage: string): CustomVersion {
  return {
    name,
    served: true,
    storage: name === storage,
    ...deprecation(kind, name),
    schema: { openAPIV3Schema: definitionSchema(kind) },
    ...(kind.hasStatus ? { subresources: { status: {} } } : {}),
    additionalPrinterColumns: [
      ...kind.columns.map(({ name: heading, type, priority }) => ({
        name: heading,
        type,
        jsonPath: COLUMN_PATHS[heading] ?? `.spec.${heading.toLowerCase()}`,
        ...(priority === undefined ? {} : { priority }),
      })),
      { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    ],
  };
}

/** Alpha versions of kinds that have become stable. */
function deprecation({ group, kind, version }: Kind, name: string) {
  if (!name.includes('alpha') || version.includes('alpha')) return {};
  const deprecationWarning = `${group}/${name} ${kind} is deprecated; use ${group}/${version} ${kind}`;
  return { deprecated: true, deprecationWarning };
}

/** A definition says nothing of metadata: every object has it. */
function definitionSchema(kind: Kind): JsonSchema {
  const schema = toOpenApi(kind.schema) as JsonSchema;
  const required = schema.required?.filter(
    (name) => name !== 'metadata' && name !== 'apiVersion' && name !== 'kind',
  );
  const { required: _all, ...rest } = schema;
  return {
    ...rest,
    ...(required === undefined || required.length === 0 ? {} : { required }),
    properties: { ...schema.properties, metadata: { type: 'object' } },
  };
}
