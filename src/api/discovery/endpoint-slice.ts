// The kind EndpointSlice: the endpoints of a Service, some hundred at a time.

import { canonical } from '../core/canonical.ts';
import { firstOf } from '../core/columns.ts';
import {
  PROTOCOLS,
  atomicList,
  checked,
  flag,
  int32,
  requiredText,
  setList,
  text,
  textMap,
} from '../core/fields.ts';
import { ObjectReference } from '../core/references.ts';
import { defineKind } from '../kind.ts';
import type { Column } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { def, described, object, oneOf, opt, requiredDef, string } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { checkEndpointSlice } from './endpoint-slice-check.ts';

const EndpointConditions = object({
  ready: opt(flag('It takes new connections; counts as true when absent.')),
  serving: opt(flag('It answers, even while it ends; the same as ready when absent.')),
  terminating: opt(flag('It is about to end.')),
});

const ForZone = object({ name: requiredText('Name of the zone.') });

const ForNode = object({ name: requiredText('Name of the node.') });

const EndpointHints = object({
  forZones: opt(atomicList(ForZone, 'Zones whose traffic it should take.')),
  forNodes: opt(atomicList(ForNode, 'Nodes whose traffic it should take.')),
});

const Endpoint = object({
  addresses: requiredDef(
    setList(string(), 'Addresses of the endpoint, all of addressType; the first one counts.'),
    [],
  ),
  conditions: def(described(EndpointConditions, 'What is known of the endpoint.'), {}),
  hostname: opt(text('Host name of the endpoint in the DNS of a headless Service.')),
  targetRef: opt(described(ObjectReference, 'The object behind the endpoint, as a Pod.')),
  deprecatedTopology: opt(textMap('Labels of older versions; nodeName and zone instead.')),
  nodeName: opt(text('The node the endpoint is on.')),
  zone: opt(text('The zone the endpoint is in.')),
  hints: opt(described(EndpointHints, 'Who should use the endpoint.')),
});
export type Endpoint = Infer<typeof Endpoint>;

const EndpointPort = object(
  {
    name: def(text('Name of the port, that of the Service port.'), ''),
    protocol: def(oneOf(PROTOCOLS, { doc: 'Protocol of the port.' }), 'TCP'),
    port: opt(int32('Number of the port; every port when absent.')),
    appProtocol: opt(text('Protocol of the application, as kubernetes.io/h2c.')),
  },
  { atomic: true },
);
export type EndpointPort = Infer<typeof EndpointPort>;

const shape = object({
  ...typeMeta,
  metadata: def(ObjectMeta, {}),
  addressType: oneOf(['FQDN', 'IPv4', 'IPv6'], { doc: 'What the addresses are.' }),
  endpoints: def(atomicList(Endpoint, 'The endpoints; at most 1000.'), []),
  ports: opt(atomicList(EndpointPort, 'Ports of every endpoint.')),
});
export type EndpointSlice = Infer<typeof shape>;

const columns: readonly Column[] = [
  { name: 'AddressType', type: 'string', value: ({ addressType }: EndpointSlice) => addressType },
  {
    name: 'Ports',
    type: 'string',
    value: ({ ports = [] }: EndpointSlice) =>
      firstOf(ports.map((port) => String(port.port ?? port.name))) || '<unset>',
  },
  {
    name: 'Endpoints',
    type: 'string',
    value: ({ endpoints }: EndpointSlice) =>
      firstOf(endpoints.flatMap((endpoint) => endpoint.addresses)) || '<unset>',
  },
];

export const EndpointSlice = defineKind<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  namespaced: true,
  doc: 'A part of the endpoints of a Service.',
  schema: checked(shape, checkEndpointSlice),
  hasGeneration: true,
  columns,
  setDefaults: (slice) => canonical(shape, slice),
});
