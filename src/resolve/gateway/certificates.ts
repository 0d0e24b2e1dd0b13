// Secret → Certificate, or what is wrong with it. A key that does not belong to its certificate would
// only be noticed by clients, so it is checked here, once for each Secret.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Secret } from '../../api/core/secret.ts';
import type { Certificate } from '../../model/model.ts';

type Loaded = { readonly certificate: Certificate } | { readonly trouble: string };

const loaded = new WeakMap<object, Loaded>();

/** The certificate a Secret holds. The Secret's data decides, and the answer is remembered with it. */
export function loadCertificate(secret: Secret): Loaded {
  const key = secret.data ?? secret;
  let result = loaded.get(key);
  if (result === undefined) {
    result = load(secret);
    loaded.set(key, result);
  }
  return result;
}

function load(secret: Secret): Loaded {
  const chain = decode(secret, 'tls.crt');
  const privateKey = decode(secret, 'tls.key');
  if (chain === undefined) return { trouble: 'it has no tls.crt' };
  if (privateKey === undefined) return { trouble: 'it has no tls.key' };
  let leaf: X509Certificate;
  try {
    leaf = new X509Certificate(chain);
  } catch {
    return { trouble: 'its tls.crt holds no PEM certificate' };
  }
  try {
    if (!leaf.checkPrivateKey(createPrivateKey(privateKey))) {
      return { trouble: 'its tls.key does not belong to its tls.crt' };
    }
  } catch {
    return { trouble: 'its tls.key holds no PEM private key' };
  }
  const { namespace = '', name = '' } = secret.metadata;
  return {
    certificate: {
      key: `Secret ${namespace}/${name}`,
      chain,
      privateKey,
      names: dnsNames(leaf),
      origin: { kind: 'Secret', namespace, name, field: 'data[tls.crt]' },
    },
  };
}

function decode(secret: Secret, key: string): string | undefined {
  const value = secret.data?.[key];
  return value === undefined || value === ''
    ? undefined
    : Buffer.from(value, 'base64').toString('latin1');
}

/** The DNS names among the subject alternative names, in lower case. */
function dnsNames(certificate: X509Certificate): readonly string[] {
  const names = certificate.subjectAltName?.split(', ') ?? [];
  return names
    .filter((name) => name.startsWith('DNS:'))
    .map((name) => name.slice('DNS:'.length).toLowerCase());
}
