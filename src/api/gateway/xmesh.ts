// XMesh (experimental): which controller runs the mesh, and what it can do. The GatewayClass of
// traffic between Services.

import { defineKind } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { def, object, opt } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { conditionColumn, conditions, pending } from './conditions.ts';
import { EXPERIMENTAL_GROUP } from './fields.ts';
import { controllerSpecFields, supportedFeatures } from './gatewayclass.ts';

const doc = 'A mesh: names the controller that applies routes to traffic between Services.';

const schema = object(
  {
    ...typeMeta,
    metadata: ObjectMeta,
    spec: object(controllerSpecFields, { doc: 'Who runs the mesh, and how it is configured.' }),
    // Upstream's two defaults differ: a mesh without status waits for one verdict, one with an
    // empty status for two.
    status: def(
      object(
        {
          conditions: def(
            conditions('Accepted: whether the controller takes on this mesh.'),
            pending('Accepted', 'Programmed'),
          ),
          supportedFeatures: opt(supportedFeatures),
        },
        { doc: 'What the controller says of the mesh.' },
      ),
      { conditions: pending('Accepted') },
    ),
  },
  { doc },
);
export type XMesh = Infer<typeof schema>;

export const XMesh = defineKind<XMesh>({
  group: EXPERIMENTAL_GROUP,
  version: 'v1alpha1',
  kind: 'XMesh',
  plural: 'xmeshes',
  shortNames: ['mesh'],
  categories: ['gateway-api'],
  namespaced: false,
  doc,
  schema,
  hasStatus: true,
  hasGeneration: true,
  columns: [conditionColumn('Accepted')],
});
