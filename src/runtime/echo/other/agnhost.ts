// registry.k8s.io/e2e-test-images/agnhost: chooses the subcommand. Those that serve traffic are here (netexec,
// serve-hostname) and `pause`, the image's default, which serves nothing; the others are refused with a list.

import { EchoStartError } from '../errors.ts';
import type { Listeners } from '../listeners.ts';
import type { EchoPod } from '../pod.ts';
import { startNetexec } from './netexec.ts';
import { startServeHostname } from './serve-hostname.ts';

export async function startAgnhost(pod: EchoPod, listeners: Listeners): Promise<void> {
  const [command = 'pause', ...args] = pod.args;
  switch (command) {
    case 'netexec':
      return startNetexec(pod, args, listeners);
    case 'serve-hostname':
      return startServeHostname(pod, args, listeners);
    case 'pause':
      return pod.log('Paused');
    default:
      throw new EchoStartError(
        'FW_ECHO_CONFIG',
        `agnhost ${command}: only netexec, serve-hostname and pause are built in; give the container a command to run it`,
      );
  }
}
