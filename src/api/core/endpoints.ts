// The kind Endpoints: the older form of EndpointSlices, still written by people for Services without
// selector.

import { defineKind } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { def, described, object, oneOf, opt, requiredDef } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { canonical } from './canonical.ts';
import { endpointsColumn } from './endpoints-columns.ts';
import { checkEndpoints } from './checks/endpoints-check.ts';
import { PROTOCOLS, atomicList, checked, int32, requiredText, text } from './fields.ts';
import { ObjectReference } from './references.ts';

const EndpointAddress = object(
  {
    ip: requiredText('Address of the endpoint.'),
    hostname: opt(text('Host name of the endpoint in the DNS of a headless Service.')),
    nodeName: opt(text('The node the endpoint is on.')),
    targetRef: opt(described(ObjectReference, 'The object behind the endpoint, as a Pod.')),
  },
  { atomic: true },
);

const EndpointPort = object(
  {
    name: opt(text('Name of the port, that of the Service port; required when there are several.')),
    port: requiredDef(int32('Number of the port.'), 0),
    protocol: def(oneOf(PROTOCOLS, { doc: 'Protocol of the port.' }), 'TCP'),
    appProtocol: opt(text('Protocol of the application, as kubernetes.io/h2c.')),
  },
  { atomic: true },
);

const EndpointSubset = object({
  addresses: opt(atomicList(EndpointAddress, 'Endpoints that take traffic on every port.')),
  notReadyAddresses: opt(atomicList(EndpointAddress, 'Endpoints that are not ready.')),
  ports: opt(atomicList(EndpointPort, 'Ports of every address.')),
});
export type EndpointSubset = Infer<typeof EndpointSubset>;

const shape = object({
  ...typeMeta,
  metadata: def(ObjectMeta, {}),
  subsets: opt(atomicList(EndpointSubset, 'Groups of addresses with the same ports.')),
});
export type Endpoints = Infer<typeof shape>;

export const Endpoints = defineKind<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  shortNames: ['ep'],
  namespaced: true,
  doc: 'The addresses behind a Service, in the form used before EndpointSlices.',
  schema: checked(shape, checkEndpoints),
  setDefaults: (endpoints) => canonical(shape, endpoints),
  columns: [{ name: 'Endpoints', type: 'string', value: endpointsColumn }],
});
