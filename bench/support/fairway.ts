// A Fairway to be measured: started by its own command, at addresses that no other Fairway of this
// machine has.

import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from './benchmark.ts';
import type { Running } from './scratch.ts';

export const FAIRWAY = join(import.meta.dirname, '..', '..', 'bin', 'fairway');

/** The address of the only Gateway there is, by the configuration below. */
export const ADDRESS = '127.150.0.1';

const CONFIGURATION = `apiVersion: fairway.dev/v1alpha1
kind: FairwayConfiguration
network:
  gatewayCIDR: 127.150.0.0/17
  localhost: false
`;

const READY_MS_MAX = 120_000;
const LOOK_MS = 20;

/** The environment of a Fairway that keeps everything in the scratch folder. */
export function fairwayEnvironment({ scratch }: Context): NodeJS.ProcessEnv {
  return { ...process.env, FAIRWAY_HOME: scratch.file('home'), NO_COLOR: '1' };
}

/** Starts `fairway up FOLDER --no-pods ARGS` and waits until it says that it serves. */
export async function startFairway(
  context: Context,
  folder: string,
  options: { readonly args: readonly string[]; readonly cores?: string },
): Promise<Running> {
  const { scratch, signal } = context;
  const config = scratch.write('fairway.yaml', CONFIGURATION);
  const command = [FAIRWAY, 'up', folder, '--no-pods', '--config', config, ...options.args];
  const { cores } = options;
  const env = fairwayEnvironment(context);
  const running = scratch.start(command, cores === undefined ? { env } : { env, cores });
  let code: number | null | undefined;
  void running.exited.then((exitCode) => (code = exitCode));
  const deadline = performance.now() + READY_MS_MAX;
  while (!/^(?:Ready|Serving what is ready) after /m.test(running.stdout())) {
    if (code !== undefined) throw new Error(`fairway ended with ${code}: ${running.stderr()}`);
    if (performance.now() > deadline) {
      throw new Error(`fairway did not serve in time: ${running.stdout()}`);
    }
    await delay(LOOK_MS, undefined, { signal });
  }
  return running;
}
