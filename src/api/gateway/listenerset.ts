// ListenerSet: listeners that another team adds to a Gateway it does not own.

import { defineKind } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { def, object, opt } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { conditionColumn, conditions, pending } from './conditions.ts';
import { GATEWAY_GROUP } from './fields.ts';
import { Listeners, ListenerStatuses } from './listeners.ts';
import { ParentGatewayReference } from './references.ts';

const doc =
  "More listeners for a Gateway that allows it. Where listeners collide, the Gateway's own come first, then the oldest set.";

const verdicts = pending('Accepted', 'Programmed');

const schema = object(
  {
    ...typeMeta,
    metadata: ObjectMeta,
    spec: object(
      { parentRef: ParentGatewayReference, listeners: Listeners },
      { doc: 'The Gateway, and what is added to it.' },
    ),
    status: def(
      object(
        {
          conditions: def(
            conditions('Accepted: the Gateway takes the set in. Programmed: it is set up.'),
            verdicts,
          ),
          listeners: opt(ListenerStatuses),
        },
        { doc: 'What has become of the set.' },
      ),
      { conditions: verdicts },
    ),
  },
  { doc },
);
export type ListenerSet = Infer<typeof schema>;

export const ListenerSet = defineKind<ListenerSet>({
  group: GATEWAY_GROUP,
  version: 'v1',
  kind: 'ListenerSet',
  plural: 'listenersets',
  shortNames: ['lset'],
  categories: ['gateway-api'],
  namespaced: true,
  doc,
  schema,
  hasStatus: true,
  hasGeneration: true,
  columns: [conditionColumn('Accepted'), conditionColumn('Programmed')],
});
