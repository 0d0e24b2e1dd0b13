// Passwords as htpasswd writes them, as far as nginx takes them on every system.

import { createHash, timingSafeEqual } from 'node:crypto';

const KNOWN = /^(?:\$apr1\$|\{SHA\}|\{SSHA\}|\{PLAIN\})/;

/** Whether a password can be checked against the hash. */
export function isKnownHash(hash: string): boolean {
  return KNOWN.test(hash);
}

/** Lines of a file `name:hash`, in order; comments and what is no such line are left out. */
export function parseHtpasswd(text: string): readonly (readonly [name: string, hash: string])[] {
  return text
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#') && line.includes(':'))
    .map((line) => {
      const [name = '', hash = ''] = line.split(':');
      return [name, hash.trim()] as const;
    });
}

export function checkPassword(password: string, hash: string): boolean {
  if (hash.startsWith('{PLAIN}')) return same(password, hash.slice(7));
  if (hash.startsWith('{SHA}')) {
    return same(createHash('sha1').update(password).digest('base64'), hash.slice(5));
  }
  if (hash.startsWith('{SSHA}')) {
    const bytes = Buffer.from(hash.slice(6), 'base64');
    if (bytes.length <= 20) return false;
    const own = createHash('sha1').update(password).update(bytes.subarray(20)).digest();
    return timingSafeEqual(own, bytes.subarray(0, 20));
  }
  if (hash.startsWith('$apr1$')) return same(apr1(password, hash.split('$')[2] ?? ''), hash);
  return false;
}

function same(a: string, b: string): boolean {
  const one = createHash('sha256').update(a).digest();
  return timingSafeEqual(one, createHash('sha256').update(b).digest());
}

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Which bytes of the digest are written together. */
const ORDER = [0, 6, 12, 1, 7, 13, 2, 8, 14, 3, 9, 15, 4, 10, 5];

/** Apache's variant of the MD5 crypt of FreeBSD, a thousand rounds. */
function apr1(password: string, salt: string): string {
  const secret = Buffer.from(password, 'utf8');
  const grain = Buffer.from(salt.slice(0, 8), 'latin1');
  const md5 = (...parts: readonly Uint8Array[]): Buffer => {
    const hash = createHash('md5');
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const mixed = md5(secret, grain, secret);
  const parts: Uint8Array[] = [secret, Buffer.from('$apr1$'), grain];
  for (let left = secret.length; left > 0; left -= 16)
    parts.push(mixed.subarray(0, Math.min(16, left)));
  const zero = Buffer.alloc(1);
  for (let bits = secret.length; bits > 0; bits >>= 1) {
    parts.push((bits & 1) === 1 ? zero : secret.subarray(0, 1));
  }
  let digest = md5(...parts);
  for (let round = 0; round < 1000; round++) {
    digest = md5(
      round % 2 === 1 ? secret : digest,
      ...(round % 3 === 0 ? [] : [grain]),
      ...(round % 7 === 0 ? [] : [secret]),
      round % 2 === 1 ? digest : secret,
    );
  }
  let text = '';
  for (let i = 0; i < 15; i += 3) {
    const [a = 0, b = 0, c = 0] = ORDER.slice(i, i + 3);
    text += encode(((digest[a] ?? 0) << 16) | ((digest[b] ?? 0) << 8) | (digest[c] ?? 0), 4);
  }
  return `$apr1$${salt}$${text}${encode(digest[11] ?? 0, 2)}`;
}

function encode(value: number, length: number): string {
  let out = '';
  for (let i = 0, left = value; i < length; i++, left >>= 6) out += ALPHABET[left & 0x3f];
  return out;
}

/** Name and password of an Authorization field; null when it has none. */
export function basicCredentials(
  field: string | undefined,
): { readonly name: string; readonly password: string } | null {
  const match = /^basic +([A-Za-z0-9+/=]+)$/i.exec(field ?? '');
  if (match === null) return null;
  const text = Buffer.from(match[1] ?? '', 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon === -1) return null;
  return { name: text.slice(0, colon), password: text.slice(colon + 1) };
}
