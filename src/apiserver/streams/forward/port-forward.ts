// `pods/portforward`: TCP connections to ports of a pod through the API server.

import { createWebSocketStream } from 'ws';
import type { StreamLimits } from '../limits.ts';
import { acceptSpdy } from '../spdy/accept.ts';
import { badRequest } from '../status.ts';
import { refuseUpgrade, upgradeKind } from '../upgrade.ts';
import type { Upgrade } from '../upgrade.ts';
import { acceptWebSocket } from '../websocket/accept.ts';
import { forwardChannels } from './channels.ts';
import type { ForwardTarget } from './dial.ts';
import { forwardStreams } from './spdy.ts';

const PORT_FORWARD = 'portforward.k8s.io';
/** A SPDY connection in binary messages, as kubectl speaks from 1.31 on. */
const TUNNEL = `SPDY/3.1+${PORT_FORWARD}`;
const CHANNELS = 'v4.channel.k8s.io';
const CHANNELS_BASE64 = 'v4.base64.channel.k8s.io';
const UNNAMED = '';

/**
 * Serves an upgrade request of `pods/portforward` until the client goes. `ports` are those of the query
 * (ports.ts), which only the oldest form over WebSockets has. Never rejects.
 */
export async function servePortForward(
  upgrade: Upgrade,
  target: ForwardTarget,
  ports: readonly number[],
  limits: StreamLimits,
): Promise<void> {
  upgrade.socket.on('error', () => {});
  switch (upgradeKind(upgrade.request)) {
    case 'spdy':
      if (acceptSpdy(upgrade, [PORT_FORWARD]) === undefined) return;
      await forwardStreams(upgrade.socket, upgrade.head, target, limits);
      return;
    case 'websocket':
      await overWebSocket(upgrade, target, ports, limits);
      return;
    case undefined:
      refuseUpgrade(upgrade, badRequest('Upgrade request required'));
  }
}

async function overWebSocket(
  upgrade: Upgrade,
  target: ForwardTarget,
  ports: readonly number[],
  limits: StreamLimits,
): Promise<void> {
  const supported = ports.length === 0 ? [TUNNEL] : [TUNNEL, CHANNELS, CHANNELS_BASE64, UNNAMED];
  const accepted = await acceptWebSocket(upgrade, supported, limits);
  if (accepted === undefined) return;
  const { socket, protocol } = accepted;
  if (protocol === TUNNEL) {
    await forwardStreams(createWebSocketStream(socket), Buffer.alloc(0), target, limits);
  } else {
    const base64 = protocol === CHANNELS_BASE64;
    await forwardChannels(socket, { base64, target, ports, limits });
  }
}
