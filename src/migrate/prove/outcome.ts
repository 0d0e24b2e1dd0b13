// What becomes of a request, in a form in which two configurations can be compared: the status, where to,
// and what each backend sees.

import type { RequestFate, Share } from '../../model/answer.ts';
import type { EntryPoint, Model } from '../../model/model.ts';

export interface Outcome {
  /** 0: no answer at all. 200 stands for what a backend answers. */
  readonly status: number;
  readonly location?: string;
  /** Other fields of an own answer that clients act on. */
  readonly fields: readonly string[];
  /** By backend; empty without any. */
  readonly shares: readonly SeenShare[];
}

export interface SeenShare {
  /** `shop/cart:8080`, or the status that is answered in place of a backend. */
  readonly to: string;
  /** How it is spoken to: `http`, `h2c`, `tls …`. */
  readonly how: string;
  /** Of 1. */
  readonly part: number;
  readonly method: string;
  readonly target: string;
  readonly host: string;
  /** `name: value`, sorted. */
  readonly headers: readonly string[];
  /** Changes to the response: `set name: value`, sorted. */
  readonly response: readonly string[];
  readonly mirrors: readonly string[];
}

export type Field =
  | 'status'
  | 'location'
  | 'fields'
  | 'backend'
  | 'how'
  | 'method'
  | 'path'
  | 'host'
  | 'headers'
  | 'response'
  | 'mirrors';

/** `entryPoint` is the one the request came in by. */
export function outcomeOf(
  model: Model,
  entryPoint: EntryPoint | undefined,
  fate: RequestFate,
): Outcome {
  switch (fate.kind) {
    case 'refused':
      return { status: 0, fields: [], shares: [] };
    case 'redirect':
      return { status: fate.statusCode, location: fate.location, fields: [], shares: [] };
    case 'respond': {
      const location = fate.headers?.find(([name]) => name === 'location')?.[1];
      return {
        status: fate.statusCode,
        ...(location === undefined ? {} : { location }),
        fields: (fate.headers ?? [])
          .filter(([name]) => name !== 'location')
          .map(([n, v]) => `${n}: ${v}`)
          .toSorted(),
        shares: [],
      };
    }
    case 'forward': {
      const total = fate.shares.reduce((sum, { weight }) => sum + weight, 0);
      const fields =
        entryPoint?.protocol === 'http' ? [] : (entryPoint?.conduct?.secureResponse ?? []);
      const secure = fields.map(({ name, value }) => `set ${name}: ${value}`);
      const shares = fate.shares.map((share) => shareOf(model, share, total, secure));
      return { status: 200, fields: [], shares: shares.toSorted((a, b) => (a.to < b.to ? -1 : 1)) };
    }
  }
}

function shareOf(model: Model, share: Share, total: number, secure: readonly string[]): SeenShare {
  const { to, request, responseHeaders, mirrors, weight } = share;
  const backend = typeof to === 'string' ? model.backends.get(to) : undefined;
  const tls = backend?.tls;
  return {
    to: typeof to === 'string' ? serviceOf(to) : `status ${to.statusCode}`,
    how: `${backend?.protocol ?? ''}${tls === undefined ? '' : ` in TLS for ${tls.serverName}${tls.isUnverified === true ? ', unverified' : ''}`}`,
    part: total === 0 ? 0 : Math.round((weight / total) * 1e6) / 1e6,
    method: request.method,
    target: request.target,
    host: request.host,
    headers: request.headers.map(([name, value]) => `${name}: ${value}`).toSorted(),
    response: [
      ...responseHeaders.map(({ change, name, value }) => `${change} ${name}: ${value}`),
      ...secure,
    ].toSorted(),
    mirrors: mirrors.map((m) => serviceOf(m.to)).toSorted(),
  };
}

/** `Service shop/cart:8080/grpc` → `shop/cart:8080` */
function serviceOf(key: string): string {
  return /^Service ([^/]+\/[^/]+)/.exec(key)?.[1] ?? key;
}

/** In which fields two outcomes differ, the most important first. */
export function differingFields(a: Outcome, b: Outcome): readonly Field[] {
  const fields: Field[] = [];
  if (a.status !== b.status) fields.push('status');
  if (a.location !== b.location) fields.push('location');
  if (!sameList(a.fields, b.fields)) fields.push('fields');
  const places = ({ shares }: Outcome): readonly string[] =>
    shares.map(({ to, part }) => `${to} ${part}`);
  if (!sameList(places(a), places(b)))
    return fields.includes('status') ? fields : [...fields, 'backend'];
  a.shares.forEach((one, i) => {
    const other = b.shares[i]!;
    const add = (field: Field, same: boolean): void => {
      if (!same && !fields.includes(field)) fields.push(field);
    };
    add('how', one.how === other.how);
    add('method', one.method === other.method);
    add('path', one.target === other.target);
    add('host', one.host === other.host);
    add('headers', sameList(one.headers, other.headers));
    add('response', sameList(one.response, other.response));
    add('mirrors', sameList(one.mirrors, other.mirrors));
  });
  return fields;
}

export function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

/** `302 to https://…`, `shop/cart:8080 sees GET /x of host h` */
export function describeOutcome({ status, location, shares }: Outcome): string {
  if (status === 0) return 'no answer';
  if (location !== undefined) return `${status} to ${location}`;
  if (shares.length === 0) return String(status);
  return shares
    .map(({ to, part, method, target, host }) => {
      const percent = part === 1 ? '' : `${Math.round(part * 1000) / 10} % `;
      return to.startsWith('status')
        ? `${percent}${to}`
        : `${percent}to ${to} as ${method} ${target} for host ${host}`;
    })
    .join(', ');
}
