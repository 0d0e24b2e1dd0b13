// Which certificates Gateways, ListenerSets and Ingresses ask us for. A Gateway that names an issuer and a
// Secret that does not exist gets that Secret from the local CA, for the hosts of the listeners that refer to it; so does a
// ListenerSet that names an issuer itself, or by its Gateway. The same manifest gets a real certificate
// where cert-manager runs.

import { Secret } from '../api/core/secret.ts';
import { FALLBACK_SECRET } from '../api/fairway.ts';
import { Gateway } from '../api/gateway/gateway.ts';
import { GRPCRoute } from '../api/gateway/grpcroute.ts';
import { HTTPRoute } from '../api/gateway/httproute.ts';
import { ListenerSet } from '../api/gateway/listenerset.ts';
import { TLSRoute } from '../api/gateway/tlsroute.ts';
import { Ingress } from '../api/networking/ingress.ts';
import { hostMatches } from '../lib/hostname.ts';
import type { Snapshot } from '../store/snapshot.ts';

/** Annotations of a Gateway that ask for certificates, whatever their value names. */
const ISSUER_ANNOTATIONS = [
  'fairway.dev/issuer',
  'cert-manager.io/issuer',
  'cert-manager.io/cluster-issuer',
];

/** Marks the Secrets we made, and so may make anew. */
export const ISSUED_LABEL = 'fairway.dev/issued-by';

/** A name of every listener that has none of its own. */
const LOCAL_NAME = 'localhost';

export interface WantedCertificate {
  readonly namespace: string;
  /** Of the Secret. */
  readonly name: string;
  /** Sorted. */
  readonly dnsNames: readonly string[];
}

/** The certificates to issue: those asked for whose Secret is missing, or is ours and lacks a name. */
export function wantedCertificates(snapshot: Snapshot): readonly WantedCertificate[] {
  const asking: readonly Owner[] = [
    ...snapshot.list(Gateway).filter(namesIssuer),
    ...snapshot
      .list(ListenerSet)
      .filter((set) => namesIssuer(set) || hasIssuingGateway(set, snapshot)),
  ];
  const byIngresses = wantedByIngresses(snapshot);
  if (asking.length === 0) return byIngresses;
  const routes = [
    ...snapshot.list(HTTPRoute),
    ...snapshot.list(GRPCRoute),
    ...snapshot.list(TLSRoute),
  ];
  const hosts = new Set(routes.flatMap((route) => route.spec.hostnames ?? []));
  const byOwners = asking
    .flatMap((owner) => askedBy(owner, [...hosts]))
    .filter((wanted) => isMissing(wanted, snapshot.get(Secret, wanted.namespace, wanted.name)));
  return [...byOwners, ...byIngresses];
}

/** The Secrets of annotated Ingresses, and the one that is shown where an Ingress has none. */
function wantedByIngresses(snapshot: Snapshot): readonly WantedCertificate[] {
  const ingresses = snapshot.list(Ingress);
  if (ingresses.length === 0) return [];
  const asked = ingresses
    .filter(namesIssuer)
    .flatMap(({ metadata: { namespace = '' }, spec: { tls = [] } }) =>
      tls.flatMap(({ secretName: name = '', hosts = [] }) =>
        name === '' || hosts.length === 0
          ? []
          : [{ namespace, name, dnsNames: [...hosts].toSorted() }],
      ),
    );
  const fallback = { ...FALLBACK_SECRET, dnsNames: [LOCAL_NAME] };
  return [...asked, fallback].filter((wanted) =>
    isMissing(wanted, snapshot.get(Secret, wanted.namespace, wanted.name)),
  );
}

/** What has listeners. */
type Owner = Gateway | ListenerSet;

function namesIssuer({ metadata }: Owner | Ingress): boolean {
  return ISSUER_ANNOTATIONS.some((annotation) => annotation in (metadata.annotations ?? {}));
}

function hasIssuingGateway({ metadata, spec }: ListenerSet, snapshot: Snapshot): boolean {
  const { group, kind, namespace = metadata.namespace ?? '', name } = spec.parentRef;
  if (group !== Gateway.group || kind !== Gateway.kind) return false;
  const gateway = snapshot.get(Gateway, namespace, name);
  return gateway !== undefined && namesIssuer(gateway);
}

function askedBy(owner: Owner, hosts: readonly string[]): readonly WantedCertificate[] {
  const { namespace = '' } = owner.metadata;
  const names = new Map<string, Set<string>>();
  for (const { protocol, hostname, tls } of owner.spec.listeners) {
    if ((protocol !== 'HTTPS' && protocol !== 'TLS') || tls?.mode === 'Passthrough') continue;
    for (const ref of tls?.certificateRefs ?? []) {
      if (ref.kind !== 'Secret' || (ref.namespace ?? namespace) !== namespace) continue;
      const known = names.get(ref.name) ?? new Set();
      names.set(ref.name, known);
      for (const name of namesOf(hostname, hosts)) known.add(name);
    }
  }
  return Array.from(names, ([name, dnsNames]) => ({
    namespace,
    name,
    dnsNames: [...dnsNames].toSorted(),
  }));
}

/**
 * The names of a listener. One that takes many hosts gets each host that a route is for by name as
 * well: clients do not accept a wildcard over a whole top-level domain such as `*.localhost`.
 */
function namesOf(hostname: string | undefined, hosts: readonly string[]): readonly string[] {
  if (hostname !== undefined && !hostname.startsWith('*.')) return [hostname];
  const named = hosts.filter((h) => !h.startsWith('*.') && hostMatches(hostname ?? '', h));
  return [hostname ?? LOCAL_NAME, ...named];
}

/** The names a Secret of ours was issued for. */
export const NAMES_ANNOTATION = 'fairway.dev/dns-names';

function isMissing({ dnsNames }: WantedCertificate, secret: Secret | undefined): boolean {
  if (secret === undefined) return true;
  if (secret.metadata.labels?.[ISSUED_LABEL] === undefined) return false;
  return secret.metadata.annotations?.[NAMES_ANNOTATION] !== dnsNames.join(',');
}
