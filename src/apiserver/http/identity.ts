// Who a client is: by the certificate of its connection, or by its token. Whoever is let in may do
// everything, so this only answers the question `kubectl auth whoami`, under another name too, where a
// client asks for one (impersonation).

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';

export interface Identity {
  readonly username: string;
  readonly groups: readonly string[];
}

/** What everybody belongs to who has said who they are. */
const AUTHENTICATED = 'system:authenticated';

/** Who has the token of the kubeconfig. */
export const TOKEN_IDENTITY: Identity = {
  username: 'fairway',
  groups: ['system:masters', AUTHENTICATED],
};

/** The user a certificate of our authority names: CN, and O for groups. Undefined without one. */
export function certificateIdentity({ socket }: IncomingMessage): Identity | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const { subject } = socket.getPeerCertificate();
  const username = texts(subject?.CN)[0] ?? '';
  if (username === '') return undefined;
  return { username, groups: [...texts(subject?.O), AUTHENTICATED] };
}

/** The user a request is to be taken for. */
export function userOf(identity: Identity, headers: IncomingHttpHeaders): Identity {
  const username = headers['impersonate-user'];
  if (typeof username !== 'string' || username === '') return identity;
  const groups = headers['impersonate-group'];
  const asked = typeof groups === 'string' ? groups.split(',').map((name) => name.trim()) : [];
  return { username, groups: [...new Set([...asked, AUTHENTICATED])] };
}

/** A name that is there several times is a list of them. */
function texts(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}
