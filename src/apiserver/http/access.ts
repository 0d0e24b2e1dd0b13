// The keys of the API: a token, a certificate for clients and an authority of its own, made at first and
// kept for the clients that know them, and the kubeconfig that tells kubectl of all.

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
  /** What a client may show instead of the token. */
  readonly client: PemPair;
}

/** How certificates are made; the library for it takes a while to load. */
export interface CertificateMaker {
  authority(name: string): Promise<PemPair>;
  server(names: readonly string[], authority: PemPair): Promise<PemPair>;
  client(user: ClientName, authority: PemPair): Promise<PemPair>;
}

/** What a client's certificate says of it: CN and O. */
export interface ClientName {
  readonly username: string;
  readonly groups: readonly string[];
}

const TOKEN_BYTES = 32;
const CLIENT: ClientName = { username: 'fairway', groups: ['system:masters'] };
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
  if (kept !== undefined && isWhole(kept) && isGood(kept, names)) return kept;
  const make = await maker();
  const ca = await make.authority('Fairway API');
  const access = {
    token: kept?.token ?? randomBytes(TOKEN_BYTES).toString('base64url'),
    authority: ca.certificate,
    server: await make.server(names, ca),
    client: await make.client(CLIENT, ca),
  };
  await writeSecret(join(directory, 'access.json'), JSON.stringify(access));
  return access;
}

/** What was kept: the token at least, which is the same for good. */
async function readKept(path: string): Promise<Kept | undefined> {
  try {
    const value = JSON.parse(await readFile(path, 'utf8')) as Partial<Access> | null;
    return typeof value?.token === 'string' ? (value as Kept) : undefined;
  } catch {
    // None there, or not ours: made anew.
    return undefined;
  }
}

type Kept = Pick<Access, 'token'> & Partial<Access>;

function isWhole(kept: Kept): kept is Access {
  const isPair = (pair: Partial<PemPair> | undefined): boolean =>
    typeof pair?.certificate === 'string' && typeof pair.privateKey === 'string';
  return typeof kept.authority === 'string' && isPair(kept.server) && isPair(kept.client);
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
export function kubeconfig(url: string, { token, authority, client }: Access): string {
  const base64 = (pem: string): string => Buffer.from(pem).toString('base64');
  return `apiVersion: v1
kind: Config
clusters:
- name: fairway
  cluster:
    server: ${url}
    certificate-authority-data: ${base64(authority)}
users:
- name: fairway
  user:
    token: ${token}
- name: fairway-certificate
  user:
    client-certificate-data: ${base64(client.certificate)}
    client-key-data: ${base64(client.privateKey)}
contexts:
- name: fairway
  context:
    cluster: fairway
    user: fairway
    namespace: default
- name: fairway-certificate
  context:
    cluster: fairway
    user: fairway-certificate
    namespace: default
current-context: fairway
`;
}
