// Schema → OpenAPI v3 as a structural CustomResourceDefinition writes it: what the API server
// publishes, and what tests compare with the upstream CRDs field by field.

import type { Node, ObjectNode } from './schema.ts';

export interface OpenApiSchema {
  readonly [keyword: string]: unknown;
}

/** Turns a schema into its OpenAPI v3 form. Rules are code, and have no place in it. */
export function toOpenApi(node: Node): OpenApiSchema {
  return node.published ?? { ...common(node), ...typed(node) };
}

function common(node: Node): OpenApiSchema {
  return {
    ...(node.doc === undefined ? {} : { description: node.doc }),
    ...(node.nullable === true ? { nullable: true } : {}),
  };
}

function typed(node: Node): OpenApiSchema {
  switch (node.type) {
    case 'object':
      return objectSchema(node);
    case 'map':
      return {
        type: 'object',
        additionalProperties: toOpenApi(node.values),
        ...present(node, ['minProperties', 'maxProperties']),
        ...mapType(node.atomic),
      };
    case 'list':
      return {
        type: 'array',
        items: toOpenApi(node.items),
        ...present(node, ['minItems', 'maxItems']),
        ...(node.listType === undefined ? {} : { 'x-kubernetes-list-type': node.listType }),
        ...(node.keys === undefined ? {} : { 'x-kubernetes-list-map-keys': node.keys }),
      };
    case 'string':
      return {
        type: 'string',
        ...present(node, ['minLength', 'maxLength', 'pattern', 'enum', 'format']),
      };
    case 'integer':
      return { type: 'integer', ...present(node, ['format', 'minimum', 'maximum', 'enum']) };
    case 'number':
      return { type: 'number', ...present(node, ['minimum', 'maximum']) };
    case 'boolean':
      return { type: 'boolean' };
    case 'intOrString':
      return {
        'x-kubernetes-int-or-string': true,
        anyOf: [{ type: 'integer' }, { type: 'string' }],
        ...present(node, ['pattern', 'maxLength']),
      };
    case 'any':
      return { 'x-kubernetes-preserve-unknown-fields': true };
  }
}

function objectSchema(node: ObjectNode): OpenApiSchema {
  const properties: Record<string, OpenApiSchema> = {};
  const required: string[] = [];
  for (const [name, field] of node.fields) {
    const schema = toOpenApi(field.node);
    properties[name] = field.default === undefined ? schema : { ...schema, default: field.default };
    if (field.required) required.push(name);
  }
  return {
    type: 'object',
    ...(node.fields.size === 0 ? {} : { properties }),
    ...(required.length === 0 ? {} : { required }),
    ...present(node, ['minProperties', 'maxProperties']),
    ...mapType(node.atomic),
    ...node.combined?.openApi,
    ...(node.preserveUnknown === true ? { 'x-kubernetes-preserve-unknown-fields': true } : {}),
  };
}

function mapType(atomic: boolean | undefined): OpenApiSchema {
  return atomic === true ? { 'x-kubernetes-map-type': 'atomic' } : {};
}

function present<N extends object>(node: N, keywords: readonly (keyof N)[]): OpenApiSchema {
  return Object.fromEntries(keywords.filter((k) => node[k] !== undefined).map((k) => [k, node[k]]));
}
