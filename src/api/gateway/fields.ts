// Names, hosts and ports as Gateway API spells them: the small schemas that every kind is built from.
// Patterns are upstream's to the letter, since error messages quote them.

import { integer, map, string } from '../schema/schema.ts';

export const GATEWAY_GROUP = 'gateway.networking.k8s.io';
export const EXPERIMENTAL_GROUP = 'gateway.networking.x-k8s.io';

const DNS_LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
export const DNS_SUBDOMAIN = `${DNS_LABEL}(\\.${DNS_LABEL})*`;

export const ObjectName = string({
  minLength: 1,
  maxLength: 253,
  doc: 'Name of the object.',
});

export const Namespace = string({
  minLength: 1,
  maxLength: 63,
  pattern: `^${DNS_LABEL}$`,
  doc: 'Namespace of the object. Without it, the namespace of the object that refers to it.',
});

export const Group = string({
  maxLength: 253,
  pattern: `^$|^${DNS_SUBDOMAIN}$`,
  doc: 'API group of the object, without version. Empty for the core group.',
});

export const KindName = string({
  minLength: 1,
  maxLength: 63,
  pattern: '^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$',
  doc: 'Kind of the object.',
});

/** The name of a listener, a rule or a Service port: one part of an object. */
export const SectionName = string({
  minLength: 1,
  maxLength: 253,
  pattern: `^${DNS_SUBDOMAIN}$`,
  doc: 'Name of one part of the object: a listener of a Gateway, a port of a Service.',
});

export const PortNumber = integer({
  format: 'int32',
  minimum: 1,
  maximum: 65535,
  doc: 'A TCP or UDP port.',
});

/** An exact name, or `*.` and a suffix. */
export const Hostname = string({
  minLength: 1,
  maxLength: 253,
  pattern: `^(\\*\\.)?${DNS_SUBDOMAIN}$`,
  doc: 'A host name in lower case. The first label may be *, which stands for one or more labels.',
});

export const PreciseHostname = string({
  minLength: 1,
  maxLength: 253,
  pattern: `^${DNS_SUBDOMAIN}$`,
  doc: 'A host name in lower case, without wildcard.',
});

export const ControllerName = string({
  minLength: 1,
  maxLength: 253,
  pattern: `^${DNS_SUBDOMAIN}\\/[A-Za-z0-9\\/\\-._~%!$&'()*+,;=:]+$`,
  doc: 'Which controller is meant, as domain/path: example.com/gateway-controller.',
});

export const HeaderName = string({
  minLength: 1,
  maxLength: 256,
  pattern: "^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$",
  doc: 'Name of a header; upper and lower case are the same.',
});

export const HeaderValue = string({
  minLength: 1,
  maxLength: 4096,
  pattern: '^[!-~]+([\\t ]?[!-~]+)*$',
  // Upstream's pattern takes V8 exponential time on a value with a space at its end.
  matcher: /^[!-~]+(?:[\t ][!-~]+)*$/,
  doc: 'Visible ASCII, with single spaces or tabs between words.',
});

/** Settings that only one implementation knows, by names of its own. */
export const Options = map(
  string({ minLength: 0, maxLength: 4096, doc: 'Value of the setting.' }),
  {
    maxProperties: 16,
    doc: 'Settings beyond the standard ones, under names such as example.com/min-version.',
  },
);
