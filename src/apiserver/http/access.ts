// The keys of the API: a token and a certificate authority of its own, made at first and kept for the
// clients that know them, and the kubeconfig that tells kubectl of both.

import { X509Certificate, randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** PEM of a certificate and its key. */
export interface PemPair {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface Access {
  readonly token: string;
  /** PEM of the authority clients trust. */
  readonly authority: string;
  readonly server: PemPair;
}

/** How certificates are made; the library for it takes a while to load. */
export interface CertificateMaker {
  authority(name: string): Promise<PemPair>;
  server(names: readonly string[], authority: PemPair): Promise<PemPair>;
}

const TOKEN_BYTES = 32;
/** Certificates are made anew well before they end. */
const RENEW_BEFORE_MS = 30 * 86_400_000;

/** The keys kept in a folder, made where there are none or they are about to end. */
export async function openAccess(
  directory: string,
  names: readonly string[],
  maker: () => Promise<CertificateMaker>,
): Promise<Access> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const kept = await readKept(join(directory, 'access.json'));
  if (kept !== undefined && isGood(kept, names)) return kept;
  const make = await maker();
  const ca = await make.authority('Fairway API');
  const access = {
    token: kept?.token ?? randomBytes(TOKEN_BYTES).toString('base64url'),
    authority: ca.certificate,
    server: await make.server(names, ca),
  };
  await writeSecret(join(directory, 'access.json'), JSON.stringify(access));
  return access;
}

async function readKept(path: string): Promise<Access | undefined> {
  try {
    const value = JSON.parse(await readFile(path, 'utf8')) as Partial<Access> | null;
    const isWhole =
      typeof value?.token === 'string' &&
      typeof value.authority === 'string' &&
      typeof value.server?.certificate === 'string' &&
      typeof value.server.privateKey === 'string';
    return isWhole ? (value as Access) : undefined;
  } catch {
    // None there, or not ours: made anew.
    return undefined;
  }
}

function isGood({ server }: Access, names: readonly string[]): boolean {
  const certificate = new X509Certificate(server.certificate);
  const ends = new Date(certificate.validTo).getTime();
  const covers = names.every(
    (name) => certificate.checkHost(name) !== undefined || certificate.checkIP(name) !== undefined,
  );
  return covers && ends - Date.now() > RENEW_BEFORE_MS;
}

/** Writes the file whole or not at all, for its owner only. */
export async function writeSecret(path: string, text: string): Promise<void> {
  const draft = `${path}.new`;
  await writeFile(draft, text, { mode: 0o600 });
  // The mode of writeFile is for new files only.
  await chmod(draft, 0o600);
  await rename(draft, path);
}

/** The text of a kubeconfig for the API at a URL. */
export function kubeconfig(url: string, { token, authority }: Access): string {
  const data = Buffer.from(authority).toString('base64');
  return `apiVersion: v1
kind: Config
clusters:
- name: fairway
  cluster:
    server: ${url}
    certificate-authority-data: ${data}
users:
- name: fairway
  user:
    token: ${token}
contexts:
- name: fairway
  context:
    cluster: fairway
    user: fairway
    namespace: default
current-context: fairway
`;
}
