// What routes of every kind share: what they attach to, and rules that only choose backends.

import type { Column } from '../kind.ts';
import { described, list, object, oneOf, opt } from '../schema/schema.ts';
import { Hostname, SectionName } from './fields.ts';
import { backendRules, ParentRefs, weightedBackendFields } from './references.ts';

export const attachmentFields = {
  parentRefs: opt(ParentRefs),
  useDefaultGateways: opt(
    oneOf(['All', 'None'], {
      doc: 'All attaches the route to every default Gateway that takes it, besides parentRefs. Default Gateways may come and go.',
    }),
  ),
};

/** The hosts of an HTTPRoute or GRPCRoute. */
export const RouteHostnames = list(Hostname, {
  listType: 'atomic',
  maxItems: 16,
  doc: 'Hosts this route is for. Only those count that the listener takes as well. Without any, every host of the listener.',
});

interface WithHostnames {
  readonly spec: { readonly hostnames?: readonly string[] };
}

export const hostnamesColumn: Column = {
  name: 'Hostnames',
  type: 'string',
  // As JSON, since that is how kubectl shows a list in a column.
  value: ({ spec }: WithHostnames) =>
    spec.hostnames === undefined ? '' : JSON.stringify(spec.hostnames),
};

export const RuleName = described(
  SectionName,
  'Name of the rule, unique in the route, for status messages and policies.',
);

/** The rules of TCPRoute, UDPRoute and TLSRoute: there is one, and all it does is choose a backend. */
export const ForwardingRules = list(
  object(
    {
      name: opt(RuleName),
      backendRefs: list(
        object(weightedBackendFields, {
          rules: backendRules,
          doc: 'One backend and its share of the connections.',
        }),
        {
          listType: 'atomic',
          minItems: 1,
          maxItems: 16,
          doc: 'Where connections go, each to one backend chosen by weight. The share of a backend that does not exist is refused.',
        },
      ),
    },
    { doc: 'Where the traffic goes.' },
  ),
  {
    listType: 'atomic',
    minItems: 1,
    maxItems: 1,
    doc: 'The one rule of the route.',
  },
);
