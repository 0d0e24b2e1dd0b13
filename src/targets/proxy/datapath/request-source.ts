// What templates are filled from, and who a client is where other proxies stand before it. Made for
// requests of rules or ports that ask; nothing is read before it is asked for.
//
// Budget: 1 µs for a request of such a rule; nothing for others. Allocates the source and what is asked of it.

import { randomUUID } from 'node:crypto';
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { parseQuery } from '../../../lib/http-path.ts';
import { compilePattern } from '../../../lib/regex.ts';
import type { Routed } from './dispatch.ts';
import type { ShownCertificate } from '../../../model/guard.ts';
import { certificatePart } from '../../../model/template.ts';
import type { RequestPart, TemplateSource } from '../../../model/template.ts';
import { fieldValue } from './fields.ts';
import { cookieOf } from './session.ts';
import type { Fields, RequestHead } from './stream.ts';

/** What a source is made from. */
export interface Asked {
  readonly head: RequestHead;
  /** Normalized. */
  readonly host: string;
  readonly scheme: 'http' | 'https';
  readonly target: { readonly path: string; readonly query: string };
  readonly client: string;
  /** Null for none. */
  readonly certificate?: ShownCertificate | null;
  /** See Entry.ports. */
  readonly ports: ReadonlyMap<number, number>;
  /** Whether what proxies say of the client counts. */
  readonly trusts: boolean;
  /** The expression groups are of; null for none. */
  readonly groupsOf: string | null;
}

export class RequestSource implements TemplateSource {
  readonly #asked: Asked;
  #groups: readonly string[] | null | undefined;
  #id: string | undefined;

  constructor(asked: Asked) {
    this.#asked = asked;
  }

  part(of: RequestPart): string {
    const { head, host, target, client } = this.#asked;
    switch (of) {
      case 'scheme':
        return this.#scheme();
      case 'host':
        return host;
      case 'authority':
        return head.authority;
      case 'secureAuthority': {
        const port = this.#asked.ports.get(443) ?? 443;
        return port === 443 ? host : `${host}:${port}`;
      }
      case 'method':
        return head.method;
      case 'target':
        return head.target;
      case 'trimmedTarget':
        return head.target.endsWith('/') ? head.target.slice(0, -1) : head.target;
      case 'escapedTarget':
        return encodeURIComponent(head.target);
      case 'path':
        return target.path;
      case 'query':
        return target.query.slice(1);
      case 'queryMark':
        return target.query.length > 1 ? '?' : '';
      case 'client':
        return client;
      case 'requestId':
        return this.#requestId();
      case 'clientVerified':
      case 'clientSubject':
      case 'clientIssuer':
      case 'clientCertificate':
        return certificatePart(of, this.#asked.scheme, this.#asked.certificate ?? null);
    }
  }

  header(name: string): string {
    return fieldValue(this.#asked.head.fields, name) ?? '';
  }

  cookie(name: string): string {
    return cookieOf(this.#asked.head.fields, name) ?? '';
  }

  query(name: string): string {
    return parseQuery(this.#asked.target.query).find(([key]) => key === name)?.[1] ?? '';
  }

  group(number: number): string {
    const { groupsOf, target } = this.#asked;
    if (this.#groups === undefined) {
      const pattern = groupsOf === null ? null : compilePattern(groupsOf);
      this.#groups = pattern === null || !('find' in pattern) ? null : pattern.find(target.path);
    }
    return this.#groups?.[number] ?? '';
  }

  #scheme(): string {
    const { scheme, trusts, head } = this.#asked;
    return trusts ? (fieldValue(head.fields, 'x-forwarded-proto') ?? scheme) : scheme;
  }

  /** The client's own, or one of ours: 32 hexadecimal digits. */
  #requestId(): string {
    const { fields } = this.#asked.head;
    this.#id ??= fieldValue(fields, 'x-request-id') ?? randomUUID().replaceAll('-', '');
    return this.#id;
  }
}

/** What templates of an action are filled from, for one request. */
export function sourceOf(
  { groupsOf }: { readonly groupsOf: string | null },
  routed: Routed,
): RequestSource {
  const { head, host, entry, target, client } = routed;
  const { scheme, ports, conduct } = entry;
  const trusts = conduct !== null && conduct.trusted !== null;
  return new RequestSource({
    head,
    host,
    scheme,
    target,
    client: client.address,
    certificate: client.certificate ?? null,
    ports,
    trusts,
    groupsOf,
  });
}

/** A set of networks that is quick to ask. */
export class Networks {
  readonly #list = new BlockList();

  constructor(ranges: readonly string[]) {
    for (const range of ranges) {
      const [address = '', length] = range.split('/');
      const family = isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : null;
      if (family === null) continue;
      if (length === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(length), family);
    }
  }

  has(address: string): boolean {
    if (isIPv4(address)) return this.#list.check(address, 'ipv4');
    return isIPv6(address) && this.#list.check(address, 'ipv6');
  }
}

/** The last address in X-Forwarded-For that is no trusted proxy itself; or who is connected. */
export function clientBehind(peer: string, fields: Fields, trusted: Networks): string {
  if (!trusted.has(peer)) return peer;
  const hops = (fieldValue(fields, 'x-forwarded-for') ?? '').split(',').map((hop) => hop.trim());
  let client = peer;
  while (trusted.has(client)) {
    const next = hops.pop();
    if (next === undefined || (!isIPv4(next) && !isIPv6(next))) break;
    client = next;
  }
  return client;
}
