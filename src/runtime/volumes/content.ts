// A volume of a pod → the files in it, for the kinds whose content is objects: secret, configMap,
// downwardAPI and projected. Pure. What is missing is said in the words of kubelet's FailedMount
// event, because that is what people search for.

import { configMapData, secretData } from '../content.ts';
import { fieldValue, resourceValue } from '../env/fields.ts';
import type { VariableSources } from '../env/variables.ts';
import type { Container } from '../../api/core/containers.ts';
import type { Volume } from '../../api/core/volumes.ts';

export interface VolumeFile {
  /** Relative, with `/` between segments. */
  readonly path: string;
  readonly data: Buffer;
  /** Permission bits, already narrowed for what is secret. */
  readonly mode: number;
}

export type VolumeContent =
  | { readonly ok: true; readonly files: readonly VolumeFile[] }
  | { readonly ok: false; readonly message: string };

type ProjectedVolume = NonNullable<Volume['projected']>;
type ProjectedSource = NonNullable<ProjectedVolume['sources']>[number];
type DownwardItem = NonNullable<NonNullable<Volume['downwardAPI']>['items']>[number];

interface KeyToPath {
  readonly key: string;
  readonly path: string;
  readonly mode?: number;
}

/** One Secret or ConfigMap as it is to be mounted. */
interface Keys {
  readonly kind: 'secret' | 'configmap';
  readonly name: string;
  readonly data: ReadonlyMap<string, Buffer> | undefined;
  readonly items: readonly KeyToPath[] | undefined;
  readonly mode: number;
  readonly optional: boolean;
}

const DEFAULT_MODE = 0o644;

class MissingContent extends Error {}

/** The files of a volume, or undefined when its kind is not made of objects. */
export function volumeContent(volume: Volume, sources: VariableSources): VolumeContent | undefined {
  try {
    const files = filesOf(volume, sources);
    return files === undefined ? undefined : { ok: true, files };
  } catch (error) {
    if (!(error instanceof MissingContent)) throw error;
    const message = `MountVolume.SetUp failed for volume "${volume.name}" : ${error.message}`;
    return { ok: false, message };
  }
}

function filesOf(volume: Volume, sources: VariableSources): readonly VolumeFile[] | undefined {
  const { secret, configMap, downwardAPI, projected } = volume;
  if (secret !== undefined) {
    const name = secret.secretName ?? '';
    return keyFiles({
      ...secretKeys(name, sources),
      items: secret.items,
      mode: secret.defaultMode ?? DEFAULT_MODE,
      optional: secret.optional === true,
    });
  }
  if (configMap !== undefined) {
    return keyFiles({
      ...configMapKeys(configMap.name, sources),
      items: configMap.items,
      mode: configMap.defaultMode ?? DEFAULT_MODE,
      optional: configMap.optional === true,
    });
  }
  if (downwardAPI !== undefined) {
    const mode = downwardAPI.defaultMode ?? DEFAULT_MODE;
    return (downwardAPI.items ?? []).map((item) => downwardFile(item, mode, sources));
  }
  if (projected !== undefined) {
    const mode = projected.defaultMode ?? DEFAULT_MODE;
    const files = (projected.sources ?? []).flatMap((each) => projectedFiles(each, mode, sources));
    // Two sources may give the same path; the later one is there, as in kubelet.
    return [...new Map(files.map((file) => [file.path, file])).values()];
  }
  return undefined;
}

/** Sources that only a cluster can issue (tokens, certificates) give no files; findings.ts says so. */
function projectedFiles(
  source: ProjectedSource,
  mode: number,
  sources: VariableSources,
): readonly VolumeFile[] {
  const { secret, configMap, downwardAPI } = source;
  return [
    ...(secret === undefined
      ? []
      : keyFiles({
          ...secretKeys(secret.name, sources),
          items: secret.items,
          mode,
          optional: secret.optional === true,
        })),
    ...(configMap === undefined
      ? []
      : keyFiles({
          ...configMapKeys(configMap.name, sources),
          items: configMap.items,
          mode,
          optional: configMap.optional === true,
        })),
    ...(downwardAPI?.items ?? []).map((item) => downwardFile(item, mode, sources)),
  ];
}

function secretKeys(name: string, sources: VariableSources): Pick<Keys, 'kind' | 'name' | 'data'> {
  const secret = sources.secret(name);
  return { kind: 'secret', name, data: secret === undefined ? undefined : secretData(secret) };
}

function configMapKeys(
  name: string,
  sources: VariableSources,
): Pick<Keys, 'kind' | 'name' | 'data'> {
  const configMap = sources.configMap(name);
  const data = configMap === undefined ? undefined : configMapData(configMap);
  return { kind: 'configmap', name, data };
}

function keyFiles({ kind, name, data, items, mode, optional }: Keys): readonly VolumeFile[] {
  if (data === undefined) {
    if (optional) return [];
    throw new MissingContent(`${kind} "${name}" not found`);
  }
  const wanted: readonly KeyToPath[] =
    items ?? Array.from(data.keys(), (key) => ({ key, path: key }));
  const files: VolumeFile[] = [];
  for (const item of wanted) {
    const value = data.get(item.key);
    if (value !== undefined) {
      files.push({
        path: item.path,
        data: value,
        mode: narrowed(item.mode ?? mode, kind === 'secret'),
      });
    } else if (!optional) {
      const what = kind === 'secret' ? 'secret' : 'config';
      throw new MissingContent(`references non-existent ${what} key: ${item.key}`);
    }
  }
  return files;
}

function downwardFile(item: DownwardItem, mode: number, sources: VariableSources): VolumeFile {
  return {
    path: item.path,
    data: Buffer.from(downwardText(item, sources), 'utf8'),
    mode: narrowed(item.mode ?? mode, false),
  };
}

function downwardText(item: DownwardItem, sources: VariableSources): string {
  const { pod, placement } = sources;
  const { fieldRef, resourceFieldRef } = item;
  if (fieldRef !== undefined) {
    const value = fieldValue(pod, fieldRef.fieldPath, placement);
    if (value !== undefined) return value;
    throw new MissingContent(`unsupported fieldPath: ${fieldRef.fieldPath}`);
  }
  const { containerName = '', resource = '', divisor } = resourceFieldRef ?? {};
  const containers: readonly Container[] = [
    ...pod.spec.containers,
    ...(pod.spec.initContainers ?? []),
  ];
  const container = containers.find((each) => each.name === containerName);
  const value =
    container === undefined ? undefined : resourceValue(container, resource, divisor, placement);
  if (value === undefined) {
    throw new MissingContent(`unsupported resource: ${containerName} ${resource}`);
  }
  return value;
}

/** The programs run as the user, so the user can always read; of a secret nobody else ever can. */
function narrowed(mode: number, secret: boolean): number {
  return (mode & (secret ? 0o700 : 0o777)) | 0o400;
}
