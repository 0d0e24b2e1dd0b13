// XBackend (experimental): a backend that is no Service, such as a host outside the cluster.

import { defineKind } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { described, list, object, oneOf, opt, string } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { BackendTlsValidation } from './backendtls.ts';
import { conditions } from './conditions.ts';
import { ControllerName, EXPERIMENTAL_GROUP, PortNumber, PreciseHostname } from './fields.ts';
import { ParentReference, SecretReference } from './references.ts';
import { rule } from './rules.ts';

const doc = 'A backend for routes that is no Service: a host outside the cluster.';

const Port = object(
  {
    name: opt(
      string({
        maxLength: 63,
        doc: 'Name of the port.',
        rules: [
          // Upstream compares an optional with null, which CEL never finds equal: the API server
          // refuses every name but the empty one, and what passes here must pass there.
          rule<string>('Name must be a valid DNS label', (self) => self === ''),
        ],
      }),
    ),
    port: described(PortNumber, 'Number of the port.'),
  },
  { doc: 'The port to connect to.' },
);

const ExternalHostname = object(
  {
    hostname: {
      ...described(PreciseHostname, 'Name of the host, looked up by DNS.'),
      rules: [
        // The message promises more than upstream checks: an IPv4 address passes.
        rule<string>(
          'hostname must not be an IP address or end with .cluster.local',
          (self) => !self.endsWith('.cluster.local'),
        ),
      ],
    },
  },
  { doc: 'The host, with type ExternalHostname.' },
);

const BackendTls = object(
  {
    mode: oneOf(['None', 'ServerOnly', 'ClientAndServer'], {
      doc: 'None: plain text. ServerOnly: the backend shows a certificate. ClientAndServer: the gateway does as well.',
    }),
    clientCertificateRef: opt(
      described(SecretReference, 'Certificate the gateway shows, with mode ClientAndServer.'),
    ),
    validation: opt(BackendTlsValidation),
  },
  {
    doc: 'TLS towards the host. Without it, plain text crosses the network.',
    rules: [
      rule<{ readonly mode: string; readonly clientCertificateRef?: object }>(
        'clientCertificateRef must be set if and only if mode is ClientAndServer',
        ({ mode, clientCertificateRef }) =>
          (mode === 'ClientAndServer') === (clientCertificateRef !== undefined),
      ),
    ],
  },
);

const schema = object(
  {
    ...typeMeta,
    metadata: ObjectMeta,
    spec: object(
      {
        type: oneOf(['ExternalHostname'], { doc: 'What kind of backend it is.' }),
        externalHostname: opt(ExternalHostname),
        port: Port,
        protocol: opt(
          oneOf(['TCP', 'HTTP', 'HTTP2', 'HTTP11', 'H2C', 'MCP'], {
            doc: 'What is spoken with the backend. Without it, what route and listener imply.',
          }),
        ),
        tls: opt(BackendTls),
      },
      {
        doc: 'Where the backend is, and how to speak to it.',
        rules: [
          rule<{ readonly type: string; readonly externalHostname?: object }>(
            'externalHostname must be set when type is ExternalHostname and must be unset otherwise',
            ({ type, externalHostname }) =>
              (type === 'ExternalHostname') === (externalHostname !== undefined),
          ),
        ],
      },
    ),
    status: opt(
      object(
        {
          parents: opt(
            list(
              object(
                {
                  parentRef: ParentReference,
                  controllerName: ControllerName,
                  conditions: opt(conditions('The verdict of this controller.', {})),
                },
                { doc: 'What one controller has made of the backend, seen from one Gateway.' },
              ),
              { listType: 'atomic', maxItems: 32, doc: 'One entry per parent and controller.' },
            ),
          ),
        },
        { doc: 'What has become of the backend.' },
      ),
    ),
  },
  { doc },
);
export type XBackend = Infer<typeof schema>;

export const XBackend = defineKind<XBackend>({
  group: EXPERIMENTAL_GROUP,
  version: 'v1alpha1',
  kind: 'XBackend',
  plural: 'xbackends',
  shortNames: ['xbackend'],
  categories: ['gateway-api'],
  namespaced: true,
  doc,
  schema,
  hasStatus: true,
  hasGeneration: true,
});
