// A kind → its components of an OpenAPI document: the object and the list of it.

import type { Kind } from '../../api/kind.ts';
import { ObjectMeta } from '../../api/meta.ts';
import { toOpenApi } from '../../api/schema/openapi.ts';
import type { OpenApiSchema } from '../../api/schema/openapi.ts';
import type { Node } from '../../api/schema/schema.ts';
import { isBuiltInGroup } from '../discovery/groups.ts';
import { LIST_META, OBJECT_META, SHARED } from './meta-schemas.ts';
import { patchExtensions } from './strategies.ts';

export type Schemas = Readonly<Record<string, OpenApiSchema>>;

/** `io.k8s.api.apps.v1.Deployment`, `io.k8s.networking.gateway.v1.HTTPRoute` */
export function componentName(group: string, version: string, kind: string): string {
  const prefix = group.includes('.')
    ? group.split('.').toReversed().join('.')
    : `io.k8s.api.${group === '' ? 'core' : group}`;
  return `${prefix}.${version}.${kind}`;
}

export function refTo(component: string): OpenApiSchema {
  return { $ref: `#/components/schemas/${component}` };
}

/** Schemas of a kind in one of its versions. */
export function kindComponents(kind: Kind, version: string): Schemas {
  const { group, kind: name } = kind;
  const component = componentName(group, version, name);
  const schema = schemaOf(kind);
  return {
    [component]: {
      ...schema,
      'x-kubernetes-group-version-kind': [{ group, version, kind: name }],
    },
    [`${component}List`]: listSchema(kind, version, component),
  };
}

const schemas = new WeakMap<Kind, OpenApiSchema>();

/** The same in all versions, and made once. */
function schemaOf(kind: Kind): OpenApiSchema {
  let schema = schemas.get(kind);
  if (schema === undefined) {
    const { required, ...published } = publish(kind.schema, '', isBuiltInGroup(kind.group));
    // apiVersion and kind are required of a body, but the path says them as well.
    const names = (required as readonly string[] | undefined)?.filter(
      (name) => name !== 'apiVersion' && name !== 'kind',
    );
    schema = {
      ...published,
      ...(names === undefined || names.length === 0 ? {} : { required: names }),
      description: kind.doc,
    };
    schemas.set(kind, schema);
  }
  return schema;
}

/** Schemas that every document has, whatever its kinds. */
export function sharedComponents(): Schemas {
  const entries = Object.entries(SHARED).map(([name, { node, type }]) => [
    name,
    {
      ...publish(node, name === OBJECT_META ? 'metadata' : '', true),
      ...(type === undefined ? {} : { 'x-kubernetes-group-version-kind': [type] }),
    },
  ]);
  return Object.fromEntries(entries) as Schemas;
}

/**
 * toOpenApi, with metadata by reference and, for built-in kinds, with what strategic merge needs.
 * `parent` is the name of the field that holds the value.
 */
function publish(node: Node, parent: string, strategic: boolean): OpenApiSchema {
  const schema = toOpenApi(node);
  return complete(node, schema, parent, strategic);
}

function complete(
  node: Node,
  schema: OpenApiSchema,
  parent: string,
  strategic: boolean,
): OpenApiSchema {
  const inner = (child: Node, of: unknown, name: string): OpenApiSchema =>
    complete(child, of as OpenApiSchema, name, strategic);
  if (node.type === 'list') return { ...schema, items: inner(node.items, schema['items'], parent) };
  if (node.type === 'map') {
    const { additionalProperties } = schema;
    return { ...schema, additionalProperties: inner(node.values, additionalProperties, parent) };
  }
  if (node.type !== 'object' || node.fields.size === 0) return schema;
  const published = schema['properties'] as Schemas;
  const properties: Record<string, OpenApiSchema> = {};
  for (const [name, field] of node.fields) {
    const property = published[name] ?? {};
    properties[name] = isObjectMeta(field.node)
      ? metadataReference(field.node.doc)
      : {
          ...inner(field.node, property, name),
          ...(strategic ? patchExtensions(field.node, parent, name) : {}),
        };
  }
  return { ...schema, properties };
}

/** Metadata may have words of its own in a kind, but its fields are these. */
function isObjectMeta(node: Node): boolean {
  return node.type === 'object' && OBJECT_META_FIELDS.has(node.fields);
}

const OBJECT_META_FIELDS = new Set<unknown>([
  (ObjectMeta as Extract<Node, { type: 'object' }>).fields,
]);

/** A reference allows for no words beside it; hence allOf. */
function metadataReference(doc = 'What the object is known by.'): OpenApiSchema {
  return { description: doc, allOf: [refTo(OBJECT_META)], default: {} };
}

function listSchema(kind: Kind, version: string, component: string): OpenApiSchema {
  const text = (description: string): OpenApiSchema => ({ type: 'string', description });
  return {
    type: 'object',
    description: `A list of objects of the kind ${kind.kind}.`,
    required: ['items'],
    properties: {
      apiVersion: text('API group and version of the kind.'),
      kind: text('Kind of the list.'),
      metadata: {
        description: 'What is known of the list.',
        allOf: [refTo(LIST_META)],
        default: {},
      },
      items: { type: 'array', description: 'The objects.', items: refTo(component) },
    },
    'x-kubernetes-group-version-kind': [{ group: kind.group, version, kind: `${kind.kind}List` }],
  };
}
