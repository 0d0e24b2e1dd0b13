// A self-signed certificate for images that bring their own: echo-advanced has /cert.crt, agnhost /localhost.crt, and
// Fairway has no image to take them from. Written as DER by hand, since Node signs but does not issue. Clients of the
// real images skip verification too: those keys are published.

import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { pem, readKeyPair, type KeyPair } from './tls.ts';
import type { EchoPod } from './pod.ts';

export interface ImageKeyPair {
  readonly certPath: string;
  readonly keyPath: string;
  /** Host name of the certificate that stands in. */
  readonly name: string;
}

/**
 * The key pair at two paths of the container. If they are the image's own and nothing is mounted there, a fresh pair
 * is made; otherwise rejects as readKeyPair does.
 */
export async function readKeyPairOfImage(
  pod: EchoPod,
  certPath: string,
  keyPath: string,
  image: ImageKeyPair,
): Promise<KeyPair> {
  try {
    return await readKeyPair(pod, certPath, keyPath);
  } catch (error) {
    if (certPath === image.certPath && keyPath === image.keyPath) return selfSigned(image.name);
    throw error;
  }
}

const VALID_MS = 365 * 24 * 3600 * 1000;

/** A fresh P-256 key with a certificate for one DNS name, valid from now for a year. */
function selfSigned(dnsName: string): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const cert = pem(certificate(dnsName, privateKey, publicKey));
  return {
    cert: Buffer.from(cert),
    key: Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  };
}

const ECDSA_WITH_SHA256 = sequence(oid([42, 134, 72, 206, 61, 4, 3, 2]));
const COMMON_NAME = oid([85, 4, 3]);
const SUBJECT_ALT_NAME = oid([85, 29, 17]);

/** RFC 5280 §4.1. Starts an hour early for clients whose clock is behind. */
function certificate(dnsName: string, privateKey: KeyObject, publicKey: KeyObject): Buffer {
  const now = Date.now();
  const name = sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(dnsName)))));
  const altName = sequence(SUBJECT_ALT_NAME, der(0x04, sequence(der(0x82, Buffer.from(dnsName)))));
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    ECDSA_WITH_SHA256,
    name,
    sequence(time(now - 3_600_000), time(now + VALID_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(altName)),
  );
  const signature = sign('sha256', toBeSigned, privateKey);
  return sequence(
    toBeSigned,
    ECDSA_WITH_SHA256,
    der(0x03, Buffer.concat([Buffer.from([0]), signature])),
  );
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function oid(body: readonly number[]): Buffer {
  return der(0x06, Buffer.from(body));
}

/** GeneralizedTime, which has no century to guess. */
function time(ms: number): Buffer {
  return der(0x18, Buffer.from(`${new Date(ms).toISOString().replace(/\D/g, '').slice(0, 14)}Z`));
}

function der(tag: number, body: Buffer): Buffer {
  const { length } = body;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}
