// TLSRoute: TLS connections go to backends by the server name the client asks for, decrypted or not as
// the listener says.

import { defineKind } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { isIPv4, isIPv6 } from '../schema/formats.ts';
import { list, object, opt } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { RouteStatus } from './conditions.ts';
import { DNS_SUBDOMAIN, GATEWAY_GROUP, Hostname } from './fields.ts';
import { attachmentFields, ForwardingRules } from './routes.ts';
import { rule } from './rules.ts';

const doc = 'Sends TLS connections to backends, chosen by the server name (SNI) of the client.';

const rfc1123 = new RegExp(`^(${DNS_SUBDOMAIN})$`);

const serverNames = (message: string, check: (name: string) => boolean) =>
  rule<readonly string[]>(message, (self) => self.every(check));

const ServerNames = list(Hostname, {
  listType: 'atomic',
  minItems: 1,
  maxItems: 1024,
  doc: 'Server names this route is for. Only those count that the listener takes as well.',
  rules: [
    serverNames('Hostnames cannot contain an IP', (name) => !isIPv4(name) && !isIPv6(name)),
    serverNames(
      'Hostnames must be valid based on RFC-1123',
      (name) => name.includes('*') || rfc1123.test(name),
    ),
    serverNames(
      'Wildcards on hostnames must be the first label, and the rest of hostname must be valid based on RFC-1123',
      (name) => !name.includes('*') || (name.startsWith('*.') && rfc1123.test(name.slice(2))),
    ),
  ],
});

const schema = object(
  {
    ...typeMeta,
    metadata: ObjectMeta,
    spec: object(
      { ...attachmentFields, hostnames: ServerNames, rules: ForwardingRules },
      { doc: 'What the route should do.' },
    ),
    status: opt(RouteStatus),
  },
  { doc },
);
export type TLSRoute = Infer<typeof schema>;

// Upstream's v1alpha2 also takes a route without hostnames, IP addresses among them, and up to 16
// rules with different names. Here every version must be what v1 wants.
export const TLSRoute = defineKind<TLSRoute>({
  group: GATEWAY_GROUP,
  version: 'v1',
  versions: ['v1', 'v1alpha2', 'v1alpha3'],
  kind: 'TLSRoute',
  plural: 'tlsroutes',
  categories: ['gateway-api'],
  namespaced: true,
  doc,
  schema,
  hasStatus: true,
  hasGeneration: true,
});
