// How a backend is spoken to in TLS: what is asked for, which certificates are good, and the one we show
// if it asks for ours.
//
// Not hot: once for each TLS connection to a backend.

import { checkServerIdentity, getCACertificates } from 'node:tls';
import type { ConnectionOptions, PeerCertificate } from 'node:tls';
import type { BackendProtocol, BackendTls, CertificateName } from '../../../model/model.ts';
import type { Certificate } from './certificates.ts';

/** Options of node:tls for connections to a backend. */
export function clientOptions(
  { serverName, authorities, names, isUnverified }: BackendTls,
  protocol: BackendProtocol,
  identity: Certificate | null,
): ConnectionOptions {
  return {
    servername: serverName,
    ca: authorities === 'system' ? systemAuthorities() : [...authorities],
    minVersion: 'TLSv1.2',
    // Of what whole connections carry, nothing is known.
    ...(protocol === 'tcp' ? {} : { ALPNProtocols: [protocol === 'h2c' ? 'h2' : 'http/1.1'] }),
    checkServerIdentity: (_host, certificate) => checkNames(names, certificate),
    ...(isUnverified === true ? { rejectUnauthorized: false } : {}),
    ...(identity === null ? {} : identity.identity),
  };
}

/** Those of the machine; where it has none that we can find, those that Node.js came with. */
function systemAuthorities(): string[] {
  const own = getCACertificates('system');
  return own.length > 0 ? own : getCACertificates('bundled');
}

/** Undefined when the certificate is for one of the names. */
export function checkNames(
  names: readonly CertificateName[],
  certificate: PeerCertificate,
): Error | undefined {
  if (names.some((name) => isFor(certificate, name))) return undefined;
  const wanted = names.map(({ value }) => value).join(', ');
  return new Error(`the certificate of the backend is for none of ${wanted}`);
}

function isFor(certificate: PeerCertificate, { kind, value }: CertificateName): boolean {
  switch (kind) {
    case 'uri':
      return alternativeNames(certificate, 'URI').includes(value);
    case 'dns':
      // A wildcard that is asked for must be in the certificate as it is.
      return value.startsWith('*.')
        ? alternativeNames(certificate, 'DNS').some((name) => name.toLowerCase() === value)
        : checkServerIdentity(value, certificate) === undefined;
  }
}

/** `DNS:a.example, URI:spiffe://b, URI:"with, comma"`: names with a comma or a quote are JSON strings. */
const ALTERNATIVE_NAME = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g;

function alternativeNames({ subjectaltname }: PeerCertificate, type: string): readonly string[] {
  const found = (subjectaltname ?? '').matchAll(ALTERNATIVE_NAME);
  return [...found]
    .filter(([, of]) => of === type)
    .map(([, , text = '']) => (text.startsWith('"') ? unquote(text) : text));
}

function unquote(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    return '';
  }
}
