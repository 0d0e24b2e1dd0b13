// Where TLS of clients ends: a node:tls server that shows each server name its certificate. It listens
// itself, or is given connections whose first bytes somebody has looked at.

import { createServer } from 'node:tls';
import type { Server, TLSSocket } from 'node:tls';
import type { Certificate, CertificateIndex } from './certificates.ts';

export interface TlsEndOptions {
  readonly handshakeTimeoutMs: number;
  readonly onSecure: (socket: TLSSocket) => void;
}

export class TlsEnd {
  readonly server: Server;
  #certificates: CertificateIndex | null = null;
  #default: Certificate | undefined;

  constructor({ handshakeTimeoutMs, onSecure }: TlsEndOptions) {
    this.server = createServer({
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout: handshakeTimeoutMs,
      allowHalfOpen: true,
      noDelay: true,
      SNICallback: (serverName, done) => {
        try {
          // For a name of no listener, the default context has no certificate: the handshake fails.
          done(null, this.#certificates?.find(serverName)?.context);
        } catch (error) {
          done(error as Error);
        }
      },
    });
    this.server.on('secureConnection', onSecure);
    // The client is told by the handshake itself.
    this.server.on('tlsClientError', () => undefined);
  }

  /** New handshakes use these. */
  update(certificates: CertificateIndex): void {
    this.#certificates = certificates;
    // What a client without a server name is shown; without any, its handshake fails.
    const certificate = certificates.find('');
    if (certificate === this.#default) return;
    this.#default = certificate;
    this.server.setSecureContext(certificate?.options ?? {});
  }
}
