// GatewayClass: which controller makes Gateways real. The first object an administrator creates.

import { defineKind } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { def, list, object, opt, string } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { conditionColumn, conditions, pending } from './conditions.ts';
import { ControllerName, GATEWAY_GROUP } from './fields.ts';
import { ParametersReference } from './references.ts';
import { immutable } from './rules.ts';

const doc = 'A kind of Gateway: names the controller that serves the Gateways of this class.';

/** What a class or a mesh says of itself; `controllerName` can never be changed. */
export const controllerSpecFields = {
  controllerName: { ...ControllerName, rules: [immutable] },
  parametersRef: opt(ParametersReference),
  description: opt(string({ maxLength: 64, doc: 'A few words for people who choose a class.' })),
};

/** Names of features, as the conformance suite spells them. */
export const supportedFeatures = list(
  object(
    { name: string({ doc: 'Name of the feature, such as HTTPRouteMethodMatching.' }) },
    { doc: 'One feature.' },
  ),
  {
    listType: 'map',
    keys: ['name'],
    maxItems: 64,
    doc: 'The optional features the controller claims to support, in alphabetical order.',
  },
);

const accepted = pending('Accepted');

const schema = object(
  {
    ...typeMeta,
    metadata: ObjectMeta,
    spec: object(controllerSpecFields, { doc: 'Who serves the class, and how it is configured.' }),
    status: def(
      object(
        {
          conditions: def(
            conditions('Accepted: whether the controller takes on Gateways of this class.'),
            accepted,
          ),
          supportedFeatures: opt(supportedFeatures),
        },
        { doc: 'What the controller says of the class.' },
      ),
      { conditions: accepted },
    ),
  },
  { doc },
);
export type GatewayClass = Infer<typeof schema>;

export const GatewayClass = defineKind<GatewayClass>({
  group: GATEWAY_GROUP,
  version: 'v1',
  versions: ['v1', 'v1beta1'],
  kind: 'GatewayClass',
  plural: 'gatewayclasses',
  shortNames: ['gc'],
  categories: ['gateway-api'],
  namespaced: false,
  doc,
  schema,
  hasStatus: true,
  hasGeneration: true,
  columns: [
    { name: 'Controller', type: 'string', value: ({ spec }: GatewayClass) => spec.controllerName },
    conditionColumn('Accepted'),
    {
      name: 'Description',
      type: 'string',
      priority: 1,
      value: ({ spec }: GatewayClass) => spec.description ?? '',
    },
  ],
});
