// The pods of a StatefulSet: each has a number, and with it a name, a place in the DNS and storage that
// outlast the pod (k8s.io/kubernetes pkg/controller/statefulset/stateful_set_utils.go).

import { StatefulSet } from '../../../api/apps/stateful-set.ts';
import type { Pod } from '../../../api/core/pod.ts';
import { controllerReference, isTerminating } from '../../shared/metadata.ts';
import { availableAtMs, isReady } from '../../shared/pods.ts';
import { podFromTemplate } from '../pod-from-template.ts';
import type { Revision } from './revisions.ts';

const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name';
const POD_INDEX_LABEL = 'apps.kubernetes.io/pod-index';
const REVISION_LABEL = 'controller-revision-hash';

/** A place in the set: a pod that is there, or one that is to be made. */
export interface Replica {
  readonly ordinal: number;
  readonly pod: Pod;
  readonly exists: boolean;
}

/** The number at the end of a pod's name; undefined when the pod is not one of the set's by name. */
export function ordinalOf(set: StatefulSet, { metadata }: Pod): number | undefined {
  const { name: setName = '' } = set.metadata;
  const match = /^(.*)-(\d{1,9})$/.exec(metadata.name ?? '');
  return match === null || match[1] !== setName ? undefined : Number(match[2]);
}

export function firstOrdinal({ spec }: StatefulSet): number {
  return spec.ordinals?.start ?? 0;
}

export function revisionNameOf({ metadata }: Pod): string {
  return metadata.labels?.[REVISION_LABEL] ?? '';
}

/**
 * A pod of the set that is to be made. Its claims are named as Kubernetes names them; no object is made
 * of them, as whoever runs the pod keeps a folder for each name.
 */
export function newReplica(set: StatefulSet, ordinal: number, revision: Revision): Replica {
  const { namespace = '', name: setName = '' } = set.metadata;
  const { serviceName, volumeClaimTemplates = [] } = set.spec;
  const name = `${setName}-${ordinal}`;
  const owner = controllerReference(StatefulSet, set);
  const { template } = revision;
  const pod = podFromTemplate({ template, namespace, name, generateName: `${setName}-`, owner });
  const claims = volumeClaimTemplates.map((claim) => {
    const claimName = claim.metadata.name ?? '';
    const volume = { claimName: `${claimName}-${name}` };
    return { name: claimName, persistentVolumeClaim: volume };
  });
  const names = new Set(claims.map((claim) => claim.name));
  const others = (pod.spec.volumes ?? []).filter((volume) => !names.has(volume.name));
  const volumes = [...claims, ...others];
  return {
    ordinal,
    exists: false,
    pod: {
      ...pod,
      metadata: {
        ...pod.metadata,
        labels: {
          ...pod.metadata.labels,
          [POD_NAME_LABEL]: name,
          [POD_INDEX_LABEL]: String(ordinal),
          [REVISION_LABEL]: revision.name,
        },
      },
      spec: {
        ...pod.spec,
        hostname: name,
        ...(serviceName === undefined || serviceName === '' ? {} : { subdomain: serviceName }),
        ...(volumes.length === 0 ? {} : { volumes }),
      },
    },
  };
}

/** The pod with its labels of identity, which somebody may have taken off; the same when they are on. */
export function withIdentity(replica: Replica): Pod {
  const { pod, ordinal } = replica;
  const { name = '', labels = {} } = pod.metadata;
  if (labels[POD_NAME_LABEL] === name && labels[POD_INDEX_LABEL] === String(ordinal)) return pod;
  const own = { [POD_NAME_LABEL]: name, [POD_INDEX_LABEL]: String(ordinal) };
  return { ...pod, metadata: { ...pod.metadata, labels: { ...labels, ...own } } };
}

export function isRunningAndReady(pod: Pod): boolean {
  return pod.status.phase === 'Running' && isReady(pod);
}

export function isAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  const atMs = availableAtMs(pod, minReadySeconds);
  return isRunningAndReady(pod) && atMs !== undefined && atMs <= nowMs;
}

/** Missing, not ready for long enough, or about to end. */
export function isUnavailable(replica: Replica, minReadySeconds: number, nowMs: number): boolean {
  const { pod, exists } = replica;
  return !exists || isTerminating(pod) || !isAvailable(pod, minReadySeconds, nowMs);
}
