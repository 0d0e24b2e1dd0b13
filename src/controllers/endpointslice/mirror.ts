// One Endpoints object → the slices that say the same (KEP-0752): one for each set of ports and family.

import { Endpoints } from '../../api/core/endpoints.ts';
import type { Service } from '../../api/core/service.ts';
import { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import type { Endpoint } from '../../api/discovery/endpoint-slice.ts';
import { deepEqual } from '../../lib/equal.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { ObjectWrite } from '../../store/write.ts';
import { freeNames } from '../shared/hash.ts';
import { controllerReference, isTerminating, uidOf } from '../shared/metadata.ts';
import { putWrite, removeWrites } from '../shared/writes.ts';
import { repackSubsets } from './repack.ts';
import type { RepackedSubset } from './repack.ts';
import {
  MANAGED_BY_LABEL,
  portMapKey,
  SERVICE_NAME_LABEL,
  TRIGGER_TIME_ANNOTATION,
} from './slice.ts';
import type { Family } from './slice.ts';

/** Who makes slices from Endpoints. */
export const MIRROR_MANAGER = 'endpointslicemirroring-controller.k8s.io';

/** Addresses of one subset that are mirrored; the others are left out. */
export const MIRRORED_MAX = 1000;

const SKIP_LABEL = 'endpointslice.kubernetes.io/skip-mirror';
const LEADER_ANNOTATION = 'control-plane.alpha.kubernetes.io/leader';
const APPLIED_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';

/** True for Endpoints that people keep for a Service of the same name that has no selector. */
export function isMirrored({ metadata }: Endpoints, service: Service | undefined): boolean {
  if (service === undefined || Object.keys(service.spec.selector ?? {}).length > 0) return false;
  if (metadata.labels?.[SKIP_LABEL] === 'true') return false;
  return metadata.annotations?.[LEADER_ANNOTATION] === undefined;
}

/** The writes that make `slices`, those mirrored so far, say what `endpoints` say. */
export function planMirror(
  snapshot: Snapshot,
  endpoints: Endpoints,
  slices: readonly EndpointSlice[],
): readonly ObjectWrite[] {
  const unused = new Map(slices.map((slice) => [slice.metadata.name ?? '', slice]));
  const wanted = repackSubsets(endpoints.subsets ?? []).flatMap((subset) =>
    (['IPv4', 'IPv6'] as const).flatMap((family) => mirrored(endpoints, subset, family)),
  );
  // First whoever has the same ports keeps its name, then what is left over is written anew.
  const named = new Map<EndpointSlice, string>();
  const take = (slice: EndpointSlice, fits: (old: EndpointSlice) => boolean): void => {
    const found = named.has(slice) ? undefined : [...unused].find(([, old]) => fits(old));
    if (found === undefined) return;
    named.set(slice, found[0]);
    unused.delete(found[0]);
  };
  for (const slice of wanted)
    take(slice, (old) => isOwned(old, endpoints) && hasSamePorts(old, slice));
  for (const slice of wanted) {
    take(slice, (old) => isOwned(old, endpoints) && old.addressType === slice.addressType);
  }
  const made = isTerminating(endpoints) ? wanted.filter((slice) => named.has(slice)) : wanted;
  const { namespace = '', name: service = '' } = endpoints.metadata;
  const table = snapshot.table(EndpointSlice);
  const isTaken = (name: string): boolean => table.get(namespace, name) !== undefined;
  const nextName = freeNames(`${service}-`, uidOf(endpoints), isTaken);
  const puts = made.flatMap((slice) => {
    const name = named.get(slice) ?? nextName();
    const old = table.get(namespace, name)?.object;
    const next = { ...slice, metadata: { ...slice.metadata, name } };
    return old !== undefined && isSame(old, next) ? [] : [putWrite(snapshot, EndpointSlice, next)];
  });
  return [...puts, ...[...unused.values()].flatMap(removeSlice)];
}

export function removeSlice(slice: EndpointSlice): readonly ObjectWrite[] {
  return removeWrites(EndpointSlice, slice);
}

/** A slice without a name, or none when the subset has no address of the family. */
function mirrored(
  endpoints: Endpoints,
  subset: RepackedSubset,
  family: Family,
): readonly EndpointSlice[] {
  const members = subset.addresses
    .slice(0, MIRRORED_MAX)
    .filter(({ address }) => address.ip.includes(':') === (family === 'IPv6'));
  if (members.length === 0) return [];
  const { namespace = '', name = '', labels, annotations = {} } = endpoints.metadata;
  const {
    [TRIGGER_TIME_ANNOTATION]: _trigger,
    [APPLIED_ANNOTATION]: _applied,
    ...ownAnnotations
  } = annotations;
  const slice: EndpointSlice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: EndpointSlice.kind,
    metadata: {
      generateName: `${name}-`,
      namespace,
      labels: { ...labels, [SERVICE_NAME_LABEL]: name, [MANAGED_BY_LABEL]: MIRROR_MANAGER },
      ...(Object.keys(ownAnnotations).length > 0 ? { annotations: ownAnnotations } : {}),
      ownerReferences: [controllerReference(Endpoints, endpoints)],
    },
    addressType: family,
    endpoints: members.map(({ address, ready }): Endpoint => {
      const { ip, hostname = '', nodeName = '', targetRef } = address;
      return {
        addresses: [ip],
        conditions: { ready },
        ...(hostname === '' ? {} : { hostname }),
        ...(targetRef === undefined ? {} : { targetRef }),
        ...(nodeName === '' ? {} : { nodeName }),
      };
    }),
    ports: subset.ports.map(({ name: portName = '', port, protocol, appProtocol }) => ({
      name: portName,
      protocol,
      port,
      ...(appProtocol === undefined ? {} : { appProtocol }),
    })),
  };
  return [slice];
}

function isOwned({ metadata }: EndpointSlice, endpoints: Endpoints): boolean {
  return metadata.ownerReferences?.some(({ uid }) => uid === uidOf(endpoints)) === true;
}

function hasSamePorts(a: EndpointSlice, b: EndpointSlice): boolean {
  return a.addressType === b.addressType && portMapKey(a.ports) === portMapKey(b.ports);
}

function isSame(old: EndpointSlice, next: EndpointSlice): boolean {
  return (
    deepEqual(old.endpoints, next.endpoints) &&
    deepEqual(old.ports, next.ports) &&
    deepEqual(old.metadata.labels, next.metadata.labels) &&
    deepEqual(old.metadata.annotations ?? {}, next.metadata.annotations ?? {})
  );
}
