// Listeners, as Gateway and ListenerSet both have them: a port, a protocol, perhaps a host name, and
// who may attach routes.

import { LabelSelector } from '../meta.ts';
import { def, described, integer, list, object, oneOf, opt, string } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { conditions } from './conditions.ts';
import {
  DNS_SUBDOMAIN,
  GATEWAY_GROUP,
  Group,
  Hostname,
  KindName,
  Options,
  PortNumber,
  SectionName,
} from './fields.ts';
import { SecretReference } from './references.ts';
import { distinct, rule } from './rules.ts';

const RouteGroupKind = object(
  {
    group: def(described(Group, 'API group of the route.'), GATEWAY_GROUP),
    kind: described(KindName, 'Kind of the route, such as HTTPRoute.'),
  },
  { doc: 'A kind of route.' },
);

/** Namespaces chosen by `from`; the same form says where routes and where ListenerSets may be. */
export function namespaceSelection<const E extends readonly string[]>(
  from: { readonly values: E; readonly default: E[number]; readonly doc: string },
  doc: string,
) {
  return def(
    object(
      {
        from: def(oneOf(from.values, { doc: from.doc }), from.default),
        selector: opt(
          described(
            LabelSelector,
            'Labels the namespace must have. Read only with from: Selector.',
          ),
        ),
      },
      { doc },
    ),
    { from: from.default },
  );
}

const sameNamespace = { namespaces: { from: 'Same' } };

const AllowedRoutes = object(
  {
    namespaces: namespaceSelection(
      {
        values: ['All', 'Selector', 'Same'],
        default: 'Same',
        doc: 'All namespaces, those that selector chooses, or the same one as the listener.',
      },
      'Where routes may be. Without it, only in the namespace of the listener.',
    ),
    kinds: opt(
      list(RouteGroupKind, {
        listType: 'atomic',
        maxItems: 8,
        doc: 'Which kinds of routes may attach. Empty: every kind that fits the protocol.',
      }),
    ),
  },
  { doc: 'Which routes may attach to the listener.' },
);

const ListenerTls = object(
  {
    mode: def(
      oneOf(['Terminate', 'Passthrough'], {
        doc: 'Terminate decrypts here, with the certificates below. Passthrough looks only at the server name and hands the bytes on.',
      }),
      'Terminate',
    ),
    certificateRefs: opt(
      list(SecretReference, {
        listType: 'atomic',
        maxItems: 64,
        doc: 'Certificates to terminate with; the longest matching server name wins. Ignored with Passthrough.',
      }),
    ),
    options: opt(Options),
  },
  {
    doc: 'How TLS connections are taken. Needed for HTTPS and TLS, refused for HTTP, TCP and UDP.',
    rules: [
      rule<{
        readonly mode: string;
        readonly certificateRefs?: readonly unknown[];
        readonly options?: Readonly<Record<string, string>>;
      }>(
        'certificateRefs or options must be specified when mode is Terminate',
        ({ mode, certificateRefs = [], options = {} }) =>
          mode !== 'Terminate' || certificateRefs.length > 0 || Object.keys(options).length > 0,
      ),
    ],
  },
);

const Protocol = string({
  minLength: 1,
  maxLength: 255,
  pattern: `^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|${DNS_SUBDOMAIN}\\/[A-Za-z0-9]+$`,
  doc: 'What is spoken here: HTTP, HTTPS, TLS, TCP or UDP; or a name of an implementation, as example.com/proto.',
});

const Listener = object(
  {
    name: described(
      SectionName,
      'Name of the listener, unique in this list. Routes ask for it with sectionName.',
    ),
    port: described(PortNumber, 'Port clients connect to. Listeners may share one.'),
    protocol: Protocol,
    hostname: opt(
      described(
        Hostname,
        'Only this host: matched with the Host header and the TLS server name. Without it, every host. Not for TCP and UDP.',
      ),
    ),
    tls: opt(ListenerTls),
    allowedRoutes: def(AllowedRoutes, sameNamespace),
  },
  { doc: 'A port on which traffic is taken.' },
);
type Listener = Infer<typeof Listener>;

const isAny = (listener: Listener, protocols: readonly string[]) =>
  protocols.includes(listener.protocol);

const listenerRules = [
  rule<readonly Listener[]>(
    "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']",
    (listeners) => listeners.every((l) => l.tls === undefined || !isAny(l, ['HTTP', 'TCP', 'UDP'])),
  ),
  rule<readonly Listener[]>('tls mode must be Terminate for protocol HTTPS', (listeners) =>
    listeners.every(
      (l) => l.protocol !== 'HTTPS' || l.tls === undefined || l.tls.mode === 'Terminate',
    ),
  ),
  // Mode has a default, so that only a listener without tls breaks this.
  rule<readonly Listener[]>('tls mode must be set for protocol TLS', (listeners) =>
    listeners.every((l) => l.protocol !== 'TLS' || l.tls !== undefined),
  ),
  rule<readonly Listener[]>(
    "hostname must not be specified for protocols ['TCP', 'UDP']",
    (listeners) => listeners.every((l) => (l.hostname ?? '') === '' || !isAny(l, ['TCP', 'UDP'])),
  ),
  rule<readonly Listener[]>('Listener name must be unique within the Gateway', (listeners) =>
    distinct(listeners, (l) => l.name),
  ),
  rule<readonly Listener[]>(
    'Combination of port, protocol and hostname must be unique for each listener',
    (listeners) => distinct(listeners, (l) => [l.port, l.protocol, l.hostname]),
  ),
];

export const Listeners = list(Listener, {
  listType: 'map',
  keys: ['name'],
  minItems: 1,
  maxItems: 64,
  doc: 'The ports on which traffic is taken. No two may have the same port, protocol and host name.',
  rules: listenerRules,
});

const ListenerStatus = object(
  {
    name: described(SectionName, 'Name of the listener.'),
    supportedKinds: opt(
      list(RouteGroupKind, {
        listType: 'atomic',
        maxItems: 8,
        doc: 'Kinds of routes that may attach: those asked for that the implementation knows.',
      }),
    ),
    attachedRoutes: integer({
      format: 'int32',
      doc: 'Number of accepted routes on this listener, whether the listener works or not.',
    }),
    conditions: conditions('Accepted, Programmed, ResolvedRefs and Conflicted of this listener.'),
  },
  { doc: 'State of one listener.' },
);

export const ListenerStatuses = list(ListenerStatus, {
  listType: 'map',
  keys: ['name'],
  maxItems: 64,
  doc: 'State of each listener.',
});
