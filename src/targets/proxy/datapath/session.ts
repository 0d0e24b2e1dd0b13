// Session persistence: a client is given a token that names the endpoint its first request went to, and
// later requests that bring it back go there again, as long as it takes requests and the time has not
// passed. Nothing is remembered here; the token is a hash of the endpoint, so that it holds in every
// worker and after a restart, and tells nobody an address.
//
// Budget: 1 µs for a request of a rule with sessions, nothing for others. Hashes once for an endpoint.

import type { Session, SessionCookie } from '../../../model/policy.ts';
import type { Endpoint } from './endpoint.ts';
import { fieldValue } from './fields.ts';
import type { Fields } from './stream.ts';

/** What a session comes to for one request. */
export class Stay {
  /** Where the token leads; null without a token that is good. */
  readonly endpoint: Endpoint | null;
  readonly #session: Session;
  readonly #secure: boolean;

  constructor(session: Session, secure: boolean, endpoint: Endpoint | null) {
    this.#session = session;
    this.#secure = secure;
    this.endpoint = endpoint;
  }

  /** Adds the token to a response from another endpoint than the one the client came with. */
  tell(endpoint: Endpoint, fields: Fields): void {
    if (endpoint === this.endpoint) return;
    const { carrier, name, absoluteMs, permanent, path } = this.#session;
    const issued = absoluteMs > 0 ? `.${nowSeconds().toString(36)}` : '';
    const token = `${endpoint.token}${issued}`;
    if (carrier === 'header') {
      fields.push(name, token);
      return;
    }
    if (this.#session.cookie !== undefined) {
      fields.push('set-cookie', `${name}=${token}${this.#attributes(this.#session.cookie)}`);
      return;
    }
    const age = permanent ? `; Max-Age=${Math.ceil(absoluteMs / 1000)}` : '';
    const secure = this.#secure ? '; Secure' : '';
    const cookie = `${name}=${token}; Path=${path}${age}; HttpOnly; SameSite=Lax${secure}`;
    fields.push('set-cookie', cookie);
  }

  #attributes(cookie: SessionCookie): string {
    const { domain, sameSite, isSecure, expiresSeconds, maxAgeSeconds } = cookie;
    const expires = new Date(Date.now() + (expiresSeconds ?? 0) * 1000).toUTCString();
    return [
      ...(expiresSeconds === undefined ? [] : [`Expires=${expires}`]),
      ...(maxAgeSeconds === undefined ? [] : [`Max-Age=${maxAgeSeconds}`]),
      ...(domain === undefined ? [] : [`Domain=${domain}`]),
      `Path=${this.#session.path}`,
      ...((isSecure ?? this.#secure) ? ['Secure'] : []),
      'HttpOnly',
      ...(sameSite === undefined ? [] : [`SameSite=${sameSite}`]),
    ]
      .map((attribute) => `; ${attribute}`)
      .join('');
  }
}

/** The token of an endpoint that a request brings; undefined without one, or when its time is over. */
export function tokenOf(session: Session, fields: Fields): string | undefined {
  const { carrier, name, absoluteMs } = session;
  const value = carrier === 'header' ? fieldValue(fields, name) : cookieOf(fields, name);
  if (value === undefined) return undefined;
  const dot = value.indexOf('.');
  if (absoluteMs === 0) return dot === -1 ? value : value.slice(0, dot);
  const issued = dot === -1 ? Number.NaN : Number.parseInt(value.slice(dot + 1), 36);
  const age = nowSeconds() - issued;
  return age >= -1 && age * 1000 < absoluteMs ? value.slice(0, dot) : undefined;
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** The value of a cookie; the first of several counts. */
export function cookieOf(fields: Fields, name: string): string | undefined {
  const cookies = joinedCookies(fields);
  for (let from = 0; from < cookies.length;) {
    const end = cookies.indexOf(';', from);
    const to = end === -1 ? cookies.length : end;
    while (from < to && cookies.charCodeAt(from) === 0x20) from++;
    if (cookies.startsWith(name, from) && cookies.charCodeAt(from + name.length) === 0x3d) {
      return cookies.slice(from + name.length + 1, to).trimEnd();
    }
    from = to + 1;
  }
  return undefined;
}

/** HTTP/2 may send each cookie in a field of its own (RFC 9113 8.2.3). */
function joinedCookies(fields: Fields): string {
  let joined = '';
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!;
    if (name.length !== 6 || name.toLowerCase() !== 'cookie') continue;
    joined = joined === '' ? fields[i + 1]! : `${joined}; ${fields[i + 1]!}`;
  }
  return joined;
}
