// How the certificate of a backend is checked. BackendTLSPolicy says it of Services, XBackend of
// hosts outside the cluster.

import { described, list, object, oneOf, opt, string } from '../schema/schema.ts';
import { DNS_SUBDOMAIN, Hostname, PreciseHostname } from './fields.ts';
import { LocalObjectReference } from './references.ts';
import { rule } from './rules.ts';

interface Name {
  readonly type: string;
  readonly hostname?: string;
  readonly uri?: string;
}

const isSet = (text: string | undefined) => text !== undefined && text !== '';

const SubjectAltName = object(
  {
    type: oneOf(['Hostname', 'URI'], { doc: 'Which of the two fields below is set.' }),
    hostname: opt(described(Hostname, 'A DNS name, perhaps with a wildcard.')),
    uri: opt(
      string({
        minLength: 1,
        maxLength: 253,
        pattern: '^(([^:/?#]+):)(//([^/?#]*))([^?#]*)(\\?([^#]*))?(#(.*))?',
        doc: 'A URI, such as a SPIFFE identity: spiffe://cluster.example/ns/shop/sa/cart.',
      }),
    ),
  },
  {
    doc: 'One name a certificate may carry.',
    rules: [
      rule<Name>(
        'SubjectAltName element must contain Hostname, if Type is set to Hostname',
        ({ type, hostname }) => type !== 'Hostname' || isSet(hostname),
      ),
      rule<Name>(
        'SubjectAltName element must not contain Hostname, if Type is not set to Hostname',
        ({ type, hostname }) => type === 'Hostname' || !isSet(hostname),
      ),
      rule<Name>(
        'SubjectAltName element must contain URI, if Type is set to URI',
        ({ type, uri }) => type !== 'URI' || isSet(uri),
      ),
      rule<Name>(
        'SubjectAltName element must not contain URI, if Type is not set to URI',
        ({ type, uri }) => type === 'URI' || !isSet(uri),
      ),
    ],
  },
);

interface Trust {
  readonly caCertificateRefs?: readonly unknown[];
  readonly wellKnownCACertificates?: string;
}

const namesAuthorities = ({ caCertificateRefs = [] }: Trust) => caCertificateRefs.length > 0;
const trustsWellKnown = ({ wellKnownCACertificates }: Trust) => isSet(wellKnownCACertificates);

export const BackendTlsValidation = object(
  {
    hostname: described(
      PreciseHostname,
      'Server name asked for (SNI), which the certificate must carry unless subjectAltNames says otherwise.',
    ),
    caCertificateRefs: opt(
      list(LocalObjectReference, {
        listType: 'atomic',
        maxItems: 8,
        doc: 'ConfigMaps (or Secrets) whose ca.crt the certificate must descend from. Either this or wellKnownCACertificates.',
      }),
    ),
    wellKnownCACertificates: opt(
      string({
        minLength: 1,
        maxLength: 253,
        pattern: `^(System|(${DNS_SUBDOMAIN}/([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]))$`,
        doc: "System trusts the authorities of the gateway's own system; other sets have names of an implementation.",
      }),
    ),
    subjectAltNames: opt(
      list(SubjectAltName, {
        listType: 'atomic',
        maxItems: 5,
        doc: 'Names of which the certificate must carry at least one. Then hostname is only asked for, and checked only if it is listed too.',
      }),
    ),
  },
  {
    doc: 'What the certificate of the backend must be like.',
    rules: [
      rule<Trust>(
        'must not contain both CACertificateRefs and WellKnownCACertificates',
        (self) => !(namesAuthorities(self) && trustsWellKnown(self)),
      ),
      rule<Trust>(
        'must specify either CACertificateRefs or WellKnownCACertificates',
        (self) => namesAuthorities(self) || trustsWellKnown(self),
      ),
    ],
  },
);
