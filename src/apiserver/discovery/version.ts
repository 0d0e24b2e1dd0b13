// /version: the Kubernetes version whose API is served, with our name in it.

/** Clients of these minor versions are tested against; kubectl follows the same rule to one side. */
const MINOR_MIN = 33;
const MINOR_MAX = 35;
/** Told to whoever is not kubectl. */
const MINOR = 34;
const USER_AGENT_CHARS_MAX = 200;

export interface VersionOptions {
  /** Version of Fairway itself, `0.1.0`. */
  readonly version: string;
  /** Operating system and processor as Go names them, `linux/amd64`. */
  readonly platform: string;
  /** The header User-Agent of the request. */
  readonly userAgent?: string | undefined;
}

/**
 * The document. What is served is the same for all clients from 1.32 to 1.36, but kubectl warns of a
 * server that is more than one minor version away from it, and no single number is near enough to all
 * five: so kubectl is told, of 1.33 to 1.35, the version nearest to its own.
 */
export function versionInfo({ version, platform, userAgent }: VersionOptions) {
  const minor = minorFor(userAgent);
  return {
    major: '1',
    minor: String(minor),
    gitVersion: `v1.${minor}.0+fairway-${version}`,
    gitCommit: '',
    gitTreeState: '',
    buildDate: '',
    goVersion: '',
    compiler: 'node',
    platform,
  };
}

/** `kubectl/v1.32.4 (linux/amd64) kubernetes/59526cd`; the program may have another name around it. */
function minorFor(userAgent = ''): number {
  const [program = '', version = ''] = userAgent.slice(0, USER_AGENT_CHARS_MAX).split('/');
  const minor = /^v1\.(\d{1,3})\./.exec(version)?.[1];
  if (!program.includes('kubectl') || minor === undefined) return MINOR;
  return Math.min(Math.max(Number(minor), MINOR_MIN), MINOR_MAX);
}
