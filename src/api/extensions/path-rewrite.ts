// PathRewrite: a filter of our own for HTTPRoutes (ExtensionRef). What URLRewrite cannot say: a new path
// made of parts of the old one.
//
//   apiVersion: fairway.dev/v1alpha1
//   kind: PathRewrite
//   metadata: { name: by-number }
//   spec: { pattern: '/books/([0-9]+)(/.*)?', replacement: '/items/$1$2' }

import { FAIRWAY_GROUP } from '../fairway.ts';
import { defineKind } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { object, string } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';

const doc = 'A filter for HTTPRoutes: rewrites paths by a regular expression.';

const schema = object(
  {
    ...typeMeta,
    metadata: ObjectMeta,
    spec: object(
      {
        pattern: string({
          minLength: 1,
          maxLength: 1024,
          doc: 'An expression in RE2 syntax. A path that it does not take whole stays as it is.',
        }),
        replacement: string({
          maxLength: 1024,
          doc: 'The new path. $1 and ${name} stand for what the groups of the expression took, $$ for a dollar sign.',
        }),
      },
      { doc: 'Which paths are rewritten, and how.' },
    ),
  },
  { doc },
);
export type PathRewrite = Infer<typeof schema>;

export const PathRewrite = defineKind<PathRewrite>({
  group: FAIRWAY_GROUP,
  version: 'v1alpha1',
  kind: 'PathRewrite',
  plural: 'pathrewrites',
  namespaced: true,
  doc,
  schema,
  hasGeneration: true,
  columns: [
    { name: 'PATTERN', type: 'string', value: ({ spec }: PathRewrite) => spec.pattern },
    { name: 'REPLACEMENT', type: 'string', value: ({ spec }: PathRewrite) => spec.replacement },
  ],
});
