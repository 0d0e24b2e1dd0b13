// What backends are told of the client by a port that tells them all: the fields of ingress-nginx.
//
// Budget: 1 µs. Allocates one list of fields.

import type { TemplateSource } from '../../../model/template.ts';
import type { Client, Entry } from './dispatch.ts';
import { fieldValue } from './fields.ts';
import type { Fields, RequestHead } from './stream.ts';

/** Said by us alone, or not to be said at all (`Proxy`: the HTTPoxy hole). */
const OURS = new Set([
  'forwarded',
  'proxy',
  'x-real-ip',
  'x-request-id',
  'x-scheme',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-forwarded-scheme',
  'x-original-forwarded-for',
  'x-original-forwarded-host',
]);

export function toldFields(
  entry: Pick<Entry, 'port' | 'conduct'>,
  client: Client,
  head: RequestHead,
  source: TemplateSource,
): Fields {
  const given = head.fields;
  const fields: Fields = [];
  for (let i = 0; i < given.length; i += 2) {
    if (!OURS.has(given[i]!.toLowerCase())) fields.push(given[i]!, given[i + 1]!);
  }
  const { program, trusted } = entry.conduct ?? { program: undefined, trusted: null };
  const trusts = trusted !== null;
  const before = (name: string): string | undefined => fieldValue(given, name);
  const scheme = source.part('scheme');
  const forwardedFor = before('x-forwarded-for');
  const chain =
    program?.appendsForwardedFor === true && forwardedFor !== undefined
      ? `${forwardedFor}, ${client.address}`
      : client.address;
  const host = (trusts ? before('x-forwarded-host')?.split(',')[0] : undefined) ?? head.authority;
  const port = (trusts ? before('x-forwarded-port') : undefined) ?? String(entry.port);
  fields.push('x-request-id', source.part('requestId'), 'x-real-ip', client.address);
  fields.push('x-forwarded-for', chain, 'x-forwarded-host', host, 'x-forwarded-port', port);
  fields.push('x-forwarded-proto', scheme, 'x-forwarded-scheme', scheme, 'x-scheme', scheme);
  if (forwardedFor !== undefined) fields.push('x-original-forwarded-for', forwardedFor);
  const forwardedHost = before('x-forwarded-host');
  if (forwardedHost !== undefined) fields.push('x-original-forwarded-host', forwardedHost);
  return fields;
}

/** Without fields whose names have an underscore, which nginx drops. */
export function withoutUnderscores(fields: Fields): Fields {
  for (let i = 0; i < fields.length; i += 2) {
    if (!fields[i]!.includes('_')) continue;
    const kept: Fields = [];
    for (let j = 0; j < fields.length; j += 2) {
      if (!fields[j]!.includes('_')) kept.push(fields[j]!, fields[j + 1]!);
    }
    return kept;
  }
  return fields;
}
