// One listener of a Gateway → what it serves, or why it cannot. Each problem stays with its listener:
// the others of the same Gateway go on.

import { Secret } from '../../api/core/secret.ts';
import type { Gateway } from '../../api/gateway/gateway.ts';
import type { ListenerSet } from '../../api/gateway/listenerset.ts';
import type {
  Certificate,
  ClientValidation,
  EntryProtocol,
  StreamListener,
} from '../../model/model.ts';
import { problem } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';
import { resolveClientValidation } from './client-validation.ts';
import { loadCertificate } from './certificates.ts';
import type { Surroundings } from './grants.ts';
import { GATEWAY_GROUP } from './names.ts';

export type ListenerSpec = Gateway['spec']['listeners'][number];

export interface RouteKind {
  readonly group: string;
  readonly kind: string;
}

export interface ListenerOwner {
  readonly kind: 'Gateway' | 'ListenerSet';
  readonly namespace: string;
  readonly name: string;
}

export interface ResolvedListener {
  /** `namespace/gateway/listener`, and `ListenerSet namespace/name/listener` */
  readonly id: string;
  /** The Gateway or the ListenerSet it stands in. */
  readonly owner: ListenerOwner;
  readonly name: string;
  readonly port: number;
  /** What the port speaks; undefined when Fairway does not serve the protocol. */
  readonly protocol: EntryProtocol | undefined;
  /** How a listener without requests takes its connections; undefined for HTTP and HTTPS. */
  readonly mode: StreamListener['mode'] | undefined;
  readonly hostname: string;
  /** Kinds of routes that may attach. */
  readonly kinds: readonly RouteKind[];
  readonly allowedNamespaces: ListenerSpec['allowedRoutes']['namespaces'];
  readonly certificates: readonly Certificate[];
  /** What clients must show; undefined when they need show nothing. */
  readonly clientValidation: ClientValidation | undefined;
  /** Why it is not accepted at all. */
  readonly unaccepted: readonly Problem[];
  /** Which of its references lead nowhere. */
  readonly unresolved: readonly Problem[];
  /** Why it cannot be told apart from others; found by conflicts.ts. */
  readonly conflicts: readonly Problem[];
  readonly field: string;
}

/** Whether requests reach it: accepted, alone in its place, and with what it needs. */
export function isServing(listener: ResolvedListener): boolean {
  return (
    listener.protocol !== undefined &&
    listener.unaccepted.length === 0 &&
    listener.conflicts.length === 0 &&
    (!endsTls(listener) || listener.certificates.length > 0)
  );
}

function endsTls({ protocol, mode }: Pick<ResolvedListener, 'protocol' | 'mode'>): boolean {
  return protocol === 'https' || mode === 'terminate';
}

function routeKinds(...kinds: readonly string[]): readonly RouteKind[] {
  return kinds.map((kind) => ({ group: GATEWAY_GROUP, kind }));
}

const HTTP_ROUTES = routeKinds('HTTPRoute', 'GRPCRoute');
const TCP_ROUTES = routeKinds('TCPRoute');
const UDP_ROUTES = routeKinds('UDPRoute');
const TLS_ROUTES = routeKinds('TLSRoute');
/** Once TLS is off, what is left is a TCP connection. */
const TERMINATED_ROUTES = routeKinds('TLSRoute', 'TCPRoute');

function supportedRoutes({
  protocol,
  mode,
}: Pick<ResolvedListener, 'protocol' | 'mode'>): readonly RouteKind[] {
  switch (protocol) {
    case undefined:
      return [];
    case 'http':
    case 'https':
      return HTTP_ROUTES;
    case 'tls':
      return mode === 'terminate' ? TERMINATED_ROUTES : TLS_ROUTES;
    case 'tcp':
      return TCP_ROUTES;
    case 'udp':
      return UDP_ROUTES;
  }
}

/** Resolves a listener of a Gateway, which stands in the Gateway itself or in a ListenerSet of it. */
export function resolveListener(
  gateway: Gateway,
  holder: Gateway | ListenerSet,
  index: number,
  surroundings: Surroundings,
): ResolvedListener {
  const spec = holder.spec.listeners[index] as ListenerSpec;
  const { namespace = '', name = '' } = holder.metadata;
  const owner: ListenerOwner = {
    kind: holder.kind === 'ListenerSet' ? 'ListenerSet' : 'Gateway',
    namespace,
    name,
  };
  const prefix = owner.kind === 'Gateway' ? '' : `${owner.kind} `;
  const field = `spec.listeners[${index}]`;
  const protocol = protocolOf(spec);
  const mode = modeOf(spec, protocol);
  const { kinds, problems: kindProblems } = allowedKinds(
    spec,
    supportedRoutes({ protocol, mode }),
    field,
  );
  const { certificates, problems } = endsTls({ protocol, mode })
    ? resolveCertificates(owner, spec, field, surroundings)
    : { certificates: [], problems: [] };
  const clients =
    protocol === 'https'
      ? resolveClientValidation(gateway, spec.port, surroundings)
      : { validation: undefined, unaccepted: [], unresolved: [] };
  return {
    id: `${prefix}${namespace}/${name}/${spec.name}`,
    owner,
    name: spec.name,
    port: spec.port,
    protocol,
    mode,
    hostname: (spec.hostname ?? '').toLowerCase(),
    kinds,
    allowedNamespaces: spec.allowedRoutes.namespaces,
    certificates,
    clientValidation: clients.validation,
    unaccepted: [
      ...(protocol === undefined ? [unsupportedProtocol(spec, field)] : []),
      ...clients.unaccepted,
    ],
    unresolved: [...kindProblems, ...problems, ...clients.unresolved],
    conflicts: [],
    field,
  };
}

function protocolOf(spec: ListenerSpec): ResolvedListener['protocol'] {
  switch (spec.protocol) {
    case 'HTTP':
      return 'http';
    case 'HTTPS':
      return 'https';
    case 'TLS':
      return 'tls';
    case 'TCP':
      return 'tcp';
    case 'UDP':
      return 'udp';
    default:
      return undefined;
  }
}

function modeOf(
  { tls }: ListenerSpec,
  protocol: ResolvedListener['protocol'],
): ResolvedListener['mode'] {
  switch (protocol) {
    case undefined:
    case 'http':
    case 'https':
      return undefined;
    case 'tls':
      return tls?.mode === 'Passthrough' ? 'passthrough' : 'terminate';
    case 'tcp':
    case 'udp':
      return 'plain';
  }
}

function unsupportedProtocol(spec: ListenerSpec, field: string): Problem {
  return problem(
    'UnsupportedProtocol',
    `${field}.protocol`,
    `listener "${spec.name}": protocol ${spec.protocol} is not served`,
    'Fairway serves HTTP, HTTPS, TLS, TCP and UDP',
  );
}

/** The kinds that may attach: what the listener names, as far as its protocol has routes of the kind. */
function allowedKinds(
  spec: ListenerSpec,
  supported: readonly RouteKind[],
  field: string,
): { kinds: readonly RouteKind[]; problems: readonly Problem[] } {
  const asked = spec.allowedRoutes.kinds ?? [];
  if (asked.length === 0 || supported.length === 0) return { kinds: supported, problems: [] };
  const kinds = supported.filter((s) =>
    asked.some((a) => a.group === s.group && a.kind === s.kind),
  );
  const problems = asked.flatMap((a, i) =>
    supported.some((s) => a.group === s.group && a.kind === s.kind)
      ? []
      : [
          problem(
            'InvalidRouteKinds',
            `${field}.allowedRoutes.kinds[${i}]`,
            `listener "${spec.name}": ${spec.protocol} listeners have no routes of kind ${nameKind(a, GATEWAY_GROUP)}`,
            `kinds that may attach: ${supported.map((s) => s.kind).join(', ')}`,
          ),
        ],
  );
  return { kinds, problems };
}

/** A kind, with its group unless that is the usual one. */
function nameKind({ group, kind }: RouteKind, usual: string): string {
  return group === usual ? kind : `${kind}.${group}`;
}

function resolveCertificates(
  owner: ListenerOwner,
  spec: ListenerSpec,
  field: string,
  surroundings: Surroundings,
): { certificates: readonly Certificate[]; problems: readonly Problem[] } {
  const certificates: Certificate[] = [];
  const problems: Problem[] = [];
  (spec.tls?.certificateRefs ?? []).forEach((ref, i) => {
    const at = `${field}.tls.certificateRefs[${i}]`;
    const found = resolveCertificate(owner, ref, surroundings);
    if ('certificate' in found) certificates.push(found.certificate);
    else {
      const message = `listener "${spec.name}": ${found.trouble}`;
      problems.push(problem(found.reason, at, message, found.hint));
    }
  });
  return { certificates, problems };
}

export type CertificateRef = NonNullable<
  NonNullable<ListenerSpec['tls']>['certificateRefs']
>[number];

/** The certificate a Gateway or ListenerSet refers to, or what is wrong with the reference. */
export function resolveCertificate(
  { kind, namespace }: Pick<ListenerOwner, 'kind' | 'namespace'>,
  ref: CertificateRef,
  { reader, grants }: Surroundings,
): { certificate: Certificate } | { reason: string; trouble: string; hint?: string } {
  if (ref.group !== '' || ref.kind !== 'Secret') {
    const trouble = `certificates come from Secrets, not from ${nameKind(ref, '')} "${ref.name}"`;
    return { reason: 'InvalidCertificateRef', trouble };
  }
  const to = { group: '', kind: 'Secret', namespace: ref.namespace ?? namespace, name: ref.name };
  if (!grants.permits({ group: GATEWAY_GROUP, kind, namespace }, to)) {
    const trouble = `no ReferenceGrant in namespace "${to.namespace}" lets ${kind}s of "${namespace}" use Secret "${ref.name}"`;
    const hint = `add a ReferenceGrant to namespace ${to.namespace}`;
    return { reason: 'RefNotPermitted', trouble, hint };
  }
  const secret = reader.get(Secret, to.namespace, to.name);
  const name = `Secret ${to.namespace}/${to.name}`;
  if (secret === undefined) {
    return {
      reason: 'InvalidCertificateRef',
      trouble: `${name} does not exist`,
      hint: 'create it, or have it issued here: annotate the Gateway with fairway.dev/issuer: local',
    };
  }
  const loaded = loadCertificate(secret);
  return 'certificate' in loaded
    ? loaded
    : { reason: 'InvalidCertificateRef', trouble: `${name} is of no use: ${loaded.trouble}` };
}
