// Which certificate a host of Ingresses is shown with: that of a tls entry that names it, else one that
// is for it, else the fallback.

import { FALLBACK_SECRET } from '../../api/fairway.ts';
import { Secret } from '../../api/core/secret.ts';
import type { Ingress } from '../../api/networking/ingress.ts';
import { hostMatches } from '../../lib/hostname.ts';
import type { Certificate } from '../../model/model.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { loadCertificate } from '../gateway/certificates.ts';
import { problem } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';

export interface HostTls {
  /** Undefined: none of its Ingresses speaks of TLS for it. Null: the fallback. */
  readonly certificate: Certificate | null | undefined;
  readonly problems: readonly { readonly ingress: Ingress; readonly problem: Problem }[];
}

/** `ingresses` have rules for the host, the first one decides. */
export function tlsOf(host: string, ingresses: readonly Ingress[], snapshot: Snapshot): HostTls {
  const problems: { ingress: Ingress; problem: Problem }[] = [];
  for (const ingress of ingresses) {
    const entries = ingress.spec.tls ?? [];
    if (entries.length === 0) continue;
    const index = entries.findIndex(({ hosts = [] }) =>
      hosts.some((name) => name.toLowerCase() === host.toLowerCase()),
    );
    if (index === -1) return { certificate: bySan(host, ingress, snapshot) ?? null, problems };
    const secretName = entries[index]?.secretName ?? '';
    if (secretName === '') return { certificate: null, problems };
    const namespace = ingress.metadata.namespace ?? '';
    const secret = snapshot.get(Secret, namespace, secretName);
    const loaded = secret === undefined ? undefined : loadCertificate(secret);
    const name = `Secret ${namespace}/${secretName}`;
    const field = `spec.tls[${index}].secretName`;
    const refuse = (why: string, hint: string): HostTls => {
      const message = `the fallback certificate is shown for ${host}: ${why}`;
      problems.push({ ingress, problem: problem('InvalidCertificateRef', field, message, hint) });
      return { certificate: null, problems };
    };
    if (loaded === undefined) {
      return refuse(
        `${name} does not exist`,
        'create it, or have it issued here: annotate the Ingress with fairway.dev/issuer: local',
      );
    }
    if ('trouble' in loaded) return refuse(`${name} is of no use: ${loaded.trouble}`, 'correct it');
    if (!isFor(loaded.certificate, host)) {
      return refuse(`the certificate of ${name} is not for it`, 'have one made that is');
    }
    return { certificate: loaded.certificate, problems };
  }
  return { certificate: undefined, problems };
}

/** A certificate of the Ingress that is for the host, though no entry says so. */
function bySan(host: string, ingress: Ingress, snapshot: Snapshot): Certificate | undefined {
  for (const { secretName = '' } of ingress.spec.tls ?? []) {
    const secret = snapshot.get(Secret, ingress.metadata.namespace ?? '', secretName);
    const loaded = secret === undefined ? undefined : loadCertificate(secret);
    if (loaded !== undefined && 'certificate' in loaded && isFor(loaded.certificate, host)) {
      return loaded.certificate;
    }
  }
  return undefined;
}

/** A wildcard of a certificate takes one label. */
function isFor({ names }: Certificate, host: string): boolean {
  if (host === '') return false;
  return names.some(
    (name) => name === host || (name.startsWith('*.') && hostMatches(`?.${name.slice(2)}`, host)),
  );
}

/** Shown for hosts without a certificate; undefined as long as it was not made. */
export function fallbackCertificate(snapshot: Snapshot): Certificate | undefined {
  const secret = snapshot.get(Secret, FALLBACK_SECRET.namespace, FALLBACK_SECRET.name);
  const loaded = secret === undefined ? undefined : loadCertificate(secret);
  return loaded !== undefined && 'certificate' in loaded ? loaded.certificate : undefined;
}
