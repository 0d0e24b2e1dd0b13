// What keeps a cluster from being read → what to say about it and what to do.

import { FairwayError } from '../../lib/errors.ts';

export interface KubeProblem {
  /** As `the API server refuses: 403 Forbidden: …`. */
  readonly message: string;
  readonly hint: string;
}

/** An answer of the API server other than the one asked for. */
export class KubeStatusError extends Error {
  override readonly name = 'KubeStatusError';
  readonly code: number;
  /** As `Expired`; empty when the answer names none. */
  readonly reason: string;
  /** What the server asks to wait; 0 for nothing. */
  readonly retryAfterMs: number;

  constructor(code: number, reason: string, message: string, retryAfterMs = 0) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }

  /** What we know is too old to go on from (410, or the same within a watch). */
  get isExpired(): boolean {
    return this.code === 410 || this.reason === 'Expired' || this.reason === 'Gone';
  }
}

/** Says what went wrong when reading `what` from `server`. */
export function problemOf(error: unknown, what: string, server: string): KubeProblem {
  if (error instanceof FairwayError) return { message: error.message, hint: error.hint ?? '' };
  if (error instanceof KubeStatusError) return statusProblem(error, what, server);
  const { code = '', message } = error as NodeJS.ErrnoException;
  return { message: `${server} cannot be reached: ${message}`, hint: hintFor(code) };
}

function statusProblem(
  { code, message }: KubeStatusError,
  what: string,
  server: string,
): KubeProblem {
  switch (code) {
    case 401:
      return {
        message: `${server} does not know who we are: ${message}`,
        hint: 'the token or certificate is wrong or has run out; it is read again with each attempt',
      };
    case 403:
      return {
        message: `${server} does not let us read ${what}: ${message}`,
        hint: `give this account get, list and watch on ${what}`,
      };
    case 404:
      return {
        message: `${server} has no ${what}: ${message}`,
        hint: 'is it the address of a Kubernetes API server?',
      };
    case 429:
      return { message: `${server} is busy: ${message}`, hint: 'it is asked again later' };
    default:
      return {
        message: `${server} answers ${code} for ${what}: ${message}`,
        hint: 'it is asked again; its own log says more',
      };
  }
}

const HINTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: is the API server running?',
  ENOTFOUND: 'the name in the kubeconfig is not known here',
  EAI_AGAIN: 'names cannot be looked up at the moment',
  ETIMEDOUT: 'packets do not come back: a firewall, or the wrong address?',
  EHOSTUNREACH: 'there is no way to it from here',
  ENETUNREACH: 'there is no way to it from here',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate-authority-data of the kubeconfig is missing or old',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate-authority-data of the kubeconfig is missing or old',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate-authority-data of the kubeconfig is missing or old',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'certificate-authority-data of the kubeconfig is missing or old',
  CERT_SIGNATURE_FAILURE: 'certificate-authority-data of the kubeconfig is of another cluster',
  CERT_HAS_EXPIRED: "the API server's certificate has run out",
  ERR_TLS_CERT_ALTNAME_INVALID:
    'the certificate is for other names: use one of them, or tls-server-name in the kubeconfig',
};

function hintFor(code: string): string {
  return HINTS[code] ?? 'it is tried again; what was read before stays in force';
}
