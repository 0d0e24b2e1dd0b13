// Backends outside of the cluster: XBackends, and Services of type ExternalName where they are allowed.
// Neither has endpoints; their names are looked up by whoever sends requests, who refuses addresses that
// are not outside. What can be said of a name without looking it up is said here.

import { Secret } from '../../api/core/secret.ts';
import type { Service } from '../../api/core/service.ts';
import { XBackend } from '../../api/gateway/xbackend.ts';
import type { Finding } from '../../api/finding.ts';
import { nameTrouble, normalizeName } from '../../lib/outside.ts';
import type {
  Backend,
  BackendProtocol,
  BackendTls,
  Certificate,
  ExternalHost,
} from '../../model/model.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { Memo, same } from '../reader.ts';
import type { Reader } from '../reader.ts';
import type { StatusWish } from '../resolution.ts';
import { problem, verdictOf } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';
import { namesOf, resolveTrust } from './backend-tls.ts';
import type { BackendUse } from './backends.ts';
import { loadCertificate } from './certificates.ts';
import { grantsOf } from './grants.ts';
import type { Grants } from './grants.ts';

export interface ResolvedExternal {
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  readonly host: ExternalHost;
  readonly protocol: NonNullable<XBackend['spec']['protocol']> | '';
  readonly tls?: BackendTls;
  /** What it shows to the host, if it is asked. */
  readonly certificate?: Certificate;
  /** What makes it of no use: nothing is sent there. */
  readonly unaccepted: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** XBackends by `namespace/name`. A new value only when one of them changes. */
export type Externals = ReadonlyMap<string, ResolvedExternal>;

export function createExternalResolver(): (snapshot: Snapshot) => Externals {
  const memo = new Memo<string, ResolvedExternal>();
  let last: Externals = new Map();
  return (snapshot) => {
    const resolved = snapshot.list(XBackend).map((backend) => {
      const { namespace = '', name = '', uid, generation } = backend.metadata;
      const inputs = [backend.spec, uid, generation];
      return memo.get(`${namespace}/${name}`, snapshot, inputs, (reader) =>
        resolveExternal(backend, reader, grantsOf(reader)),
      );
    });
    memo.sweep();
    if (!same([...last.values()], resolved)) {
      last = new Map(resolved.map((r) => [`${r.namespace}/${r.name}`, r]));
    }
    return last;
  };
}

function resolveExternal(
  { metadata, spec }: XBackend,
  reader: Reader,
  grants: Grants,
): ResolvedExternal {
  const { namespace = '', name = '', generation = 0 } = metadata;
  const host = { name: normalizeName(spec.externalHostname?.hostname ?? ''), port: spec.port.port };
  const trouble = nameTrouble(host.name);
  const field = 'spec.externalHostname.hostname';
  const unusable =
    trouble === undefined
      ? []
      : [problem('Invalid', field, `${JSON.stringify(host.name)} is not outside: ${trouble}`)];
  const { mode = 'None' } = spec.tls ?? {};
  const base = { namespace, name, generation, host, protocol: spec.protocol ?? ('' as const) };
  if (mode === 'None') {
    const message = `what is sent to ${host.name} crosses the network in plain text`;
    const hint = 'set tls.mode to ServerOnly';
    const warning = {
      ...problem('InsecureBackend', 'spec.tls', message, hint),
      severity: 'warning',
    } as const;
    return { ...base, unaccepted: unusable, warnings: [warning] };
  }
  const { tls, certificate, problems } = resolveTls(spec, {
    namespace,
    name,
    host,
    reader,
    grants,
  });
  return {
    ...base,
    tls,
    ...(certificate === undefined ? {} : { certificate }),
    unaccepted: [...unusable, ...problems],
    warnings: [],
  };
}

interface TlsContext {
  readonly namespace: string;
  readonly name: string;
  readonly host: ExternalHost;
  readonly reader: Reader;
  readonly grants: Grants;
}

/** Without validation, the certificate must be for the name, from an authority the system knows. */
function resolveTls(
  spec: XBackend['spec'],
  { namespace, name, host, reader, grants }: TlsContext,
): {
  readonly tls: BackendTls;
  readonly certificate?: Certificate;
  readonly problems: readonly Problem[];
} {
  const { validation, clientCertificateRef: ref } = spec.tls ?? {};
  const origin = { kind: XBackend.kind, namespace, name, field: 'spec.tls' };
  const trust =
    validation === undefined
      ? { authorities: 'system' as const, unaccepted: [], unresolved: [] }
      : resolveTrust(validation, namespace, reader, 'spec.tls.validation');
  const shown = ref === undefined ? undefined : readShown(ref, { namespace, reader, grants });
  return {
    tls: {
      serverName: validation?.hostname ?? host.name,
      authorities: trust.authorities,
      names: validation === undefined ? [{ kind: 'dns', value: host.name }] : namesOf(validation),
      ...(shown !== undefined && 'certificate' in shown
        ? { certificate: shown.certificate.key }
        : {}),
      origin,
    },
    ...(shown !== undefined && 'certificate' in shown ? { certificate: shown.certificate } : {}),
    problems: [
      ...trust.unaccepted,
      ...trust.unresolved,
      ...(shown !== undefined && 'reason' in shown ? [shown] : []),
    ],
  };
}

type SecretRef = NonNullable<NonNullable<XBackend['spec']['tls']>['clientCertificateRef']>;

function readShown(
  ref: SecretRef,
  { namespace: own, reader, grants }: Pick<TlsContext, 'namespace' | 'reader' | 'grants'>,
): { readonly certificate: Certificate } | Problem {
  const field = 'spec.tls.clientCertificateRef';
  const { group, kind, name, namespace = own } = ref;
  if (group !== Secret.group || kind !== Secret.kind) {
    const message = `${kind} "${name}" holds no certificate that Fairway can read: only Secrets do`;
    return problem('InvalidClientCertificateRef', field, message);
  }
  const from = { group: XBackend.group, kind: XBackend.kind, namespace: own };
  if (!grants.permits(from, { group, kind, namespace, name })) {
    const message = `no ReferenceGrant in namespace "${namespace}" lets XBackends of "${own}" use Secret "${name}"`;
    return problem('RefNotPermitted', field, message, `add a ReferenceGrant to ${namespace}`);
  }
  const secret = reader.get(Secret, namespace, name);
  if (secret === undefined) {
    const message = `Secret ${namespace}/${name} does not exist`;
    return problem('InvalidClientCertificateRef', field, message);
  }
  const loaded = loadCertificate(secret);
  return 'certificate' in loaded
    ? loaded
    : problem(
        'InvalidClientCertificateRef',
        field,
        `Secret ${namespace}/${name} cannot be used: ${loaded.trouble}`,
      );
}

/** Whether what a route carries can be sent to an XBackend; else why not. */
export function protocolTrouble(
  { spec }: XBackend,
  carries: BackendUse['carries'],
  protocol: BackendUse['protocol'],
): string | undefined {
  if (protocol === 'UDP') return 'an XBackend takes connections, not datagrams';
  if (carries === 'streams') return undefined;
  if (spec.protocol === 'TCP') return 'its protocol is TCP, and routes of HTTP send requests';
  return undefined;
}

/** Whether connections whose bytes are plain here go on to an XBackend in TLS. */
export function wantsTls({ spec }: XBackend): boolean {
  return spec.tls !== undefined && spec.tls.mode !== 'None';
}

/** The backend that a use of an XBackend comes to. */
export function externalBackend(use: BackendUse, found: ResolvedExternal | undefined): Backend {
  const { namespace, name } = use;
  const origin = { kind: XBackend.kind, namespace, name, field: 'spec' };
  const protocol = protocolFor(use, found?.protocol ?? '');
  const fault = found?.unaccepted.map((p) => p.message).join('; ') ?? 'it is gone';
  if (found === undefined || fault !== '') {
    return { key: use.key, protocol, fault: `${use.key}: ${fault}`, endpoints: [], origin };
  }
  const { host } = found;
  // Connections that go through in TLS of their own stay as they are.
  const tls = use.carries === 'streams' ? undefined : found.tls;
  return {
    key: use.key,
    protocol,
    ...(tls === undefined ? {} : { tls }),
    host,
    endpoints: [],
    origin,
  };
}

function protocolFor(
  { carries }: BackendUse,
  protocol: ResolvedExternal['protocol'],
): BackendProtocol {
  if (carries === 'streams' || carries === 'securedStreams') return 'tcp';
  if (carries === 'calls') return 'h2c';
  return protocol === 'HTTP2' || protocol === 'H2C' ? 'h2c' : 'http';
}

/** Why a Service of type ExternalName cannot be sent requests to, even where such Services are allowed. */
export function externalNameTrouble({ spec }: Service): string | undefined {
  const name = normalizeName(spec.externalName ?? '');
  const trouble = nameTrouble(name);
  return trouble === undefined
    ? undefined
    : `its name ${JSON.stringify(name)} is not outside: ${trouble}`;
}

/** The host of a Service of type ExternalName. */
export function externalNameHost({ spec }: Service, port: number): ExternalHost {
  return { name: normalizeName(spec.externalName ?? ''), port };
}

/** What an XBackend is told, once for each Gateway whose requests it is for. */
export function externalStatus(
  { namespace, name, generation, unaccepted, host }: ResolvedExternal,
  gateways: ReadonlySet<string>,
  controllerOf: (gateway: string) => string,
): StatusWish {
  const good = { reason: 'Accepted', message: `requests are sent to ${host.name}:${host.port}` };
  return {
    kind: XBackend,
    namespace,
    name,
    generation,
    status: {
      kind: 'route',
      parents: [...gateways].toSorted().map((key) => {
        const [ns = '', gateway = ''] = key.split('/');
        const group = 'gateway.networking.k8s.io';
        return {
          parentRef: { group, kind: 'Gateway', namespace: ns, name: gateway },
          controllerName: controllerOf(key),
          conditions: [verdictOf('Accepted', unaccepted, good)],
        };
      }),
    },
  };
}

export function externalFindings({
  namespace,
  name,
  unaccepted,
  warnings,
}: ResolvedExternal): readonly Finding[] {
  const object = { kind: XBackend.kind, namespace, name };
  return [...unaccepted, ...warnings].map(
    ({ severity = 'error', reason, message, hint, field }) => ({
      severity,
      reason,
      message,
      ...(hint === undefined ? {} : { hint }),
      origin: { object, field },
    }),
  );
}
