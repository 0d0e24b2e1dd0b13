// Where Fairway keeps things between runs and during one, by the XDG rules; FAIRWAY_HOME overrides both.

import { homedir } from 'node:os';
import { join } from 'node:path';

export interface Paths {
  /** Kept for good: the local CA and what it issued. */
  readonly data: string;
  /** What runs now and did last: logs and volumes of pods, by block. */
  readonly state: string;
}

export function pathsFrom(env: Readonly<Record<string, string | undefined>>): Paths {
  const home = env['FAIRWAY_HOME'];
  if (home !== undefined && home !== '') {
    return { data: join(home, 'data'), state: join(home, 'state') };
  }
  const data = env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share');
  const state = env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state');
  return { data: join(data, 'fairway'), state: join(state, 'fairway') };
}

/** The folder of the local CA. */
export function caDirectory(paths: Paths): string {
  return join(paths.data, 'ca');
}

/** The folder of a running Fairway. */
export function blockDirectory(paths: Paths, block: number): string {
  return join(paths.state, `block-${block}`);
}
