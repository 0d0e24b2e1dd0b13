// Where a container's mounts really are. There is no mount namespace, so a mountPath in the command,
// the args or the value of a variable is replaced by the real path. Pure text work: it cannot see
// paths that a program builds itself or reads from a file; for those there is FAIRWAY_ROOT.

/** One place in the container's file system and what is there. */
export interface Mount {
  /** Absolute, without a slash at its end. */
  readonly containerPath: string;
  /** The real file or folder. */
  readonly path: string;
}

/**
 * Makes the function that replaces the mount paths of a container in a text, longest first. A path is
 * replaced where a path can begin (not inside a longer path or a URL's path) and where its last
 * segment ends: for `/etc/app`, `--file=/etc/app/a.yaml` is changed and `/etc/apply` is not.
 */
export function mountRewriter(mounts: readonly Mount[]): (text: string) => string {
  const usable = mounts.filter((mount) => mount.containerPath !== '');
  if (usable.length === 0) return (text) => text;
  const real = new Map(usable.map((mount) => [mount.containerPath, mount.path]));
  const paths = [...real.keys()].toSorted((a, b) => b.length - a.length).map(escapePattern);
  // `file://` is the one URL whose path is a path of this machine.
  const pattern = new RegExp(
    `(?<=^|[^\\w./~%-]|\\bfile://)(?:${paths.join('|')})(?![\\w%~-]|\\.\\w)`,
    'g',
  );
  return (text) => text.replaceAll(pattern, (path) => real.get(path) ?? path);
}

/** The real path of a path inside the container, or undefined when nothing is mounted there. */
export function resolveMount(mounts: readonly Mount[], path: string): string | undefined {
  const within = mounts
    .filter((mount) => path === mount.containerPath || path.startsWith(`${mount.containerPath}/`))
    .toSorted((a, b) => b.containerPath.length - a.containerPath.length)[0];
  if (within === undefined) return undefined;
  const rest = path.slice(within.containerPath.length);
  return rest.split('/').includes('..') ? undefined : within.path + rest;
}

/** A mountPath without doubled slashes and the one at its end; empty for the root itself. */
export function normalizeMountPath(path: string): string {
  return `/${path}`.replaceAll(/\/+/g, '/').replace(/\/$/, '');
}

function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
