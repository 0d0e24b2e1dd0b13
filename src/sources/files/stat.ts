// Small facts about files and their names, shared by what looks at the file system.

import { statSync } from 'node:fs';
import type { Stats } from 'node:fs';

/** What tells one state of a file from another without reading it. */
export function identityOf(stats: Stats): string {
  return `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeMs}:${stats.ctimeMs}`;
}

/** The error code of the system, as ENOENT. */
export function codeOf(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  if (typeof code !== 'string') throw error;
  return code;
}

/** Hidden files and folders belong to tools; installed packages bring YAML of their own. */
export function isRelevantName(name: string): boolean {
  return !name.startsWith('.') && name !== 'node_modules';
}

/** Orders names by code unit: the same on every machine. */
export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** An error code of the system in plain words: `permission denied`. */
export function explainCode(code: string): string {
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'no such file or folder';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'ENXIO':
      return 'it is a socket, not a file';
    case 'ELOOP':
      return 'its symbolic links go round in a circle';
    default:
      return code;
  }
}

/** The state of what a path leads to; undefined when it leads to nothing. */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // Links that go round in a circle, or folders closed to us on the way.
    return undefined;
  }
}
