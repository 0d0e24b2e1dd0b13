// What the protocols of the echo client share: where connections start, TLS material, and the form of printed lines.

import type { LookupFunction } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { EchoStartError } from '../errors.ts';
import type { ClientRequest } from './request.ts';

export interface ClientOptions {
  /** The pod's address, from which its connections start; the system chooses if absent. */
  readonly localAddress?: string;
  /** Resolves names as in the pod (cluster DNS); the system's resolver if absent. */
  readonly lookup?: LookupFunction;
  /** Content of a file as the container sees it, for --ca, --client-cert and --client-key. */
  readonly readFile?: (path: string) => Promise<Buffer>;
}

export interface SenderContext {
  readonly request: ClientRequest;
  readonly options: ClientOptions;
  /** Undefined for protocols and flags that use no TLS. */
  readonly tls: ConnectionOptions | undefined;
  /** Ends everything when the time for the whole set is over. */
  readonly signal: AbortSignal;
}

export interface Sender {
  /** Sends request number `index`; resolves with its printed block. `active` is the number of requests not done. */
  send(index: number, active: number): Promise<string>;
  /** Ends connections kept for further requests. */
  close(): void;
}

/** A line about the request itself. */
export function line(index: number, key: string, value: string): string {
  return `[${index}] ${key}=${value}\n`;
}

/** The lines of an answer's body; empty ones are left out. */
export function bodyLines(index: number, body: string): string {
  const lines = body.split('\n').filter((text) => text !== '');
  return lines.map((text) => `[${index} body] ${text}\n`).join('');
}

/** TLS settings of a request, or undefined if it uses none: https does, others do with a client certificate. */
export async function readClientTls(
  request: ClientRequest,
  options: ClientOptions,
): Promise<ConnectionOptions | undefined> {
  const { caPath, certPath, keyPath, serverName, alpn, isVerified } = request.tls;
  const hasCertificate = certPath !== '' && keyPath !== '';
  if (request.scheme !== 'https' && !hasCertificate) return undefined;
  const read = async (path: string): Promise<Buffer> => {
    if (options.readFile === undefined)
      throw new EchoStartError('FW_ECHO_CERTIFICATE', `cannot read ${path}`);
    return options.readFile(path);
  };
  // SNI is the Host header's name, for tests that route by it; Node sends none for an address.
  const name = serverName || (request.scheme === 'https' ? request.hostHeader : '') || request.host;
  return {
    servername: /^[\d.]+$|:/.test(name) ? '' : name,
    rejectUnauthorized: isVerified,
    ...(caPath !== '' && { ca: await read(caPath) }),
    ...(hasCertificate && { cert: await read(certPath), key: await read(keyPath) }),
    ...(alpn !== undefined && { ALPNProtocols: [...alpn] }),
  };
}
