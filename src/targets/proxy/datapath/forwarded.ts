// Who asked, and how: header fields that proxies write and clients may not.

import type { Routed } from './dispatch.ts';
import type { Fields } from './stream.ts';

/** A copy of the request's fields in which only we say who asked and how. */
export function withForwarded(routed: Routed): Fields {
  return addForwarded([...withoutForwarded(routed.head.fields)], routed);
}

/** Adds what we say of the client: who asks, how, and for which host. */
export function addForwarded(fields: Fields, { entry, client, head }: Routed): Fields {
  fields.push('x-forwarded-for', client.address, 'x-forwarded-proto', entry.scheme);
  fields.push('x-forwarded-host', head.authority);
  return fields;
}

/**
 * Drops what a client says about itself in the name of a proxy: nobody in front of us is trusted to
 * say it. Lengths are looked at first, as nearly all names differ by them.
 */
export function withoutForwarded(fields: Fields): Fields {
  for (let i = 0; i < fields.length; i += 2) {
    if (isForwardedName(fields[i]!)) {
      const kept: Fields = [];
      for (let j = 0; j < fields.length; j += 2) {
        if (!isForwardedName(fields[j]!)) kept.push(fields[j]!, fields[j + 1]!);
      }
      return kept;
    }
  }
  return fields;
}

function isForwardedName(name: string): boolean {
  switch (name.length) {
    case 9: {
      const lower = name.toLowerCase();
      return lower === 'forwarded' || lower === 'x-real-ip';
    }
    case 15:
      return name.toLowerCase() === 'x-forwarded-for';
    case 16: {
      const lower = name.toLowerCase();
      return lower === 'x-forwarded-host' || lower === 'x-forwarded-port';
    }
    case 17:
      return name.toLowerCase() === 'x-forwarded-proto';
    default:
      return false;
  }
}
