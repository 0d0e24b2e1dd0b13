// What a rule's guard makes of a request, for the reference answer: who may pass, and what the others are
// told. Limits by time are noted only, as nobody knows what came before.

import { isIn } from '../lib/cidr.ts';
import { basicCredentials, checkPassword } from '../lib/htpasswd.ts';
import type { OwnAnswer } from './answer.ts';
import { patternIsIn } from '../lib/regex.ts';
import { isWanted } from './guard.ts';
import type { Guard, ShownCertificate } from './guard.ts';

/** What of a request a guard asks about. */
export interface GuardedRequest {
  readonly client: string;
  /** Found so by whoever the guard trusts. */
  readonly certificate: ShownCertificate | null;
  readonly header: (name: string) => string | undefined;
}

/** The answer to who may not pass; undefined for who may. */
export function traceGuard(
  guard: Guard,
  request: GuardedRequest,
): Omit<OwnAnswer, 'kind'> | undefined {
  const { bodyBytesMax = 0 } = guard;
  const byCertificate = traceCertificate(guard, request.certificate);
  if (byCertificate !== undefined) return byCertificate;
  const length = Number(request.header('content-length') ?? 0);
  if (bodyBytesMax > 0 && length > bodyBytesMax) {
    return { statusCode: 413, reason: `the body has more than ${bodyBytesMax} bytes` };
  }
  const byAddress = traceClients(guard, request);
  const byName = traceBasic(guard, request);
  const bothAsked = guard.clients !== undefined && guard.basic !== undefined;
  if (guard.satisfy === 'any' && bothAsked && (byAddress ?? byName) !== undefined) {
    return byAddress === undefined || byName === undefined ? undefined : byName;
  }
  return byAddress ?? byName;
}

function traceCertificate(
  { clientCertificate: asked }: Guard,
  shown: ShownCertificate | null,
): Omit<OwnAnswer, 'kind'> | undefined {
  if (asked === undefined) return undefined;
  const { statusCode, redirect, subject, by } = asked;
  const own = shown === null ? null : { ...shown, by };
  if (!isWanted(asked, own)) {
    const reason = 'the client shows no certificate that is valid here';
    return redirect === undefined
      ? { statusCode, reason }
      : { statusCode: 302, reason, headers: [['location', redirect]] };
  }
  if (subject === undefined || patternIsIn(subject, shown?.subject ?? '')) return undefined;
  return { statusCode: 403, reason: 'the subject of the certificate is another one' };
}

function traceClients({ clients }: Guard, { client }: GuardedRequest) {
  if (clients === undefined) return undefined;
  const { deny, allow } = clients;
  const reason = 'the address of the client is not let in';
  if (deny.length > 0 && isIn(client, deny)) return { statusCode: 403, reason };
  return allow === undefined || isIn(client, allow) ? undefined : { statusCode: 403, reason };
}

function traceBasic({ basic }: Guard, { header }: GuardedRequest) {
  if (basic === undefined) return undefined;
  const given = basicCredentials(header('authorization'));
  const user = basic.users.find(([name]) => name === given?.name);
  if (given !== null && user !== undefined && checkPassword(given.password, user[1])) {
    return undefined;
  }
  const headers = [['www-authenticate', `Basic realm="${basic.realm}"`]] as const;
  return { statusCode: 401, reason: 'a name and a password are asked for', headers };
}
