// A container's env and envFrom → its variables as Kubernetes gives them, still with the paths of the
// manifest (mounts.ts turns those into real ones). A Secret, ConfigMap or key that is missing and not
// optional keeps the container from starting, in the words kubelet uses.

import { configMapData, secretData } from '../content.ts';
import type { ConfigMap } from '../../api/core/config-map.ts';
import type { Container } from '../../api/core/containers.ts';
import type { EnvFromSource, EnvVar } from '../../api/core/env.ts';
import type { Pod } from '../../api/core/pod.ts';
import type { Secret } from '../../api/core/secret.ts';
import type { Service } from '../../api/core/service.ts';
import { expandVariables } from './expand.ts';
import { fieldValue, resourceValue } from './fields.ts';
import type { Placement } from './fields.ts';
import { serviceVariables } from './service-links.ts';

/** What variables are made from: objects of the pod's namespace, and where the pod runs. */
export interface VariableSources {
  readonly pod: Pod;
  readonly placement: Placement;
  secret(name: string): Secret | undefined;
  configMap(name: string): ConfigMap | undefined;
  /** The services of the namespace, sorted, and default/kubernetes where there is one. */
  readonly services: readonly Service[];
}

export type VariablesResult =
  | { readonly ok: true; readonly variables: ReadonlyMap<string, string> }
  /** Why the container cannot be made, as in a CreateContainerConfigError. */
  | { readonly ok: false; readonly message: string };

/** Thrown and caught in this file only: one missing reference ends the whole walk. */
class MissingReference extends Error {}

/** The variables of a container; later sources win: service links, then envFrom, then env. */
export function containerVariables(
  container: Container,
  sources: VariableSources,
): VariablesResult {
  const variables = new Map<string, string>();
  const links = serviceVariables(linkedServices(sources), sources.placement.firstOpenPort);
  const lookup = (name: string): string | undefined => variables.get(name) ?? links.get(name);
  try {
    for (const from of container.envFrom ?? []) addAll(from, sources, variables);
    for (const variable of container.env ?? []) {
      const value = valueOf(variable, container, sources, lookup);
      if (value !== undefined) variables.set(variable.name, value);
    }
  } catch (error) {
    if (error instanceof MissingReference) return { ok: false, message: error.message };
    throw error;
  }
  return { ok: true, variables: new Map([...links, ...variables]) };
}

/** With enableServiceLinks off only the API server's own service is linked. */
function linkedServices({ pod, services }: VariableSources): readonly Service[] {
  if (pod.spec.enableServiceLinks !== false) return services;
  return services.filter(isApiServer);
}

/** The Service default/kubernetes, which every pod of every namespace is told about. */
export function isApiServer(service: Service): boolean {
  return service.metadata.name === 'kubernetes' && service.metadata.namespace === 'default';
}

function addAll(
  from: EnvFromSource,
  sources: VariableSources,
  variables: Map<string, string>,
): void {
  const prefix = from.prefix ?? '';
  for (const [key, value] of dataOf(from, sources)) {
    const name = prefix + key;
    if (isVariableName(name)) variables.set(name, value.toString('utf8'));
  }
}

function dataOf(from: EnvFromSource, sources: VariableSources): ReadonlyMap<string, Buffer> {
  const { configMapRef, secretRef } = from;
  if (configMapRef !== undefined) {
    const configMap = sources.configMap(configMapRef.name);
    if (configMap !== undefined) return configMapData(configMap);
    if (configMapRef.optional !== true) {
      throw new MissingReference(`configmap "${configMapRef.name}" not found`);
    }
  }
  if (secretRef !== undefined) {
    const secret = sources.secret(secretRef.name);
    if (secret !== undefined) return secretData(secret);
    if (secretRef.optional !== true) {
      throw new MissingReference(`secret "${secretRef.name}" not found`);
    }
  }
  return new Map();
}

function valueOf(
  variable: EnvVar,
  container: Container,
  sources: VariableSources,
  lookup: (name: string) => string | undefined,
): string | undefined {
  const from = variable.valueFrom;
  if (from === undefined) return expandVariables(variable.value ?? '', lookup);
  if (from.fieldRef !== undefined) {
    const { fieldPath } = from.fieldRef;
    const value = fieldValue(sources.pod, fieldPath, sources.placement);
    if (value === undefined) throw new MissingReference(`unsupported fieldPath: ${fieldPath}`);
    return value;
  }
  if (from.resourceFieldRef !== undefined) {
    const { resource, divisor, containerName } = from.resourceFieldRef;
    const of = containerNamed(sources.pod, containerName) ?? container;
    const value = resourceValue(of, resource, divisor, sources.placement);
    if (value === undefined) throw new MissingReference(`unsupported resource: ${resource}`);
    return value;
  }
  if (from.configMapKeyRef !== undefined) {
    const { name, key, optional } = from.configMapKeyRef;
    const configMap = sources.configMap(name);
    const missing = `configmap "${name}" not found`;
    const data = configMap === undefined ? undefined : configMapData(configMap);
    return keyOf(data, key, optional, missing, `ConfigMap ${namespaceOf(sources)}/${name}`);
  }
  if (from.secretKeyRef !== undefined) {
    const { name, key, optional } = from.secretKeyRef;
    const secret = sources.secret(name);
    const missing = `secret "${name}" not found`;
    const data = secret === undefined ? undefined : secretData(secret);
    return keyOf(data, key, optional, missing, `Secret ${namespaceOf(sources)}/${name}`);
  }
  throw new MissingReference(`Fairway cannot take ${variable.name} from a file (fileKeyRef)`);
}

function keyOf(
  data: ReadonlyMap<string, Buffer> | undefined,
  key: string,
  optional: boolean | undefined,
  objectMissing: string,
  object: string,
): string | undefined {
  const value = data?.get(key);
  if (value !== undefined) return value.toString('utf8');
  if (optional === true) return undefined;
  throw new MissingReference(
    data === undefined ? objectMissing : `couldn't find key ${key} in ${object}`,
  );
}

function namespaceOf(sources: VariableSources): string {
  return sources.pod.metadata.namespace ?? '';
}

function containerNamed(pod: Pod, name: string | undefined): Container | undefined {
  if (name === undefined) return undefined;
  const all: readonly Container[] = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  return all.find((container) => container.name === name);
}

/** What an environment can hold as a name at all; Kubernetes skips the others of an envFrom. */
function isVariableName(name: string): boolean {
  return /^[^=\0\s][^=\0]*$/.test(name);
}
