// The volumes of one pod as folders of this machine, kept up to date with the objects they show:
//
//   <pod>/volumes/<name>/            content of a volume
//   <pod>/containers/<name>/root/    a link at every mount path of a container (FAIRWAY_ROOT)
//   <pod>/containers/<name>/termination-log
//
// Kinds of volumes that need a cluster's storage become plain folders, so that the pod can run;
// findings.ts says what they are.

import { mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { expandVariables } from '../env/expand.ts';
import type { VariableSources } from '../env/variables.ts';
import type { Container, VolumeMount } from '../../api/core/containers.ts';
import type { Pod } from '../../api/core/pod.ts';
import type { Volume } from '../../api/core/volumes.ts';
import { writeFiles } from './atomic-writer.ts';
import { volumeContent } from './content.ts';
import type { VolumeFile } from './content.ts';
import { normalizeMountPath } from './mounts.ts';
import type { Mount } from './mounts.ts';

/** Why a volume cannot be mounted: the user's to repair, and tried again when objects change. */
export class MountError extends Error {}

export interface PodVolumesOptions {
  /** Folder of the pod. */
  readonly directory: string;
  /** Folder of persistent volume claims, kept from run to run. */
  readonly claimsDirectory: string;
}

export class PodVolumes {
  readonly #options: PodVolumesOptions;
  /** What was last written, by volume: unchanged content is not written again. */
  readonly #written = new Map<string, readonly VolumeFile[]>();

  constructor(options: PodVolumesOptions) {
    this.#options = options;
  }

  /**
   * Creates what is not there yet and brings the rest up to date. Rejects with a MountError when an
   * object or key is missing; a volume that was there before then keeps the content it had.
   */
  async update(pod: Pod, sources: VariableSources): Promise<void> {
    let failed: MountError | undefined;
    for (const volume of pod.spec.volumes ?? []) {
      try {
        await this.#updateOne(pod, volume, sources);
      } catch (error) {
        if (!(error instanceof MountError)) throw error;
        failed ??= error;
      }
    }
    if (failed !== undefined) throw failed;
  }

  async #updateOne(pod: Pod, volume: Volume, sources: VariableSources): Promise<void> {
    const content = volumeContent(volume, sources);
    if (content === undefined) {
      if (volume.hostPath !== undefined) await checkHostPath(volume);
      else await mkdir(this.#pathOf(pod, volume), { recursive: true, mode: 0o700 });
      return;
    }
    if (!content.ok) {
      if (this.#written.has(volume.name)) return;
      throw new MountError(content.message);
    }
    const written = this.#written.get(volume.name);
    if (written !== undefined && sameFiles(written, content.files)) return;
    await writeFiles(this.#pathOf(pod, volume), content.files);
    this.#written.set(volume.name, content.files);
  }

  /**
   * Where the mounts of a container really are, with the places they have under its root created.
   * Rejects with a MountError when a mount names something that is not there.
   */
  async mount(
    pod: Pod,
    container: Container,
    variables: ReadonlyMap<string, string>,
  ): Promise<{ readonly root: string; readonly mounts: readonly Mount[] }> {
    const directory = join(this.#options.directory, 'containers', container.name);
    const root = join(directory, 'root');
    await rm(root, { recursive: true, force: true });
    await mkdir(root, { recursive: true, mode: 0o700 });
    const mounts: Mount[] = [];
    for (const mount of container.volumeMounts ?? []) {
      mounts.push(await this.#mountOf(pod, container, mount, variables));
    }
    const log = this.terminationLog(container);
    await writeFile(log, '', { mode: 0o600 });
    const containerPath = normalizeMountPath(container.terminationMessagePath);
    if (!mounts.some((each) => each.containerPath === containerPath)) {
      mounts.push({ containerPath, path: log });
    }
    await linkMounts(root, mounts);
    return { root, mounts };
  }

  /** The file a container leaves its last words in. */
  terminationLog(container: Container): string {
    return join(this.#options.directory, 'containers', container.name, 'termination-log');
  }

  /** Removes everything but persistent volume claims. */
  async remove(): Promise<void> {
    this.#written.clear();
    await rm(this.#options.directory, { recursive: true, force: true });
  }

  async #mountOf(
    pod: Pod,
    container: Container,
    mount: VolumeMount,
    variables: ReadonlyMap<string, string>,
  ): Promise<Mount> {
    const volume = pod.spec.volumes?.find((each) => each.name === mount.name);
    if (volume === undefined) throw new MountError(`volume "${mount.name}" not found`);
    const containerPath = normalizeMountPath(mount.mountPath);
    const base = this.#pathOf(pod, volume);
    const { subPathExpr } = mount;
    const subPath =
      subPathExpr === undefined || subPathExpr === ''
        ? (mount.subPath ?? '')
        : expandVariables(subPathExpr, (name) => variables.get(name));
    if (subPath === '') return { containerPath, path: base };
    const failure = `failed to prepare subPath for volumeMount "${mount.name}" of container "${container.name}"`;
    if (subPath.startsWith('/') || subPath.split('/').includes('..')) throw new MountError(failure);
    const path = join(base, subPath);
    if ((await statOf(path)) === undefined) {
      if (this.#written.has(volume.name)) throw new MountError(failure);
      await mkdir(path, { recursive: true, mode: 0o700 });
    }
    return { containerPath, path };
  }

  #pathOf(pod: Pod, volume: Volume): string {
    if (volume.hostPath !== undefined) return volume.hostPath.path;
    const claim = volume.persistentVolumeClaim;
    return claim === undefined
      ? join(this.#options.directory, 'volumes', volume.name)
      : join(this.#options.claimsDirectory, pod.metadata.namespace ?? '', claim.claimName);
  }
}

/**
 * Puts a link at every mount path under the root. A mount below another one gets none: its link would
 * have to lie inside the other's content. The rewriting of paths (mounts.ts) does find it.
 */
async function linkMounts(root: string, mounts: readonly Mount[]): Promise<void> {
  for (const { containerPath, path } of mounts) {
    const nested = mounts.some(
      (other) =>
        other.containerPath !== containerPath &&
        containerPath.startsWith(`${other.containerPath}/`),
    );
    if (nested || containerPath === '') continue;
    const link = join(root, containerPath);
    await mkdir(dirname(link), { recursive: true, mode: 0o700 });
    await symlink(path, link);
  }
}

function sameFiles(a: readonly VolumeFile[], b: readonly VolumeFile[]): boolean {
  return (
    a.length === b.length &&
    a.every((file, i) => {
      const other = b[i];
      return (
        other !== undefined &&
        file.path === other.path &&
        file.mode === other.mode &&
        file.data.equals(other.data)
      );
    })
  );
}

/** Does what the type of a hostPath asks for; an empty type asks for nothing. */
async function checkHostPath(volume: Volume): Promise<void> {
  const { path = '', type = '' } = volume.hostPath ?? {};
  const fail = (message: string): never => {
    throw new MountError(`MountVolume.SetUp failed for volume "${volume.name}" : ${message}`);
  };
  let stats = await statOf(path);
  if (stats === undefined && type.endsWith('OrCreate')) {
    try {
      if (type === 'FileOrCreate') await writeFile(path, '', { mode: 0o644 });
      else await mkdir(path, { recursive: true, mode: 0o755 });
    } catch (error) {
      fail((error as Error).message);
    }
    stats = await statOf(path);
  }
  const check = HOST_PATH_TYPES.get(type);
  if (check !== undefined && (stats === undefined || !check.is(stats))) {
    fail(`hostPath type check failed: ${path} is not a ${check.name}`);
  }
}

const HOST_PATH_TYPES: ReadonlyMap<string, { name: string; is: (stats: Stats) => boolean }> =
  new Map([
    ['Directory', { name: 'directory', is: (stats) => stats.isDirectory() }],
    ['DirectoryOrCreate', { name: 'directory', is: (stats) => stats.isDirectory() }],
    ['File', { name: 'file', is: (stats) => stats.isFile() }],
    ['FileOrCreate', { name: 'file', is: (stats) => stats.isFile() }],
    ['Socket', { name: 'socket file', is: (stats) => stats.isSocket() }],
    ['CharDevice', { name: 'character device', is: (stats) => stats.isCharacterDevice() }],
    ['BlockDevice', { name: 'block device', is: (stats) => stats.isBlockDevice() }],
  ]);

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch {
    return undefined;
  }
}
