// Where TLS of clients ends: a node:tls server that shows each server name its certificate. It listens
// itself, or is given connections whose first bytes somebody has looked at.
//
// Not hot: once for each handshake.

import { createHash } from 'node:crypto';
import { createServer } from 'node:tls';
import type { SecureVersion, Server, TLSSocket } from 'node:tls';
import type { ClientValidation } from '../../../model/model.ts';
import type { Door } from './admission.ts';
import { TLS_POLICY } from './certificates.ts';
import type { Certificate, CertificateIndex } from './certificates.ts';

export interface TlsEndOptions {
  /** Of the port: sessions are not resumed on another. */
  readonly name: string;
  /** What is asked of clients; null for nothing. */
  readonly validation: ClientValidation | null;
  readonly handshakeTimeoutMs: number;
  /** Who may connect, where the server listens itself; null where somebody else has asked. */
  readonly door?: Door;
  /** Absent: what certificates say. */
  readonly minVersion?: SecureVersion;
  readonly onSecure: (socket: TLSSocket) => void;
}

export class TlsEnd {
  readonly server: Server;
  #certificates: CertificateIndex | null = null;
  #default: Certificate | undefined;

  readonly #validation: ClientValidation | null;
  /** Versions are agreed on before the certificate is chosen: they are the server's own. */
  readonly #version: { readonly minVersion?: SecureVersion };

  constructor({ name, validation, handshakeTimeoutMs, door, minVersion, onSecure }: TlsEndOptions) {
    this.#validation = validation;
    this.#version = minVersion === undefined ? {} : { minVersion };
    this.server = createServer({
      ...TLS_POLICY,
      ...this.#version,
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout: handshakeTimeoutMs,
      allowHalfOpen: true,
      requestCert: validation !== null,
      rejectUnauthorized: validation?.isRequired === true,
      // Who was let in elsewhere, by other rules, must not come in by a ticket from there.
      sessionIdContext: sessionContext(name, validation),
      noDelay: true,
      SNICallback: (serverName, done) => {
        try {
          // For a name of no listener, the default context has no certificate: the handshake fails.
          done(null, this.#certificates?.find(serverName)?.contextFor(this.#validation));
        } catch (error) {
          done(error as Error);
        }
      },
    });
    this.server.on('secureConnection', onSecure);
    if (door !== undefined) guard(this.server, door);
    // A client whose handshake fails is told by the handshake itself; one that stalls is only reported here.
    this.server.on('tlsClientError', (_error, socket) => socket.destroy());
  }

  /** New handshakes use these. */
  update(certificates: CertificateIndex): void {
    this.#certificates = certificates;
    // What a client without a server name is shown; without any, its handshake fails.
    const certificate = certificates.find('');
    if (certificate === this.#default) return;
    this.#default = certificate;
    this.server.setSecureContext({
      ...certificate?.optionsFor(this.#validation),
      ...this.#version,
    });
  }
}

/** Before node:tls sees a connection, and so before its handshake costs anything. */
function guard(server: Server, door: Door): void {
  server.prependListener('connection', (socket) => {
    const onGone = door.admit(socket);
    if (onGone !== null) socket.on('close', onGone);
  });
}

/** OpenSSL takes at most 32 bytes. */
const SESSION_CONTEXT_CHARS = 32;

function sessionContext(name: string, validation: ClientValidation | null): string {
  const text = JSON.stringify([name, validation]);
  return createHash('sha256').update(text).digest('hex').slice(0, SESSION_CONTEXT_CHARS);
}
