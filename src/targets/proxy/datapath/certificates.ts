// Which certificate a TLS handshake is shown: of the listener the server name belongs to, the one made
// for that name. Contexts are made when first asked for, as thousands of names may never be.
//
// Not hot: once for each handshake, which costs a hundred times as much; a context is made once for
// each certificate in use.

import { constants } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import { hostMatches, normalizeHost } from '../../../lib/hostname.ts';
import type { ClientValidation } from '../../../model/model.ts';
import type { CertificateProgram, SocketProgram } from '../program.ts';
import { HostIndex } from './hosts.ts';

/**
 * Versions and ciphers of every handshake with clients: TLS 1.3, and of TLS 1.2 what has forward secrecy
 * and authenticates what it encrypts (RFC 9325 4.2). The server's order counts; renegotiation is off.
 */
export const TLS_POLICY = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
  honorCipherOrder: true,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
} as const;

/** A certificate and, once used, its context. Replaced when the certificate is. */
export class Certificate {
  readonly names: readonly string[];
  readonly #program: CertificateProgram;
  readonly #ticketKeys: Buffer;
  #context: SecureContext | undefined;
  /** The same, for ports that ask clients for a certificate. */
  readonly #validating = new WeakMap<ClientValidation, SecureContext>();

  constructor(program: CertificateProgram, ticketKeys: Buffer) {
    this.names = program.names;
    this.#program = program;
    this.#ticketKeys = ticketKeys;
  }

  get options(): SecureContextOptions & { ticketKeys: Buffer } {
    return {
      cert: this.#program.chain,
      key: this.#program.privateKey,
      ...TLS_POLICY,
      // Shared by all workers, so that a client may resume with any of them.
      ticketKeys: this.#ticketKeys,
    };
  }

  /** As a client shows it. */
  get identity(): { readonly cert: string; readonly key: string } {
    return { cert: this.#program.chain, key: this.#program.privateKey };
  }

  contextFor(validation: ClientValidation | null): SecureContext {
    if (validation === null) {
      this.#context ??= createSecureContext(this.options);
      return this.#context;
    }
    let context = this.#validating.get(validation);
    if (context === undefined) {
      context = createSecureContext(this.optionsFor(validation));
      this.#validating.set(validation, context);
    }
    return context;
  }

  optionsFor(validation: ClientValidation | null): SecureContextOptions {
    return validation === null
      ? this.options
      : {
          ...this.options,
          ca: [...validation.authorities],
          ...(validation.revoked === undefined ? {} : { crl: [...validation.revoked] }),
        };
  }
}

/** Certificates of a port, by server name. */
export class CertificateIndex {
  readonly #byHost = new HostIndex<readonly Certificate[]>();

  constructor(socket: SocketProgram, find: (key: string) => Certificate | undefined) {
    for (const { hostname, certificates, named } of socket.listeners) {
      for (const { hostname: name, certificate } of named) {
        const own = find(certificate);
        if (own !== undefined) this.#byHost.set(name, [own]);
      }
      const found = certificates.map(find).filter((c) => c !== undefined);
      if (found.length > 0) this.#byHost.set(hostname, found);
    }
  }

  /** Undefined when no listener is for that name; an empty name asks for the listener of all hosts. */
  find(serverName: string): Certificate | undefined {
    const host = normalizeHost(serverName);
    const certificates = this.#byHost.find(host);
    if (certificates === undefined) return undefined;
    const named = certificates.find((c) => c.names.some((name) => hostMatches(name, host)));
    return named ?? certificates[0];
  }
}
