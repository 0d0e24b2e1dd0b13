// ConfigMaps (and Secrets) with certificates of authorities → PEM, or what is wrong with them. What
// clients must descend from, and backends.

import { X509Certificate } from 'node:crypto';
import { ConfigMap } from '../../api/core/config-map.ts';
import { Secret } from '../../api/core/secret.ts';
import type { Reader } from '../reader.ts';

const CA_KEY = 'ca.crt';

export interface AuthorityRef {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export type Authority =
  | { readonly pem: string }
  | { readonly fault: 'kind' | 'ref'; readonly trouble: string };

/** The certificates a reference leads to. */
export function readAuthority(ref: AuthorityRef, reader: Reader): Authority {
  const { group, kind, namespace, name } = ref;
  if (group !== '' || (kind !== ConfigMap.kind && kind !== Secret.kind)) {
    const trouble = `certificates of authorities come from ConfigMaps and Secrets, not from ${kind} "${name}"`;
    return { fault: 'kind', trouble };
  }
  const what = `${kind} ${namespace}/${name}`;
  const found = kind === ConfigMap.kind ? readConfigMap(ref, reader) : readSecret(ref, reader);
  if (found === undefined) return { fault: 'ref', trouble: `${what} does not exist` };
  if (found.trim() === '') return { fault: 'ref', trouble: `${what} has no ${CA_KEY}` };
  const pem = certificatesIn(found);
  if (pem === null) {
    return { fault: 'ref', trouble: `${CA_KEY} of ${what} holds no valid PEM certificates` };
  }
  return { pem };
}

function readConfigMap({ namespace, name }: AuthorityRef, reader: Reader): string | undefined {
  const object = reader.get(ConfigMap, namespace, name);
  return object === undefined ? undefined : (object.data?.[CA_KEY] ?? '');
}

function readSecret({ namespace, name }: AuthorityRef, reader: Reader): string | undefined {
  const object = reader.get(Secret, namespace, name);
  if (object === undefined) return undefined;
  return Buffer.from(object.data?.[CA_KEY] ?? '', 'base64').toString('latin1');
}

const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** The certificates of a text and nothing else of it; null when there is none, or one is broken. */
function certificatesIn(text: string): string | null {
  const blocks = text.match(BLOCK) ?? [];
  if (blocks.length === 0) return null;
  try {
    for (const block of blocks) void new X509Certificate(block);
  } catch {
    return null;
  }
  return `${blocks.join('\n')}\n`;
}
