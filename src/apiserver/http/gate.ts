// Who may come in: whoever has a certificate of ours or the token. A browser that was led here by a page of somebody else has
// not, and is turned away for its Origin before that, as is a name that was made to point here.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { failure } from '../failure.ts';
import { certificateIdentity, TOKEN_IDENTITY } from './identity.ts';
import type { Identity } from './identity.ts';

export interface Credentials {
  /** What clients send as `Authorization: Bearer …`. */
  readonly token: string;
}

const LOCAL_NAMES = new Set([
  'localhost',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
]);

/** Who comes in. Throws a Failure for who may not. `address` is where the API listens. */
export function checkEntry(
  request: IncomingMessage,
  { token }: Credentials,
  address: string,
): Identity {
  const { origin, host, authorization } = request.headers;
  if (origin !== undefined) {
    throw failure.refused('requests from web pages are not served: the header Origin is set');
  }
  const name = (host ?? '').replace(/:\d+$/, '').toLowerCase();
  if (name !== address && !LOCAL_NAMES.has(name)) {
    throw failure.refused(`the host ${JSON.stringify(name)} is not served here`);
  }
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  const identity =
    certificateIdentity(request) ??
    (given === undefined ? undefined : tokenIdentity(given, { token }));
  if (identity === undefined) throw failure.unauthorized();
  return identity;
}

/** Whom a token lets in; undefined for one that is not ours. */
export function tokenIdentity(given: string, { token }: Credentials): Identity | undefined {
  return sameText(given, token) ? TOKEN_IDENTITY : undefined;
}

/** Takes as long for a wrong text as for the right one. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
