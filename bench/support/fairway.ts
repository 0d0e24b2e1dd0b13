// A Fairway to be measured: started by its own command, at addresses that no other Fairway of this
// machine has.

import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from './benchmark.ts';
import type { Running } from './scratch.ts';

export const FAIRWAY = join(import.meta.dirname, '..', '..', 'bin', 'fairway');

/** The address of the only Gateway of the first Fairway, by the configuration below. */
export const ADDRESS = addressOf(1);

/** The same of another one, that runs at the same time. */
export function addressOf(number: number): string {
  return `127.${149 + number}.0.1`;
}

function configuration(number: number): string {
  return `apiVersion: fairway.dev/v1alpha1
kind: FairwayConfiguration
network:
  serviceCIDR: 127.${109 + number}.0.0/16
  gatewayCIDR: 127.${149 + number}.0.0/17
  loadBalancerCIDR: 127.${149 + number}.128.0/17
  localhost: false
`;
}

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
  options: {
    readonly args: readonly string[];
    readonly cores?: string;
    /** Of those that run at the same time; 1 when absent. */
    readonly number?: number;
  },
): Promise<Running> {
  const { scratch, signal } = context;
  const { number = 1 } = options;
  const config = scratch.write(`fairway-${number}.yaml`, configuration(number));
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
