// backendRefs → backends by key, or the answer a broken reference gives to its share of the requests.

import { Service } from '../../api/core/service.ts';
import type { HTTPRoute } from '../../api/gateway/httproute.ts';
import { XBackend } from '../../api/gateway/xbackend.ts';
import type { Balance } from '../../model/policy.ts';
import type { BackendTls, Origin, RespondResult } from '../../model/model.ts';
import { problem } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';
import { externalNameTrouble, protocolTrouble } from './external-backends.ts';
import { GATEWAY_GROUP } from './names.ts';
import type { Surroundings } from './grants.ts';

export type BackendRef = NonNullable<HTTPRoute['spec']['rules'][number]['backendRefs']>[number];

/** What every kind of route says of a backend. */
export type BackendObjectRef = Pick<BackendRef, 'group' | 'kind' | 'name' | 'namespace' | 'port'>;

/** A port of a Service, or an XBackend, that some route sends requests to. */
export interface BackendUse {
  readonly key: string;
  readonly kind: 'Service' | 'XBackend';
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP';
  /** What is sent there: requests, calls (gRPC is spoken over HTTP/2, whether the port says so or not), whole connections and datagrams, or connections that a policy puts into TLS. */
  readonly carries: 'requests' | 'calls' | 'streams' | 'securedStreams';
  /** Name of the port. */
  readonly portName: string;
  /** What the route itself says about how the backend is spoken to. */
  readonly manner?: BackendManner;
}

/** How a backend is spoken to, whatever its Service and policies say of it. */
export interface BackendManner {
  /** Tells it from other manners; the end of the backend's key. */
  readonly id: string;
  readonly protocol: 'http' | 'h2c';
  readonly tls?: BackendTls;
  /** Requests go to the address of the Service, and whoever serves that chooses the endpoint. */
  readonly viaClusterIp?: true;
  readonly balance?: Balance;
}

export type ResolvedBackendRef =
  | { readonly use: BackendUse }
  | { readonly broken: RespondResult; readonly problem: Problem };

export function resolveBackendRef(
  ref: BackendObjectRef,
  origin: Origin,
  { reader, grants, externalNames = false }: Surroundings,
  protocol: BackendUse['protocol'] = 'TCP',
  carries: BackendUse['carries'] = carriedBy(origin.kind),
): ResolvedBackendRef {
  const namespace = ref.namespace ?? origin.namespace;
  const { field } = origin;
  const isExternal = ref.group === XBackend.group && ref.kind === XBackend.kind;
  if (!isExternal && (ref.group !== '' || ref.kind !== 'Service')) {
    const what = ref.group === '' ? ref.kind : `${ref.kind}.${ref.group}`;
    return broken(
      'InvalidKind',
      field,
      `${what} "${ref.name}" cannot be a backend`,
      'use a Service or an XBackend',
    );
  }
  const to = { group: ref.group, kind: ref.kind, namespace, name: ref.name };
  if (
    !grants.permits({ group: GATEWAY_GROUP, kind: origin.kind, namespace: origin.namespace }, to)
  ) {
    return broken(
      'RefNotPermitted',
      field,
      `no ReferenceGrant in namespace "${namespace}" lets ${origin.kind}s of "${origin.namespace}" use ${ref.kind} "${ref.name}"`,
      `add a ReferenceGrant to namespace ${namespace}`,
    );
  }
  if (isExternal) {
    const found = reader.get(XBackend, namespace, ref.name);
    return found === undefined
      ? broken('BackendNotFound', field, `XBackend ${namespace}/${ref.name} does not exist`)
      : useExternal(found, field, carries, protocol);
  }
  const service = reader.get(Service, namespace, ref.name);
  if (service === undefined) {
    return broken('BackendNotFound', field, `Service ${namespace}/${ref.name} does not exist`);
  }
  return resolvePort(ref, service, {
    namespace,
    field,
    protocol,
    carries,
    externalNames,
  });
}

function useExternal(
  backend: XBackend,
  field: string,
  carries: BackendUse['carries'],
  protocol: BackendUse['protocol'],
): ResolvedBackendRef {
  const { namespace = '', name = '' } = backend.metadata;
  const { port, name: portName = '' } = backend.spec.port;
  const trouble = protocolTrouble(backend, carries, protocol);
  if (trouble !== undefined) {
    const message = `XBackend ${namespace}/${name} cannot be sent this: ${trouble}`;
    return broken('UnsupportedProtocol', field, message);
  }
  const suffix = carries === 'streams' ? '/TCP' : carries === 'calls' ? '/grpc' : '';
  const key = `XBackend ${namespace}/${name}:${port}${suffix}`;
  return { use: { key, kind: 'XBackend', namespace, name, port, protocol, carries, portName } };
}

function resolvePort(
  ref: BackendObjectRef,
  service: Service,
  {
    namespace,
    field,
    protocol,
    carries,
    externalNames,
  }: {
    readonly namespace: string;
    readonly field: string;
    readonly protocol: BackendUse['protocol'];
    readonly carries: BackendUse['carries'];
    readonly externalNames: boolean;
  },
): ResolvedBackendRef {
  const port = ref.port ?? 0;
  const name = `Service ${namespace}/${ref.name}`;
  const isName = service.spec.type === 'ExternalName';
  if (isName && !externalNames) {
    return broken(
      'BackendNotFound',
      field,
      `${name} is of type ExternalName, which is only a DNS name and has no endpoints`,
      'use an XBackend for a host outside, or allow such Services: externalBackends.externalNameServices in the configuration',
    );
  }
  const trouble = isName ? externalNameTrouble(service) : undefined;
  if (trouble !== undefined) return broken('BackendNotFound', field, `${name}: ${trouble}`);
  if (isName && protocol === 'UDP') {
    return broken(
      'UnsupportedProtocol',
      field,
      `${name} is a name outside, which takes no datagrams`,
    );
  }
  const ports = service.spec.ports ?? [];
  const found = ports.find((p) => p.port === port && p.protocol === protocol);
  // A name needs no ports, and then every port may be asked for.
  const isAnyPort = isName && ports.length === 0;
  if (found === undefined && !isAnyPort) {
    const others = ports
      .map((p) => (p.protocol === 'TCP' ? p.port : `${p.port}/${p.protocol}`))
      .join(', ');
    return broken(
      'BackendNotFound',
      `${field}.port`,
      `${name} has no ${protocol} port ${port}`,
      `its ports: ${others}`,
    );
  }
  const { appProtocol, name: portName = '' } = found ?? {};
  const suffix =
    carries === 'streams'
      ? `/${protocol}`
      : carries === 'calls' && appProtocol !== 'kubernetes.io/h2c'
        ? '/grpc'
        : '';
  const key = `${name}:${port}${suffix}`;
  return {
    use: { key, kind: 'Service', namespace, name: ref.name, port, protocol, carries, portName },
  };
}

/** The target of policies that a use of a backend is for. */
export function targetOf({ kind, namespace, name }: BackendUse): string {
  return `${kind} ${namespace}/${name}`;
}

/** By the kind of the route. */
function carriedBy(kind: string): BackendUse['carries'] {
  switch (kind) {
    case 'HTTPRoute':
      return 'requests';
    case 'GRPCRoute':
      return 'calls';
    default:
      return 'streams';
  }
}

function broken(reason: string, field: string, message: string, hint?: string): ResolvedBackendRef {
  return {
    broken: { kind: 'respond', statusCode: 500, reason: message },
    problem: problem(reason, field, message, hint),
  };
}
