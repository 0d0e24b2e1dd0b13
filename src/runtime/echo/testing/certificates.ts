// Certificates for tests, made by the openssl program: an authority, and leaves signed by it or by themselves.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestKeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface TestCertificates {
  readonly ca: TestKeyPair;
  /** For echo.example. */
  readonly server: TestKeyPair;
  readonly client: TestKeyPair;
  /** A client whose certificate nobody else signed. */
  readonly stranger: TestKeyPair;
}

/** Why certificate tests cannot run here; undefined if they can. */
export function missingOpenssl(): string | undefined {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'the openssl program is not installed';
  }
}

/** Makes a fresh set in a directory of its own, which is gone afterwards. */
export function makeCertificates(): TestCertificates {
  const directory = mkdtempSync(join(tmpdir(), 'fairway-echo-'));
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', args, { cwd: directory, stdio: 'ignore' });
  };
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const selfSigned = (name: string): TestKeyPair => {
    openssl(
      'req',
      '-x509',
      ...newKey,
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.crt`,
    );
    return read(name);
  };
  const signed = (name: string): TestKeyPair => {
    openssl(
      'req',
      ...newKey,
      '-subj',
      `/O=Fairway/CN=${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
    );
    writeFileSync(join(directory, `${name}.ext`), `subjectAltName=DNS:${name}.example\n`);
    const issuer = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-set_serial', '4711'];
    const options = ['-days', '2', '-extfile', `${name}.ext`, '-out', `${name}.crt`];
    openssl('x509', '-req', '-in', `${name}.csr`, ...issuer, ...options);
    return read(name);
  };
  const read = (name: string): TestKeyPair => ({
    cert: readFileSync(join(directory, `${name}.crt`), 'utf8'),
    key: readFileSync(join(directory, `${name}.key`), 'utf8'),
  });
  try {
    const ca = selfSigned('ca');
    return {
      ca,
      server: signed('echo'),
      client: signed('client'),
      stranger: selfSigned('stranger'),
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
