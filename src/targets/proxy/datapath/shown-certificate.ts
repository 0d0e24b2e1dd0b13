// A handshake that is done → the certificate its client has shown, as rules speak of it.
//
// Not hot: once for each connection to a host that asks for one.

import type { TLSSocket } from 'node:tls';
import type { ShownCertificate } from '../../../model/guard.ts';

/** Null for a client that has shown none, whatever TLS says of its session. */
export function shownCertificate(socket: TLSSocket, by: string): ShownCertificate | null {
  // A session that is resumed counts as authorized though there may never have been a certificate.
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return null;
  const { authorized, authorizationError: error } = socket as TLSSocket & {
    readonly authorizationError?: unknown;
  };
  return {
    by,
    subject: toRfc2253(certificate.subject),
    issuer: toRfc2253(certificate.issuer),
    fault: authorized ? null : faultOf(error),
    pem: certificate.toString(),
  };
}

/** Node.js gives the code in most versions, and an error in others. */
function faultOf(error: unknown): string {
  if (typeof error === 'string') return error;
  return error instanceof Error ? String((error as NodeJS.ErrnoException).code) : 'UNSPECIFIED';
}

/** Lines as Node.js gives them, the least specific first → `CN=somebody,O=example`. */
export function toRfc2253(lines: string): string {
  const name = lines.split('\n').toReversed().join(',');
  return name.replaceAll(/[^\u0020-\u007e]/gu, (character) =>
    [...Buffer.from(character, 'utf8')]
      .map((byte) => `\\${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  );
}
