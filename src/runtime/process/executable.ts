// Finds the program a command names, before it is started, so that a missing one is told in the words
// container runtimes use for it: people know them, and search for them.

import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

export type ExecutableResult =
  | { readonly ok: true; readonly path: string }
  | { readonly ok: false; readonly message: string };

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The program `name` stands for, by the PATH of the container's environment. */
export async function findExecutable(
  name: string,
  cwd: string,
  path: string = DEFAULT_PATH,
): Promise<ExecutableResult> {
  const quoted = JSON.stringify(name);
  if (name.includes('/')) {
    const file = resolve(cwd, name);
    const verdict = await examine(file);
    if (verdict === 'runs') return { ok: true, path: file };
    const message =
      verdict === 'missing'
        ? `exec: ${quoted}: stat ${file}: no such file or directory`
        : `exec: ${quoted}: permission denied`;
    return { ok: false, message };
  }
  for (const directory of path.split(':')) {
    const file = join(resolve(cwd, directory), name);
    if (name !== '' && (await examine(file)) === 'runs') return { ok: true, path: file };
  }
  return { ok: false, message: `exec: ${quoted}: executable file not found in $PATH` };
}

async function examine(file: string): Promise<'runs' | 'denied' | 'missing'> {
  const stats = await stat(file).catch(() => undefined);
  if (stats === undefined) return 'missing';
  if (!stats.isFile()) return 'denied';
  return access(file, constants.X_OK).then(
    () => 'runs',
    () => 'denied',
  );
}
