// CustomResourceDefinition: a kind that a user brings. The schemas in it are of a language of their own
// (json-schema.ts); what is wrong with them is said by schema-check.ts and rule-check.ts.

import { defineKind } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { fieldError } from '../schema/errors.ts';
import { boolean, def, integer, list, object, oneOf, opt, string } from '../schema/schema.ts';
import type { Infer, Schema } from '../schema/schema.ts';
import { checkDefinition } from './crd-check.ts';
import { withDefaults } from './crd-defaults.ts';
import { pruneSchema, schemaTypeErrors } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';

const doc = 'Defines a kind of object that the server does not have by itself.';

const openAPIV3Schema: Schema<JsonSchema> = {
  type: 'any',
  doc: 'The fields of the objects, as an OpenAPI v3 schema. What it does not name is not kept.',
  normalize: (value, path, unknown) => pruneSchema(value, path, unknown),
  constraints: (value, path) =>
    schemaTypeErrors(value, path).map(({ path: at, value: found, expected }) =>
      fieldError.type(at, found, expected),
    ),
  published: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
};

const names = {
  plural: string({ doc: 'Name of the kind in URLs: plural, in small letters.' }),
  singular: opt(
    string({ doc: 'What people type for one object. Defaults to kind in small letters.' }),
  ),
  kind: string({ doc: 'Name of the kind in objects.' }),
  listKind: opt(
    string({ doc: 'Name of lists of the kind. Defaults to kind with List behind it.' }),
  ),
  shortNames: opt(list(string(), { listType: 'atomic', doc: 'Short names people type.' })),
  categories: opt(
    list(string(), { listType: 'atomic', doc: 'Groups of kinds it is listed with, such as all.' }),
  ),
};

const Scale = object(
  {
    specReplicasPath: string({ doc: 'Where the wanted number is, below .spec.' }),
    statusReplicasPath: string({ doc: 'Where the actual number is, below .status.' }),
    labelSelectorPath: opt(string({ doc: 'Where the selector of the replicas is, as text.' })),
  },
  { doc: 'The subresource scale, for those who count replicas only.' },
);

const PrinterColumn = object(
  {
    name: string({ doc: 'Heading of the column.' }),
    type: string({ doc: 'integer, number, string, boolean or date.' }),
    format: opt(string({ doc: 'How the value is to be read, such as int32.' })),
    description: opt(string({ doc: 'What the column shows.' })),
    priority: opt(integer({ format: 'int32', doc: 'Above 0: shown with -o wide only.' })),
    jsonPath: string({ doc: 'Where the value is in an object, as .spec.replicas.' }),
  },
  { doc: 'A column of lists.' },
);
export type PrinterColumn = Infer<typeof PrinterColumn>;

const Version = object(
  {
    name: string({ doc: 'Name of the version, such as v1.' }),
    served: boolean({ doc: 'Clients may use the version.' }),
    storage: boolean({ doc: 'Objects are stored in this version; true for exactly one.' }),
    deprecated: opt(boolean({ doc: 'Clients are warned of the version.' })),
    deprecationWarning: opt(string({ doc: 'The warning, instead of the usual one.' })),
    schema: opt(
      object(
        { openAPIV3Schema: opt(openAPIV3Schema) },
        { doc: 'What objects of the version hold.' },
      ),
    ),
    subresources: opt(
      object(
        {
          status: opt(
            object({}, { preserveUnknown: true, doc: 'Status is written apart from the rest.' }),
          ),
          scale: opt(Scale),
        },
        { doc: 'Parts of an object with an address of their own.' },
      ),
    ),
    additionalPrinterColumns: opt(
      list(PrinterColumn, { listType: 'atomic', doc: 'Columns of lists. Without any: the age.' }),
    ),
    selectableFields: opt(
      list(object({ jsonPath: string({ doc: 'Where the field is, as .spec.color.' }) }), {
        listType: 'atomic',
        doc: 'Fields that field selectors may use.',
      }),
    ),
  },
  { doc: 'One version of the kind.' },
);
export type CustomVersion = Infer<typeof Version>;

const ServiceReference = object({
  namespace: string({ doc: 'Namespace of the Service.' }),
  name: string({ doc: 'Name of the Service.' }),
  path: opt(string({ doc: 'Path of the request.' })),
  port: opt(integer({ format: 'int32', doc: 'Port of the Service; 443 when absent.' })),
});

const Conversion = object(
  {
    strategy: string({
      doc: 'None: only apiVersion changes between versions. Webhook: a server converts.',
    }),
    webhook: opt(
      object(
        {
          clientConfig: opt(
            object({
              url: opt(string({ doc: 'Address of the server.' })),
              service: opt(ServiceReference),
              caBundle: opt(
                string({ format: 'byte', doc: 'Certificates the server is known by.' }),
              ),
            }),
          ),
          conversionReviewVersions: list(string(), {
            listType: 'atomic',
            doc: 'Versions of ConversionReview the server reads, the best first.',
          }),
        },
        { doc: 'Who converts.' },
      ),
    ),
  },
  { doc: 'How an object changes from version to version.' },
);

const Condition = object(
  {
    type: string({ doc: 'What the condition is about: Established, NamesAccepted.' }),
    status: oneOf(['True', 'False', 'Unknown'], { doc: 'Whether it holds.' }),
    observedGeneration: opt(integer({ format: 'int64', doc: 'The generation the verdict is of.' })),
    lastTransitionTime: opt(string({ format: 'date-time', doc: 'When status last changed.' })),
    reason: opt(string({ doc: 'Why, in one word for programs.' })),
    message: opt(string({ doc: 'Why, in a sentence for people.' })),
  },
  { doc: 'A verdict on one question.' },
);

const shape = object(
  {
    ...typeMeta,
    metadata: def(ObjectMeta, {}),
    spec: object(
      {
        group: string({ doc: 'API group of the kind.' }),
        scope: string({ doc: 'Cluster, or Namespaced.' }),
        names: object(names, { doc: 'Names of the kind.' }),
        versions: list(Version, { listType: 'atomic', doc: 'Versions of the kind.' }),
        conversion: opt(Conversion),
        preserveUnknownFields: opt(
          boolean({ doc: 'Must be false: fields are kept where the schema says so.' }),
        ),
      },
      { doc: 'The kind to have.' },
    ),
    status: opt(
      object(
        {
          conditions: opt(list(Condition, { listType: 'map', keys: ['type'], doc: 'Verdicts.' })),
          acceptedNames: opt(
            object(
              { ...names, plural: def(names.plural, ''), kind: def(names.kind, '') },
              { doc: 'The names the kind is served by.' },
            ),
          ),
          storedVersions: opt(
            list(string(), { listType: 'atomic', doc: 'Versions objects were ever stored in.' }),
          ),
        },
        { doc: 'What has become of the definition.' },
      ),
    ),
  },
  { doc },
);
export type CustomResourceDefinition = Infer<typeof shape>;

export const CustomResourceDefinition = defineKind<CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  doc,
  schema: { ...shape, check: checkDefinition },
  hasStatus: true,
  hasGeneration: true,
  setDefaults: withDefaults,
  // When it was created says as much.
  showsAge: false,
  columns: [
    {
      name: 'Created At',
      type: 'string',
      value: ({ metadata }: CustomResourceDefinition) => metadata.creationTimestamp,
    },
  ],
});
