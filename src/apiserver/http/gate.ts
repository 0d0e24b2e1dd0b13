// Who may come in: whoever has the token. A browser that was led here by a page of somebody else has
// not, and is turned away for its Origin before that, as is a name that was made to point here.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { failure } from '../failure.ts';

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

/** Throws a Failure for a request that may not come in. `address` is where the API listens. */
export function checkEntry(
  request: IncomingMessage,
  { token }: Credentials,
  address: string,
): void {
  const { origin, host, authorization } = request.headers;
  if (origin !== undefined) {
    throw failure.refused('requests from web pages are not served: the header Origin is set');
  }
  const name = (host ?? '').replace(/:\d+$/, '').toLowerCase();
  if (name !== address && !LOCAL_NAMES.has(name)) {
    throw failure.refused(`the host ${JSON.stringify(name)} is not served here`);
  }
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (given === undefined || !sameText(given, token)) throw failure.unauthorized();
}

/** Takes as long for a wrong text as for the right one. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
