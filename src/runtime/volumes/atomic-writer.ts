// Files → a folder in which all of them change at once, laid out as kubelet does it:
//
//   tls.crt -> ..data/tls.crt        what programs open
//   ..data  -> ..2026_5Kx0aB         switched by one rename
//   ..2026_5Kx0aB/tls.crt            the content
//
// Programs that watch for kubelet's way of refreshing (the rename of ..data) work unchanged.

import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { VolumeFile } from './content.ts';

const DATA = '..data';
const DATA_NEXT = '..data_tmp';

/**
 * Makes `directory` hold exactly these files, for readers from one moment to the next. Creates the
 * folder (0700) when it is not there. Throws when a path would lead out of the folder.
 */
export async function writeFiles(directory: string, files: readonly VolumeFile[]): Promise<void> {
  for (const file of files) assertInside(file.path);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const old = await readlink(join(directory, DATA)).catch(() => undefined);
  const content = await mkdtemp(join(directory, '..new_'));
  for (const file of files) await writeOne(content, file);

  const next = join(directory, DATA_NEXT);
  await rm(next, { force: true });
  await symlink(basename(content), next);
  await rename(next, join(directory, DATA));

  await linkNames(directory, new Set(files.map((file) => firstSegment(file.path))));
  if (old !== undefined) await rm(join(directory, basename(old)), { recursive: true, force: true });
}

async function writeOne(content: string, file: VolumeFile): Promise<void> {
  const path = join(content, file.path);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, file.data, { mode: 0o600 });
  // Set apart from creating it: the creation mode is cut by the umask.
  await chmod(path, file.mode);
}

/** Names that are new get their link after the switch, those that are gone lose it. */
async function linkNames(directory: string, names: ReadonlySet<string>): Promise<void> {
  const present = new Set(await readdir(directory));
  for (const name of present) {
    if (!name.startsWith('..') && !names.has(name))
      await rm(join(directory, name), { force: true });
  }
  for (const name of names) {
    if (!present.has(name)) await symlink(join(DATA, name), join(directory, name));
  }
}

function firstSegment(path: string): string {
  return path.split('/')[0] ?? path;
}

function assertInside(path: string): void {
  const segments = path.split('/');
  const leaves = segments.some((segment) => segment === '' || segment === '.' || segment === '..');
  if (leaves || path.startsWith('..') || path.includes('\0')) {
    throw new Error(`a file in a volume cannot be at path ${JSON.stringify(path)}`);
  }
}
