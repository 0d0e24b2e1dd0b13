// The objects a pod takes variables and files from, always as they are now.

import { availableParallelism, totalmem } from 'node:os';
import { ConfigMap } from '../../api/core/config-map.ts';
import type { Pod } from '../../api/core/pod.ts';
import { Secret } from '../../api/core/secret.ts';
import { Service } from '../../api/core/service.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { HOST_ADDRESS } from '../addresses.ts';
import type { Placement } from '../env/fields.ts';
import { isApiServer } from '../env/variables.ts';
import type { VariableSources } from '../env/variables.ts';

/** What the objects of `snapshot` give to a pod. */
export function podSources(pod: Pod, snapshot: Snapshot, placement: Placement): VariableSources {
  const namespace = pod.metadata.namespace ?? '';
  return {
    pod,
    placement,
    secret: (name) => snapshot.get(Secret, namespace, name),
    configMap: (name) => snapshot.get(ConfigMap, namespace, name),
    get services() {
      const table = snapshot.table(Service);
      const apiServer = table.get('default', 'kubernetes')?.object;
      const own = table.inNamespace(namespace).filter((service) => !isApiServer(service));
      return apiServer === undefined ? own : [...own, apiServer];
    },
  };
}

/** Where a pod runs: on this machine, whose resources it may all use. */
export function placementOf(podIp: string, firstOpenPort = 0): Placement {
  return {
    podIp,
    hostIp: HOST_ADDRESS,
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    firstOpenPort,
  };
}

/**
 * The Secrets and ConfigMaps a pod names, found or not, in a fixed order: when none of them is another
 * object than before, neither variables nor files of the pod can have changed.
 */
export function referencedObjects(pod: Pod, snapshot: Snapshot): readonly unknown[] {
  const sources = podSources(pod, snapshot, placementOf(''));
  const secret = (name: string | undefined): unknown => sources.secret(name ?? '');
  const configMap = (name: string | undefined): unknown => sources.configMap(name ?? '');
  const { volumes = [], initContainers = [], containers } = pod.spec;
  const found: unknown[] = [];
  for (const volume of volumes) {
    if (volume.secret !== undefined) found.push(secret(volume.secret.secretName));
    if (volume.configMap !== undefined) found.push(configMap(volume.configMap.name));
    for (const source of volume.projected?.sources ?? []) {
      if (source.secret !== undefined) found.push(secret(source.secret.name));
      if (source.configMap !== undefined) found.push(configMap(source.configMap.name));
    }
  }
  for (const container of [...initContainers, ...containers]) {
    for (const { secretRef, configMapRef } of container.envFrom ?? []) {
      if (secretRef !== undefined) found.push(secret(secretRef.name));
      if (configMapRef !== undefined) found.push(configMap(configMapRef.name));
    }
    for (const { valueFrom } of container.env ?? []) {
      if (valueFrom?.secretKeyRef !== undefined) found.push(secret(valueFrom.secretKeyRef.name));
      if (valueFrom?.configMapKeyRef !== undefined) {
        found.push(configMap(valueFrom.configMapKeyRef.name));
      }
    }
  }
  return found;
}
