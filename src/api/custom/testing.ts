// Definitions for tests: a CustomResourceDefinition around the schema of a spec.

import { admit } from '../admit.ts';
import { CustomResourceDefinition } from '../apiextensions/crd.ts';
import type { JsonSchema } from '../apiextensions/json-schema.ts';
import { formatFieldError } from '../schema/errors.ts';
import { customKinds } from './kind.ts';
import type { CustomKinds } from './kind.ts';

/** A definition of Widgets whose v1 has this schema for its spec; `root` adds to the schema around. */
export function widgets(spec: JsonSchema, root: Readonly<Record<string, unknown>> = {}) {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: { spec, status: { type: 'object', properties: {} } },
              ...root,
            },
          },
          subresources: { status: {} },
        },
      ],
    },
  };
}

/** What is wrong with a definition, as lines. */
export function definitionErrors(definition: unknown, old?: CustomResourceDefinition) {
  return admit(CustomResourceDefinition, definition, old).errors.map(formatFieldError);
}

/** The kinds of a definition; throws when it is not valid. */
export function kindsOf(definition: unknown): CustomKinds {
  const { object, errors } = admit(CustomResourceDefinition, definition);
  if (errors.length > 0) throw new Error(errors.map(formatFieldError).join('\n'));
  return customKinds(object);
}

/** A Widget with this spec. */
export function widget(spec: unknown, more: Readonly<Record<string, unknown>> = {}) {
  return {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name: 'one', namespace: 'shop' },
    spec,
    ...more,
  };
}
