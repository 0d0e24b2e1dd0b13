// The local certificate authority: made once for a user and kept, so that whoever trusts it stays
// trusting it. What it issues is kept as well; a certificate is made only when there is none for its
// names or it ends soon.

import { createHash, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Secret } from '../api/core/secret.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { ObjectWrite } from '../store/write.ts';
import { ISSUED_LABEL, NAMES_ANNOTATION, wantedCertificates } from './wanted.ts';
import type { WantedCertificate } from './wanted.ts';
import type { KeyPair } from './x509.ts';

/** A certificate is made anew this long before it ends. */
const RENEW_MS = 30 * 86_400_000;

export interface LocalCaOptions {
  /** Folder of the authority and of what it issued; null to keep nothing. */
  readonly directory: string | null;
  readonly now?: () => Date;
}

export class LocalCa {
  readonly #directory: string | null;
  readonly #now: () => Date;
  #authority: Promise<KeyPair> | undefined;

  constructor({ directory, now = () => new Date() }: LocalCaOptions) {
    this.#directory = directory;
    this.#now = now;
  }

  /** Where the certificate to trust is, once anything was issued. */
  get certificatePath(): string | null {
    return this.#directory === null ? null : join(this.#directory, 'ca.crt');
  }

  /** The Secrets Gateways ask for and do not have. */
  issueMissing(snapshot: Snapshot): Promise<readonly ObjectWrite[]> {
    return Promise.all(
      wantedCertificates(snapshot).map(async (wanted) =>
        secretWrite(wanted, await this.#issue(wanted.dnsNames)),
      ),
    );
  }

  async #issue(dnsNames: readonly string[]): Promise<KeyPair> {
    const names = [...dnsNames, '127.0.0.1'];
    const file = createHash('sha256').update(names.join(',')).digest('hex').slice(0, 16);
    const authority = await this.#getAuthority();
    const kept = await this.#read(`issued/${file}`);
    if (kept !== undefined && this.#isFresh(kept) && isIssuedBy(kept, authority)) return kept;
    const { makeServerCertificate } = await import('./x509.ts');
    const made = await makeServerCertificate(names, authority, this.#now());
    await this.#keep(`issued/${file}`, made);
    return made;
  }

  #getAuthority(): Promise<KeyPair> {
    this.#authority ??= this.#loadAuthority();
    return this.#authority;
  }

  async #loadAuthority(): Promise<KeyPair> {
    const kept = await this.#read('ca');
    if (kept !== undefined && this.#isFresh(kept)) return kept;
    const { makeAuthority } = await import('./x509.ts');
    const made = await makeAuthority('Fairway local CA', this.#now());
    await this.#keep('ca', made);
    return made;
  }

  #isFresh({ certificate }: KeyPair): boolean {
    try {
      const { validToDate } = new X509Certificate(certificate);
      return validToDate.getTime() - this.#now().getTime() > RENEW_MS;
    } catch {
      return false;
    }
  }

  async #read(name: string): Promise<KeyPair | undefined> {
    if (this.#directory === null) return undefined;
    const path = join(this.#directory, name);
    try {
      const [certificate, privateKey] = await Promise.all([
        readFile(`${path}.crt`, 'utf8'),
        readFile(`${path}.key`, 'utf8'),
      ]);
      return { certificate, privateKey };
    } catch {
      return undefined;
    }
  }

  async #keep(name: string, { certificate, privateKey }: KeyPair): Promise<void> {
    if (this.#directory === null) return;
    const path = join(this.#directory, name);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // The key first: a certificate without its key would be taken for a pair.
    await replaceFile(`${path}.key`, privateKey, 0o600);
    await replaceFile(`${path}.crt`, certificate, 0o644);
  }
}

function isIssuedBy(pair: KeyPair, authority: KeyPair): boolean {
  const { publicKey } = new X509Certificate(authority.certificate);
  return new X509Certificate(pair.certificate).verify(publicKey);
}

async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, text, { mode });
  await rename(temporary, path);
}

function secretWrite(wanted: WantedCertificate, pair: KeyPair): ObjectWrite {
  const secret: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      namespace: wanted.namespace,
      name: wanted.name,
      labels: { [ISSUED_LABEL]: 'local-ca' },
      annotations: { [NAMES_ANNOTATION]: wanted.dnsNames.join(',') },
    },
    type: 'kubernetes.io/tls',
    data: {
      'tls.crt': Buffer.from(pair.certificate).toString('base64'),
      'tls.key': Buffer.from(pair.privateKey).toString('base64'),
    },
  };
  return { op: 'put', kind: Secret, object: secret };
}
