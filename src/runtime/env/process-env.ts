// A container's variables → the environment of its process. It starts from a short list of the user's
// own variables, not from all of them: a program must not come to depend on one that the cluster will
// not give it, nor see what is meant for Fairway or for other programs.

/**
 * Taken over from whoever started Fairway: where programs are (PATH), who and where the user is, the
 * language and time zone, and the certificates that a company's network makes necessary.
 */
const INHERITED: readonly string[] = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'TERM',
  'TMPDIR',
  'LANG',
  'LANGUAGE',
  'LC_ALL',
  'LC_CTYPE',
  'TZ',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
];

export interface ProcessEnvOptions {
  /** The environment of Fairway itself. */
  readonly host: Readonly<Record<string, string | undefined>>;
  /** The container's own variables, with paths as in the manifest. */
  readonly variables: ReadonlyMap<string, string>;
  /** Turns mount paths in a text into the real ones. */
  readonly rewrite: (text: string) => string;
  readonly hostname: string;
  readonly podIp: string;
  /** TCP ports the pod's containers declare: what `localhost` means inside the pod (preload.cjs). */
  readonly podPorts: readonly number[];
  /** Folder under which the container's mounts are found at their paths. */
  readonly root: string;
  /** The CommonJS file every Node.js process of the pod loads first; absent for none. */
  readonly preload?: string;
  /** Marks the process and all it starts as this container's (marker.ts). */
  readonly marker: Readonly<Record<string, string>>;
  /** Where the cluster's DNS answers, as `127.96.0.10:53`, and the pod's search domains. */
  readonly dns?: { readonly server: string; readonly search: readonly string[] };
}

/**
 * The environment of a container's process. Besides the user's (above) and the container's own
 * variables it holds HOSTNAME (the pod's name), FAIRWAY_POD_IP, FAIRWAY_POD_PORTS, FAIRWAY_ROOT, the
 * marker, and NODE_OPTIONS, in which ours come before the container's.
 */
export function processEnvironment(options: ProcessEnvOptions): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = options.host[name];
    if (value !== undefined) env[name] = value;
  }
  env['HOSTNAME'] = options.hostname;
  for (const [name, value] of options.variables) env[name] = options.rewrite(value);
  env['FAIRWAY_POD_IP'] = options.podIp;
  env['FAIRWAY_POD_PORTS'] = options.podPorts.join(',');
  env['FAIRWAY_ROOT'] = options.root;
  if (options.dns !== undefined) {
    env['FAIRWAY_DNS'] = options.dns.server;
    env['FAIRWAY_DNS_SEARCH'] = options.dns.search.join(',');
  }
  if (options.preload !== undefined) {
    const own = env['NODE_OPTIONS'];
    const ours = `--require ${quoted(options.preload)}`;
    env['NODE_OPTIONS'] = own === undefined || own === '' ? ours : `${ours} ${own}`;
  }
  return { ...env, ...options.marker };
}

/** NODE_OPTIONS takes double quotes, with backslash escapes inside, and nothing else. */
function quoted(path: string): string {
  return /[\s"\\]/.test(path) ? `"${path.replaceAll(/["\\]/g, '\\$&')}"` : path;
}
