// An upgrade request of `pods/exec` or `pods/attach` → the streams of the command.

import type { StreamLimits } from '../limits.ts';
import { badRequest } from '../status.ts';
import { refuseUpgrade, upgradeKind } from '../upgrade.ts';
import type { Upgrade } from '../upgrade.ts';
import { acceptCommandOverSpdy } from './spdy.ts';
import type { CommandOptions, CommandStreams } from './streams.ts';
import { acceptCommandOverWebSocket } from './websocket.ts';

/**
 * Switches protocols and waits for the client's streams. Undefined when it could not: the client has
 * been told, or has gone.
 */
export async function acceptCommand(
  upgrade: Upgrade,
  options: CommandOptions,
  limits: StreamLimits,
): Promise<CommandStreams | undefined> {
  // Until the new protocol has the socket, nobody else listens.
  upgrade.socket.on('error', () => {});
  switch (upgradeKind(upgrade.request)) {
    case 'websocket':
      return acceptCommandOverWebSocket(upgrade, options, limits);
    case 'spdy':
      return acceptCommandOverSpdy(upgrade, options, limits);
    case undefined:
      refuseUpgrade(upgrade, badRequest('Upgrade request required'));
      return undefined;
  }
}
