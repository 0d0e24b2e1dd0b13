// TLS of the echo programs: reading key pairs, the settings a Go server has, and what a connection negotiated in the
// words Go uses for it.

import tls from 'node:tls';
import type { X509Certificate } from 'node:crypto';
import { EchoStartError, errorText } from './errors.ts';
import type { EchoPod } from './pod.ts';

export interface KeyPair {
  /** PEM: the leaf, then any intermediates. */
  readonly cert: Buffer;
  /** PEM. */
  readonly key: Buffer;
}

/** The `tls` object of echo-basic's answers; empty strings where Go has none. */
export interface TlsFacts {
  /** "TLSv1.3" or "TLSv1.2". */
  readonly version: string;
  /** What the client sent, leaf first, each as one PEM block of 64 columns with final newline. */
  readonly peerCertificates: readonly string[];
  /** SNI of the client. */
  readonly serverName: string;
  /** ALPN result. */
  readonly negotiatedProtocol: string;
  /** IANA name, which is also Go's: "TLS_AES_128_GCM_SHA256". */
  readonly cipherSuite: string;
}

/** Go's order of preference on a machine with AES instructions. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-RSA-AES256-SHA',
].join(':');

/** Server settings for a key pair: TLS 1.2 or newer, Go's cipher suites. Throws if the pair does not fit together. */
export function serverOptions(pair: KeyPair): tls.TlsOptions {
  const options = {
    cert: pair.cert,
    key: pair.key,
    ciphers: CIPHERS,
    minVersion: 'TLSv1.2',
  } as const;
  try {
    tls.createSecureContext(options);
  } catch (error) {
    throw new EchoStartError(
      'FW_ECHO_CERTIFICATE',
      `error parsing key pair: ${errorText(error)}`,
      error,
    );
  }
  return options;
}

/** Settings that ask for a client certificate and check one that is given, yet accept clients without. */
export function clientCertificateOptions(ca: Buffer, source: string): tls.TlsOptions {
  if (!/-----BEGIN CERTIFICATE-----/.test(ca.toString('latin1'))) {
    throw new EchoStartError(
      'FW_ECHO_CERTIFICATE',
      `unable to append certificate in "${source}" to CA pool`,
    );
  }
  // Node can only demand a certificate or ignore a bad one; hasBadCertificate is the third way. A resumed session
  // would come without the client's chain, so sessions are not resumed.
  return {
    ca,
    requestCert: true,
    rejectUnauthorized: false,
    sessionTimeout: 0,
    secureOptions: SSL_OP_NO_TICKET,
  };
}

/** OpenSSL's constant; node:crypto exports it, but only as one of hundreds of untyped numbers. */
const SSL_OP_NO_TICKET = 0x4000;

/** True if the client sent a certificate that no accepted authority signed, or an expired one. */
export function hasBadCertificate(socket: tls.TLSSocket): boolean {
  // Not getPeerX509Certificate: it works once per connection, and tlsFacts needs it.
  return !socket.authorized && Object.keys(socket.getPeerCertificate()).length > 0;
}

export async function readKeyPair(
  pod: EchoPod,
  certPath: string,
  keyPath: string,
): Promise<KeyPair> {
  return {
    cert: await readPem(pod, certPath, 'certificate'),
    key: await readPem(pod, keyPath, 'private key'),
  };
}

/** Reads a file of the container. Rejects with EchoStartError naming what was wanted and from where. */
export async function readPem(pod: EchoPod, path: string, what: string): Promise<Buffer> {
  try {
    return await pod.readFile(path);
  } catch (error) {
    throw new EchoStartError(
      'FW_ECHO_CERTIFICATE',
      `failed to read ${what} ${path}: ${errorText(error)}`,
      error,
    );
  }
}

/** What a connection negotiated. To be asked once per connection: Node's view of the peer's chain shrinks per call. */
export function tlsFacts(socket: tls.TLSSocket): TlsFacts {
  return {
    version: socket.getProtocol() ?? '',
    peerCertificates: peerCertificates(socket),
    // @types/node has a string; in fact it is false when the client sent no name.
    serverName: typeof socket.servername === 'string' ? socket.servername : '',
    negotiatedProtocol: socket.alpnProtocol || '',
    cipherSuite: socket.getCipher().standardName,
  };
}

/** Node 24.21 gives servers the leaf only (nodejs/node#65579); older and newer ones the whole chain the client sent. */
function peerCertificates(socket: tls.TLSSocket): string[] {
  const pems: string[] = [];
  let certificate: X509Certificate | undefined = socket.getPeerX509Certificate();
  while (certificate !== undefined) {
    pems.push(pem(certificate.raw));
    certificate = certificate.issuerCertificate;
  }
  return pems;
}

/** One PEM block as Go's encoding/pem writes it; tests compare it byte for byte with a Secret's tls.crt. */
export function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
