// Gateway → its listeners, resolved. What routes attach to comes later (attach.ts), and what the Gateway
// is told of itself last (../status/gateway-status.ts).

import type { Gateway } from '../../api/gateway/gateway.ts';
import type { Certificate } from '../../model/model.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { Memo, same } from '../reader.ts';
import { problem } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';
import { isInsecure } from './client-validation.ts';
import { markConflicts } from './conflicts.ts';
import { grantsOf } from './grants.ts';
import type { Surroundings } from './grants.ts';
import { resolveCertificate, resolveListener } from './listeners.ts';
import type { ResolvedListener } from './listeners.ts';

export interface ResolvedGateway {
  /** `namespace/name` */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  /** Empty when none could be assigned. */
  readonly address: string;
  readonly listeners: readonly ResolvedListener[];
  /** Shown to backends that ask for a certificate. */
  readonly backendCertificate: Certificate | undefined;
  /** Whether it refers to anything for itself, and which of it leads nowhere. */
  readonly hasReferences: boolean;
  readonly unresolved: readonly Problem[];
  /** Some port lets clients in whose certificate is not valid. */
  readonly isInsecure: boolean;
}

/** All Gateways we serve, by `namespace/name`. The same value as long as none of them changes. */
export type ResolvedGateways = ReadonlyMap<string, ResolvedGateway>;

/** Resolves Gateways, and remembers those that did not change. */
export function createGatewayResolver(): (
  snapshot: Snapshot,
  gateways: readonly Gateway[],
  addresses: ReadonlyMap<string, string>,
) => ResolvedGateways {
  const memo = new Memo<string, ResolvedGateway>();
  let last: ResolvedGateways = new Map();
  return (snapshot, gateways, addresses) => {
    const grants = grantsOf(snapshot);
    const resolved = new Map<string, ResolvedGateway>();
    for (const gateway of gateways) {
      const { namespace = '', name = '', generation = 0 } = gateway.metadata;
      const key = `${namespace}/${name}`;
      const address = addresses.get(key) ?? '';
      const inputs = [gateway.spec, gateway.metadata.uid, generation, grants, address];
      const value = memo.get(key, snapshot, inputs, (reader) => ({
        key,
        namespace,
        name,
        generation,
        address,
        isInsecure: isInsecure(gateway),
        ...resolveBackendCertificate(gateway, { reader, grants }),
        listeners: markConflicts(
          gateway.spec.listeners.map((_, i) => resolveListener(gateway, i, { reader, grants })),
        ),
      }));
      resolved.set(key, value);
    }
    memo.sweep();
    if (!same([...last.values()], [...resolved.values()])) last = resolved;
    return last;
  };
}

function resolveBackendCertificate(
  { metadata, spec }: Gateway,
  surroundings: Surroundings,
): Pick<ResolvedGateway, 'backendCertificate' | 'hasReferences' | 'unresolved'> {
  const ref = spec.tls?.backend?.clientCertificateRef;
  if (ref === undefined) {
    return { backendCertificate: undefined, hasReferences: false, unresolved: [] };
  }
  const found = resolveCertificate(metadata.namespace ?? '', ref, surroundings);
  if ('certificate' in found) {
    return { backendCertificate: found.certificate, hasReferences: true, unresolved: [] };
  }
  const reason = found.reason === 'RefNotPermitted' ? found.reason : 'InvalidClientCertificateRef';
  const unresolved = [
    problem(
      reason,
      'spec.tls.backend.clientCertificateRef',
      found.trouble,
      reason === 'RefNotPermitted' ? found.hint : 'create the Secret, with tls.crt and tls.key',
    ),
  ];
  return { backendCertificate: undefined, hasReferences: true, unresolved };
}
