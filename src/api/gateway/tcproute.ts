// TCPRoute: TCP connections to a port go to backends, whatever is spoken on them. Which port is said
// by the listener it attaches to.

import { defineKind } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { object, opt } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { RouteStatus } from './conditions.ts';
import { GATEWAY_GROUP } from './fields.ts';
import { attachmentFields, ForwardingRules } from './routes.ts';

const doc =
  'Sends the connections of one TCP listener to backends. Of several routes on one listener, only the oldest gets traffic.';

const schema = object(
  {
    ...typeMeta,
    metadata: ObjectMeta,
    spec: object(
      { ...attachmentFields, rules: ForwardingRules },
      { doc: 'What the route should do.' },
    ),
    status: opt(RouteStatus),
  },
  { doc },
);
export type TCPRoute = Infer<typeof schema>;

// Upstream's v1alpha2 allows 16 rules with different names, of which no more than one could ever take
// effect. Here one rule is the limit in every version.
export const TCPRoute = defineKind<TCPRoute>({
  group: GATEWAY_GROUP,
  version: 'v1',
  versions: ['v1', 'v1alpha2'],
  kind: 'TCPRoute',
  plural: 'tcproutes',
  categories: ['gateway-api'],
  namespaced: true,
  doc,
  schema,
  hasStatus: true,
  hasGeneration: true,
});
