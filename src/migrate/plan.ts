// The move as a plan: in which order, what becomes of DNS names and certificates on the way, and how to
// go back at each step.

import { Ingress } from '../api/networking/ingress.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { GeneratedObject, MigrateOptions, PlanStep } from './types.ts';

const DNS_ANNOTATION = /^external-dns\.(?:alpha\.)?kubernetes\.io\//;
const ISSUER_ANNOTATION =
  /^(?:cert-manager\.io\/|kubernetes\.io\/tls-acme$|acme\.cert-manager\.io\/)/;

export function planMove(
  snapshot: Snapshot,
  ours: ReadonlySet<string>,
  objects: readonly GeneratedObject[],
  { gateway, gatewayClass }: MigrateOptions,
): readonly PlanStep[] {
  const ingresses = snapshot
    .list(Ingress)
    .filter(({ metadata }) => ours.has(`${metadata.namespace ?? ''}/${metadata.name ?? ''}`));
  const saying = (form: RegExp): readonly string[] =>
    ingresses
      .filter(({ metadata }) => Object.keys(metadata.annotations ?? {}).some((a) => form.test(a)))
      .map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`);
  const hosts = new Set(
    ingresses.flatMap(({ spec }) =>
      (spec.rules ?? []).map(({ host = '' }) => host).filter((h) => h !== ''),
    ),
  );
  const dns = saying(DNS_ANNOTATION);
  const issued = saying(ISSUER_ANNOTATION);
  const hasOwn = objects.some(({ apiVersion }) => apiVersion.startsWith('fairway.dev/'));
  const secrets = [...new Set(objects.flatMap(certificatesOf))].toSorted();
  return [
    {
      title: 'Prove it',
      lines: [
        'fairway migrate PATH --prove, and once more with --requests and an access log of a usual day; keep the report.',
        'Decide on everything it calls lost before you go on.',
      ],
    },
    {
      title: 'Lower the time to live of the DNS records',
      lines: [
        `Set it to 60 s for the ${hosts.size} host${hosts.size === 1 ? '' : 's'}, and wait for the old one to pass. Back: nothing was changed.`,
      ],
    },
    {
      title: 'Put the new beside the old',
      lines: [
        `Install the Gateway API CRDs and a controller for GatewayClass ${gatewayClass}${hasOwn ? ', which must be Fairway: some objects are of fairway.dev (or migrate with --standard-only)' : ''}.`,
        `kubectl apply the Gateway, ListenerSets and ReferenceGrants first, and wait until Gateway ${gateway} is Programmed and has an address; then the routes and policies.`,
        'Ingresses stay as they are, and so does their traffic. Back: kubectl delete what was applied.',
      ],
    },
    {
      title: 'Certificates',
      lines: [
        ...(secrets.length === 0
          ? ['No listener has a certificate: nothing to do.']
          : [
              `${secrets.length} Secret${secrets.length === 1 ? ' is' : 's are'} used by both sides: ${list(secrets)}.`,
              'cert-manager owns them through the Ingress as long as that exists. Make Certificate objects of their own for them before any Ingress goes (the same secretName and dnsNames), so that deleting an Ingress takes no certificate along.',
            ]),
        ...(issued.length === 0 ? [] : [`Issued for Ingresses now: ${list(issued)}.`]),
        'HTTP-01: challenges come to the address DNS gives. Until the switch the solver must be an Ingress (ingressClassName), from the switch on a gatewayHTTPRoute whose parentRefs name this Gateway and sectionName http, or it is attached to HTTPS alone and fails.',
        'The exact path of a challenge comes before the redirect to HTTPS, as exact paths come before prefixes. Do not switch within the last days of a certificate, and do not let one renew in between: or use DNS-01.',
      ],
    },
    {
      title: 'Ask the new one',
      lines: [
        'curl --resolve HOST:443:ADDRESS https://HOST/ for a few hosts, then your own smoke tests. Back: nothing was changed for clients.',
      ],
    },
    {
      title: 'Switch DNS, one host after another',
      lines: [
        ...(dns.length === 0
          ? [
              'No Ingress speaks to ExternalDNS; it may still watch the source ingress. Without it, change the records by hand. Back: change them back.',
            ]
          : [`These Ingresses speak to ExternalDNS: ${list(dns)}.`]),
        'ExternalDNS keeps a record with the Ingress as long as any Ingress has the host: a route alone does not move it. Run it with both sources (ingress and gateway-httproute), the same --txt-owner-id and --policy upsert-only, so that nothing is deleted on the way.',
        'For each host: set external-dns.kubernetes.io/controller to none on its Ingresses (or take the host out of them); ExternalDNS then writes the address of the Gateway, as the route is Accepted. Annotations for targets belong on the Gateway, all others on the routes.',
        'Look that the TXT record of ownership still names you, then at errors and latency. Back: take the annotation away; the record returns within the time to live.',
      ],
    },
    {
      title: 'Take the old away',
      lines: [
        'After some days without requests at the old address: delete the Ingresses, then the controller. Keep the files: kubectl apply and the DNS step backwards is the way back.',
        'Raise the time to live again, and set --policy sync again if it was.',
      ],
    },
  ];
}

/** Names shown of a list. */
const SHOWN_MAX = 8;

function list(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN_MAX).join(', ');
  return names.length > SHOWN_MAX ? `${shown} and ${names.length - SHOWN_MAX} more` : shown;
}

interface WrittenListener {
  readonly tls?: {
    readonly certificateRefs?: readonly { readonly name: string; readonly namespace?: string }[];
  };
}

function certificatesOf({ namespace, spec }: GeneratedObject): readonly string[] {
  const listeners = (spec['listeners'] ?? []) as unknown as readonly WrittenListener[];
  return listeners.flatMap(({ tls }) =>
    (tls?.certificateRefs ?? []).map((ref) => `${ref.namespace ?? namespace}/${ref.name}`),
  );
}
