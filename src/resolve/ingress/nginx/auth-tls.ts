// auth-tls annotations → what clients of a host are asked for in the handshake, and what their
// certificate must be like. They hold for the whole host, and the first Ingress that has them says them.

import { createHash } from 'node:crypto';
import { Secret } from '../../../api/core/secret.ts';
import type { Ingress } from '../../../api/networking/ingress.ts';
import { compilePattern } from '../../../lib/regex.ts';
import type { ClientCertificateGuard } from '../../../model/guard.ts';
import type { ClientQuestion } from '../../../model/model.ts';
import type { TextTemplate } from '../../../model/template.ts';
import type { Snapshot } from '../../../store/snapshot.ts';
import { readAuthority } from '../../gateway/authorities.ts';
import { Reader } from '../../reader.ts';
import { problem } from '../../status/conditions.ts';
import type { IngressProblem } from './servers.ts';
import type { AuthTlsSettings } from './settings.ts';

/** What an Ingress says of client certificates. */
export interface WrittenAuthTls {
  readonly ingress: Ingress;
  readonly settings: AuthTlsSettings;
}

export interface ResolvedAuthTls {
  /** Absent where nobody is asked for a certificate. */
  readonly question?: ClientQuestion;
  /** By scheme: in plain text there are no certificates, though there may be a subject that is wanted. */
  readonly guard: Readonly<Partial<Record<'http' | 'https', ClientCertificateGuard>>>;
  /** What backends are told. */
  readonly headers: readonly { readonly name: string; readonly value: TextTemplate }[];
  /** Why nobody is let in, with 403. */
  readonly closed?: string;
  readonly problems: readonly IngressProblem[];
}

/** Lists of certificates, each a sequence of DER. */
const REVOKED = /^\s*(?:-----BEGIN X509 CRL-----\s+M[A-Za-z0-9+/=\s]+-----END X509 CRL-----\s*)+$/;

const FIELD = (name: string): string => `metadata.annotations[nginx.ingress.kubernetes.io/${name}]`;

/** Of a host whose Ingresses speak of certificates; `written` has them in order of precedence. */
export function resolveAuthTls(
  written: readonly WrittenAuthTls[],
  snapshot: Snapshot,
): ResolvedAuthTls | undefined {
  const [first, ...others] = written;
  if (first === undefined) return undefined;
  const { ingress, settings } = first;
  const problems: IngressProblem[] = [];
  const close = (name: string, closed: string, hint: string): ResolvedAuthTls => {
    const message = `nobody is let in to the host: ${closed}`;
    problems.push({ ingress, problem: problem('BadClientAuthority', FIELD(name), message, hint) });
    return { guard: {}, headers: [], closed, problems };
  };
  for (const other of others) {
    if (other.settings.secret === settings.secret) continue;
    const { namespace = '', name = '' } = ingress.metadata;
    const message = `what clients must show is said by Ingress ${namespace}/${name}, which comes first`;
    const field = FIELD('auth-tls-secret');
    problems.push({
      ingress: other.ingress,
      problem: {
        ...problem('Overruled', field, message, 'say the same in both, or take one out'),
        severity: 'warning',
      },
    });
  }
  const [namespace = '', name = ''] = settings.secret.split('/');
  const ref = { group: '', kind: Secret.kind, namespace, name };
  const authority = readAuthority(ref, new Reader(snapshot));
  if ('trouble' in authority) {
    return close(
      'auth-tls-secret',
      authority.trouble,
      'give it a ca.crt with the certificates of the authorities',
    );
  }
  const { matchCn, verifyClient, errorPage } = settings;
  if (matchCn !== '') {
    const compiled = compilePattern(matchCn);
    if ('trouble' in compiled) {
      return close(
        'auth-tls-match-cn',
        `the expression is refused: ${compiled.trouble}`,
        'use RE2',
      );
    }
  }
  const list = snapshot.get(Secret, namespace, name)?.data?.['ca.crl'];
  const text = list === undefined ? '' : Buffer.from(list, 'base64').toString('latin1');
  if (list !== undefined && !REVOKED.test(text)) {
    const trouble = `ca.crl of Secret ${settings.secret} holds no list in PEM`;
    return close('auth-tls-secret', trouble, 'correct it, or take it out');
  }
  const revoked = list === undefined ? {} : { revoked: [text] };
  const said = JSON.stringify([authority.pem, revoked]);
  const hash = createHash('sha256').update(said).digest('hex').slice(0, 12);
  const id = `Secret ${settings.secret} ${hash}`;
  const subject = matchCn === '' ? {} : { subject: matchCn };
  const isUrl = /^https?:\/\//.test(errorPage);
  const common = { by: id, statusCode: 400, ...subject } as const;
  const wants = WANTS[verifyClient];
  return {
    ...(wants === 'nothing'
      ? {}
      : { question: { id, isRequired: false, authorities: [authority.pem], ...revoked } }),
    guard: {
      https: { ...common, wants, ...(isUrl ? { redirect: errorPage } : {}) },
      ...(matchCn === '' ? {} : { http: { ...common, wants: 'nothing' } }),
    },
    headers: [
      {
        name: 'ssl-client-cert',
        value: settings.passesCertificate ? [{ of: 'clientCertificate' }] : [],
      },
      { name: 'ssl-client-verify', value: [{ of: 'clientVerified' }] },
      { name: 'ssl-client-subject-dn', value: [{ of: 'clientSubject' }] },
      { name: 'ssl-client-issuer-dn', value: [{ of: 'clientIssuer' }] },
    ],
    problems,
  };
}

const WANTS: Readonly<Record<AuthTlsSettings['verifyClient'], ClientCertificateGuard['wants']>> = {
  on: 'valid',
  off: 'nothing',
  optional: 'optional',
  optional_no_ca: 'anyAuthority',
};
