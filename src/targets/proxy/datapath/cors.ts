// Cross-origin requests: the answer to a preflight request, and what an origin adds to other responses.
// Origins are taken apart once, when a rule is activated.
//
// Budget: 1 µs for a request of a rule with CORS, nothing for others. Allocates the changes it makes.

import type { HeaderChanges, HeaderValue } from '../../../model/filter.ts';
import type { FilterProgram } from '../program.ts';
import { fieldValue } from './fields.ts';
import type { Fields } from './stream.ts';

type CorsProgram = Extract<FilterProgram, { kind: 'cors' }>;

const ORIGIN = 'access-control-allow-origin';
const CREDENTIALS = 'access-control-allow-credentials';
const EXPOSED = 'access-control-expose-headers';

/** What answers browsers across origins. */
export interface CrossOrigin {
  /** The fields of the answer to a preflight request; null when the request is none. */
  preflight(method: string, fields: Fields): Fields | null;
  /** What becomes of the fields of a response to a request with these fields. */
  changes(fields: Fields): HeaderChanges;
}

export class Cors implements CrossOrigin {
  readonly #program: CorsProgram;
  readonly #any: boolean;
  /** `https://shop.example:443` */
  readonly #exact = new Set<string>();
  /** What origins end with, port and all, by their scheme: `.example:443`. */
  readonly #suffixes: { readonly scheme: string; readonly suffix: string }[] = [];
  readonly #exposed: string;
  readonly #methods: string;
  readonly #headers: string;

  constructor(program: CorsProgram) {
    this.#program = program;
    this.#any = program.allowOrigins.includes('*');
    for (const pattern of program.allowOrigins) this.#addOrigin(pattern);
    // With credentials, browsers would take the star for a name.
    const { exposeHeaders, allowCredentials } = program;
    this.#exposed = exposeHeaders.filter((n) => n !== '*' || !allowCredentials).join(', ');
    this.#methods = program.allowMethods.join(', ');
    this.#headers = program.allowHeaders.join(', ');
  }

  #addOrigin(pattern: string): void {
    const normal = normalizeOrigin(pattern);
    if (normal === null) return;
    const hostAt = normal.indexOf('://') + 3;
    if (normal[hostAt] === '*') {
      this.#suffixes.push({ scheme: normal.slice(0, hostAt), suffix: normal.slice(hostAt + 1) });
    } else {
      this.#exact.add(normal);
    }
  }

  /** The fields of the answer to a preflight request; null when the request is none. */
  preflight(method: string, fields: Fields): Fields | null {
    if (method !== 'OPTIONS') return null;
    const asked = fieldValue(fields, 'access-control-request-method');
    if (asked === undefined || fieldValue(fields, 'origin') === undefined) return null;
    const { set, add } = this.changes(fields);
    const out: Fields = [];
    for (const { name, value } of set) out.push(name, value);
    for (const { name, value } of add) out.push(name, value);
    if (set.length === 0) return out;
    const methods = this.#named(this.#methods, asked);
    const askedHeaders = fieldValue(fields, 'access-control-request-headers');
    const headers = this.#named(this.#headers, askedHeaders);
    if (methods !== '') out.push('access-control-allow-methods', methods);
    if (headers !== '') out.push('access-control-allow-headers', headers);
    out.push('access-control-max-age', String(this.#program.maxAgeSeconds));
    return out;
  }

  /** What becomes of the fields of a response to a request with these fields. */
  changes(fields: Fields): HeaderChanges {
    const { allowCredentials } = this.#program;
    const allowed = this.#allowed(fieldValue(fields, 'origin'));
    const set: HeaderValue[] = [];
    const remove: string[] = [];
    if (allowed === null) {
      remove.push(ORIGIN, CREDENTIALS, EXPOSED);
    } else {
      set.push({ name: ORIGIN, value: allowed });
      if (allowCredentials) set.push({ name: CREDENTIALS, value: 'true' });
      else remove.push(CREDENTIALS);
      if (this.#exposed === '') remove.push(EXPOSED);
      else set.push({ name: EXPOSED, value: this.#exposed });
    }
    const add = this.#any && !allowCredentials ? [] : [{ name: 'vary', value: 'origin' }];
    return { set, add, remove };
  }

  #allowed(origin: string | undefined): string | null {
    if (origin === undefined) return null;
    if (this.#any) return this.#program.allowCredentials ? origin : '*';
    const normal = normalizeOrigin(origin);
    if (normal === null) return null;
    if (this.#exact.has(normal)) return origin;
    for (const { scheme, suffix } of this.#suffixes) {
      const taken = scheme.length + suffix.length;
      const fits = normal.startsWith(scheme) && normal.endsWith(suffix) && normal.length > taken;
      if (fits) return origin;
    }
    return null;
  }

  /** Of `*` with credentials, what was asked for. */
  #named(list: string, asked: string | undefined): string {
    return list === '*' && this.#program.allowCredentials ? (asked ?? '') : list;
  }
}

/** Lower case and with its port; null for what is no origin of the web. */
function normalizeOrigin(origin: string): string | null {
  const lower = origin.toLowerCase();
  const standard = lower.startsWith('https://') ? 443 : lower.startsWith('http://') ? 80 : 0;
  if (standard === 0) return null;
  const hostAt = standard === 443 ? 8 : 7;
  const portAt = lower.indexOf(':', lower.lastIndexOf(']') + 1 || hostAt);
  if (lower.length === hostAt || lower.includes('/', hostAt)) return null;
  if (portAt === -1) return `${lower}:${standard}`;
  return /^\d+$/.test(lower.slice(portAt + 1)) && portAt > hostAt ? lower : null;
}
