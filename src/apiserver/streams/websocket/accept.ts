// An HTTP request with `Upgrade: websocket` → a WebSocket that speaks one of the protocols we have.

import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import type { StreamLimits } from '../limits.ts';
import { badRequest } from '../status.ts';
import { listHeader, refuseUpgrade } from '../upgrade.ts';
import type { Upgrade } from '../upgrade.ts';

export interface AcceptedWebSocket {
  readonly socket: WebSocket;
  /** Empty when the client named none. */
  readonly protocol: string;
}

/**
 * Picks the first protocol of the client's that the server has too. A client that names none gets the
 * one without name, as from Kubernetes. Undefined when the request was refused.
 */
export async function acceptWebSocket(
  upgrade: Upgrade,
  supported: readonly string[],
  limits: StreamLimits,
): Promise<AcceptedWebSocket | undefined> {
  const { request, socket, head } = upgrade;
  const offered = listHeader(request, 'sec-websocket-protocol');
  const protocol =
    offered.length === 0 ? '' : offered.find((each) => each !== '' && supported.includes(each));
  if (protocol === undefined || !supported.includes(protocol)) {
    const message =
      `unable to upgrade: client supports the WebSocket protocols [${offered.join(' ')}], ` +
      `server accepts [${supported.filter((each) => each !== '').join(' ')}]`;
    refuseUpgrade(upgrade, badRequest(message));
    return undefined;
  }
  const server = new WebSocketServer({
    noServer: true,
    // Compression would let a small message become a large one.
    perMessageDeflate: false,
    maxPayload: limits.messageBytesMax,
    // Text is base64 or a small JSON text: looking at its encoding adds nothing.
    skipUTF8Validation: true,
  });
  // The protocol is chosen already, and the library would refuse names such as SPDY/3.1+… for the slash,
  // which is no character of a token (RFC 6455, 4.1).
  delete request.headers['sec-websocket-protocol'];
  server.on('headers', (headers) => {
    if (protocol !== '') headers.push(`Sec-WebSocket-Protocol: ${protocol}`);
  });
  return new Promise((resolve) => {
    // A handshake that is none is answered by the library, which closes the socket.
    socket.once('close', () => resolve(undefined));
    server.handleUpgrade(request, socket, head, (accepted) => {
      accepted.on('error', () => {});
      // The library answers pings; for a client that never reads the answers, they would pile up.
      accepted.on('ping', () => {
        if (accepted.bufferedAmount > limits.outputBytesMax) accepted.terminate();
      });
      resolve({ socket: accepted, protocol });
    });
  });
}
