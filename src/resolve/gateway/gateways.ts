// Gateway → its listeners, resolved. What routes attach to comes later (attach.ts), and what the Gateway
// is told of itself last (../status/gateway-status.ts).

import { CONTROLLER_NAME, isOurController } from '../../api/fairway.ts';
import type { Gateway } from '../../api/gateway/gateway.ts';
import { GatewayClass } from '../../api/gateway/gatewayclass.ts';
import type { ListenerSet } from '../../api/gateway/listenerset.ts';
import { VersionedMap } from '../../lib/versioned-map.ts';
import type { Certificate } from '../../model/model.ts';
import type { PortSettings } from '../../model/port-settings.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { Memo, same } from '../reader.ts';
import type { Reader } from '../reader.ts';
import { problem } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';
import type { AssignedAddresses } from './addresses.ts';
import { isInsecure } from './client-validation.ts';
import { markConflicts } from './conflicts.ts';
import { grantsOf } from './grants.ts';
import type { Surroundings } from './grants.ts';
import { resolveListenerSets, setsByGateway } from './listener-sets.ts';
import type { ResolvedListenerSet } from './listener-sets.ts';
import { resolveCertificate, resolveListener } from './listeners.ts';
import type { ResolvedListener } from './listeners.ts';
import { gatewaySettings } from './parameters.ts';

export interface ResolvedGateway {
  /** `namespace/name` */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  /** As its class has it. */
  readonly controllerName: string;
  /** What is set for its ports; undefined when all is the default. */
  readonly settings: PortSettings | undefined;
  /** Where it is served, and what it asked for and did not get. */
  readonly assigned: AssignedAddresses;
  /** Its own. */
  readonly listeners: readonly ResolvedListener[];
  /** ListenerSets that name it, the oldest first. */
  readonly sets: readonly ResolvedListenerSet[];
  /** Whether it says anything of ListenerSets. */
  readonly takesSets: boolean;
  /** Shown to backends that ask for a certificate. */
  readonly backendCertificate: Certificate | undefined;
  /** Whether it refers to anything for itself, and which of it leads nowhere. */
  readonly hasReferences: boolean;
  readonly unresolved: readonly Problem[];
  /** Why it is not accepted at all, whatever its listeners are. */
  readonly unaccepted: readonly Problem[];
  /** Some port lets clients in whose certificate is not valid. */
  readonly isInsecure: boolean;
}

/** All Gateways we serve. The same value as long as none of them changes. */
export interface ResolvedGateways {
  /** Sorted by namespace and name. */
  readonly all: readonly ResolvedGateway[];
  /** By `namespace/name`. */
  readonly byKey: VersionedMap<ResolvedGateway>;
  /** The ListenerSets of them, by `namespace/name`. */
  readonly sets: VersionedMap<ResolvedListenerSet>;
}

const NO_ADDRESSES: AssignedAddresses = { addresses: [], unsupported: [], unusable: [] };

/** Resolves Gateways, and remembers those that did not change. */
export function createGatewayResolver(): (
  snapshot: Snapshot,
  gateways: readonly Gateway[],
  addresses: ReadonlyMap<string, AssignedAddresses>,
) => ResolvedGateways {
  const memo = new Memo<string, ResolvedGateway>();
  let last: ResolvedGateways = { all: [], byKey: VersionedMap.of(), sets: VersionedMap.of() };
  return (snapshot, gateways, addresses) => {
    const setsOf = setsByGateway(snapshot);
    const all = gateways.map((gateway) => {
      const { namespace = '', name = '', generation = 0 } = gateway.metadata;
      const key = `${namespace}/${name}`;
      const assigned = addresses.get(key) ?? NO_ADDRESSES;
      const sets = setsOf.get(key) ?? [];
      const ownInputs = [gateway.spec, gateway.metadata.uid, generation, JSON.stringify(assigned)];
      const inputs = [
        ...ownInputs,
        ...sets.flatMap(({ spec, metadata: m }) => [spec, m.uid, m.generation]),
      ];
      return memo.get(key, snapshot, inputs, (reader) => {
        const surroundings = { reader, grants: grantsOf(reader) };
        const controllerName = controllerOf(gateway, reader);
        const { settings, troubles } = gatewaySettings(gateway, reader);
        return {
          key,
          namespace,
          name,
          generation,
          controllerName,
          settings,
          assigned,
          takesSets: gateway.spec.allowedListeners !== undefined,
          unaccepted: [...assigned.unsupported, ...troubles],
          isInsecure: isInsecure(gateway),
          ...resolveBackendCertificate(gateway, surroundings),
          ...resolveListeners(gateway, sets, controllerName, surroundings),
        };
      });
    });
    memo.sweep();
    if (!same(last.all, all)) {
      last = {
        all,
        byKey: makeEqual(last.byKey, all),
        sets: makeEqual(
          last.sets,
          all.flatMap((gateway) => gateway.sets),
        ),
      };
    }
    return last;
  };
}

/** The name of ours that the class uses; the plain one where the class is not ours, or not there. */
function controllerOf({ spec }: Gateway, reader: Reader): string {
  const { controllerName = '' } = reader.get(GatewayClass, '', spec.gatewayClassName)?.spec ?? {};
  return isOurController(controllerName) ? controllerName : CONTROLLER_NAME;
}

/** The next version of a map, with these values and no others. */
function makeEqual<V extends { readonly key: string }>(
  map: VersionedMap<V>,
  values: readonly V[],
): VersionedMap<V> {
  const wanted = new Map<string, V | undefined>(Array.from(map.keys(), (key) => [key, undefined]));
  for (const value of values) wanted.set(value.key, value);
  return map.with(wanted);
}

function resolveListeners(
  gateway: Gateway,
  sets: readonly ListenerSet[],
  controllerName: string,
  surroundings: Surroundings,
): Pick<ResolvedGateway, 'listeners' | 'sets'> {
  const listeners = markConflicts(
    gateway.spec.listeners.map((_, i) => resolveListener(gateway, gateway, i, surroundings)),
  );
  return {
    listeners,
    sets: resolveListenerSets(gateway, sets, { own: listeners, controllerName }, surroundings),
  };
}

/** The listeners of a Gateway, those of its sets included. */
export function allListeners({ listeners, sets }: ResolvedGateway): readonly ResolvedListener[] {
  return sets.length === 0 ? listeners : [...listeners, ...sets.flatMap((s) => s.listeners)];
}

function resolveBackendCertificate(
  { metadata, spec }: Gateway,
  surroundings: Surroundings,
): Pick<ResolvedGateway, 'backendCertificate' | 'hasReferences' | 'unresolved'> {
  const ref = spec.tls?.backend?.clientCertificateRef;
  if (ref === undefined) {
    return { backendCertificate: undefined, hasReferences: false, unresolved: [] };
  }
  const owner = { kind: 'Gateway', namespace: metadata.namespace ?? '' } as const;
  const found = resolveCertificate(owner, ref, surroundings);
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
