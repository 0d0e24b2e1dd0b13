// Gateway: where traffic comes in. Addresses and listeners are here; what happens to a request is
// said by the routes that attach to them.

import { defineKind } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import {
  def,
  described,
  integer,
  list,
  map,
  object,
  oneOf,
  opt,
  string,
} from '../schema/schema.ts';
import { lengthOf } from '../schema/scalars.ts';
import type { Infer } from '../schema/schema.ts';
import { BoundAddresses, RequestedAddresses } from './addresses.ts';
import { conditionColumn, conditions, pending } from './conditions.ts';
import { GATEWAY_GROUP, ObjectName, PortNumber } from './fields.ts';
import { Listeners, ListenerStatuses, namespaceSelection } from './listeners.ts';
import { LocalObjectReference, ObjectReference, SecretReference } from './references.ts';
import { distinct, rule } from './rules.ts';

const doc = 'Where traffic enters: addresses, and the listeners on them that routes attach to.';

const METADATA_KEY =
  /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$/;

/** Keys of labels and of annotations must have the form that Kubernetes wants them in. */
const keyRules = (plural: string, singular: string) => [
  rule<object>(
    `${plural} keys must be in the form of an optional DNS subdomain prefix followed by a required name segment of up to 63 characters.`,
    (self) => Object.keys(self).every((key) => METADATA_KEY.test(key)),
  ),
  rule<object>(
    `If specified, the ${singular} key's prefix must be a DNS subdomain not longer than 253 characters in total.`,
    (self) => Object.keys(self).every((key) => lengthOf(key.split('/')[0] ?? '') < 253),
  ),
];

const Infrastructure = object(
  {
    labels: opt(
      map(
        string({
          minLength: 0,
          maxLength: 63,
          pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
          doc: 'Value of the label.',
        }),
        {
          maxProperties: 8,
          doc: 'Labels for everything that is created on behalf of this Gateway.',
          rules: keyRules('Label', 'label'),
        },
      ),
    ),
    annotations: opt(
      map(string({ minLength: 0, maxLength: 4096, doc: 'Value of the annotation.' }), {
        maxProperties: 16,
        doc: 'Annotations for everything that is created on behalf of this Gateway.',
        rules: keyRules('Annotation', 'annotation'),
      }),
    ),
    parametersRef: opt(
      described(
        LocalObjectReference,
        'An object with settings for this Gateway alone; those of its class come first.',
      ),
    ),
  },
  { doc: 'What is created for the Gateway, such as a Service or a Deployment.' },
);

const AllowedListeners = object(
  {
    namespaces: namespaceSelection(
      {
        values: ['All', 'Selector', 'Same', 'None'],
        default: 'None',
        doc: 'All namespaces, those that selector chooses, the same one as the Gateway, or none.',
      },
      'Where ListenerSets may be. Without it, nowhere.',
    ),
  },
  { doc: 'Which ListenerSets may add listeners. Without it, none.' },
);

const ClientValidation = object(
  {
    caCertificateRefs: list(ObjectReference, {
      listType: 'atomic',
      minItems: 1,
      maxItems: 16,
      doc: 'ConfigMaps (or Secrets) whose ca.crt a client certificate must descend from.',
    }),
    mode: def(
      oneOf(['AllowValidOnly', 'AllowInsecureFallback'], {
        doc: 'AllowValidOnly refuses clients without a valid certificate. AllowInsecureFallback lets them in and leaves the decision to the backend.',
      }),
      'AllowValidOnly',
    ),
  },
  { doc: 'Asks clients for a certificate, and says which are good.' },
);

const FrontendTlsConfig = object(
  { validation: opt(ClientValidation) },
  { doc: 'How clients of HTTPS listeners are checked.' },
);

const FrontendTls = object(
  {
    default: described(FrontendTlsConfig, 'For every HTTPS listener whose port is not in perPort.'),
    perPort: opt(
      list(
        object(
          {
            port: described(PortNumber, 'Port of the listeners meant.'),
            tls: described(
              FrontendTlsConfig,
              'Takes the place of default on this port, as a whole.',
            ),
          },
          { doc: 'Settings for the HTTPS listeners of one port.' },
        ),
        {
          listType: 'map',
          keys: ['port'],
          maxItems: 64,
          doc: 'Exceptions from default, by port.',
          rules: [
            rule<readonly { readonly port: number }[]>(
              'Port for TLS configuration must be unique within the Gateway',
              (self) => distinct(self, ({ port }) => port),
            ),
          ],
        },
      ),
    ),
  },
  { doc: 'TLS towards clients.' },
);

const GatewayTls = object(
  {
    frontend: opt(FrontendTls),
    backend: opt(
      object(
        {
          clientCertificateRef: opt(
            described(
              SecretReference,
              'Certificate the Gateway shows to backends that ask for one.',
            ),
          ),
        },
        { doc: 'TLS towards backends. Which backends get TLS is said by BackendTLSPolicy.' },
      ),
    ),
  },
  { doc: 'TLS settings of the Gateway as a whole.' },
);

const verdicts = pending('Accepted', 'Programmed');

const schema = object(
  {
    ...typeMeta,
    metadata: ObjectMeta,
    spec: object(
      {
        gatewayClassName: described(ObjectName, 'The GatewayClass that serves this Gateway.'),
        listeners: Listeners,
        addresses: opt(RequestedAddresses),
        infrastructure: opt(Infrastructure),
        allowedListeners: opt(AllowedListeners),
        tls: opt(GatewayTls),
        defaultScope: opt(
          oneOf(['All', 'None'], {
            doc: 'All makes this a default Gateway: routes that say useDefaultGateways attach to it without naming it.',
          }),
        ),
      },
      { doc: 'What the Gateway should be.' },
    ),
    status: def(
      object(
        {
          addresses: opt(BoundAddresses),
          conditions: def(
            conditions('Accepted: the Gateway makes sense. Programmed: it is set up.'),
            verdicts,
          ),
          listeners: opt(ListenerStatuses),
          attachedListenerSets: opt(
            integer({ format: 'int32', doc: 'Number of accepted ListenerSets.' }),
          ),
        },
        { doc: 'What the Gateway is.' },
      ),
      { conditions: verdicts },
    ),
  },
  { doc },
);
export type Gateway = Infer<typeof schema>;

export const Gateway = defineKind<Gateway>({
  group: GATEWAY_GROUP,
  version: 'v1',
  versions: ['v1', 'v1beta1'],
  kind: 'Gateway',
  plural: 'gateways',
  shortNames: ['gtw'],
  categories: ['gateway-api'],
  namespaced: true,
  doc,
  schema,
  hasStatus: true,
  hasGeneration: true,
  columns: [
    { name: 'Class', type: 'string', value: ({ spec }: Gateway) => spec.gatewayClassName },
    {
      name: 'Address',
      type: 'string',
      value: ({ status }: Gateway) => status.addresses?.[0]?.value ?? '',
    },
    conditionColumn('Programmed'),
  ],
});
