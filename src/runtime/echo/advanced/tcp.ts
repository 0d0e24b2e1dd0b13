// echo-advanced over TCP and UDP: tells about itself, then repeats what it gets.

import type { RemoteInfo, Socket as UdpSocket } from 'node:dgram';
import type { Socket } from 'node:net';
import { ipOf, connectionFields, fieldLines } from './fields.ts';
import { remoteAddress } from '../listeners.ts';
import type { AdvancedPort, Identity } from './settings.ts';

const SERVER_FIRST_LINE = 'server-first-protocol\n';
/** However busy a connection is, it is reset after this time. */
const CONNECTION_MS_MAX = 15_000;

/**
 * Serves one TCP connection. The fields wait for the client's first bytes (or its end): a client of a server-first
 * port must be able to read the first line alone.
 */
export function serveTcp(socket: Socket, port: AdvancedPort, identity: Identity): void {
  const timer = setTimeout(() => socket.resetAndDestroy(), CONNECTION_MS_MAX);
  socket.once('close', () => clearTimeout(timer));
  if (port.isServerFirst) socket.write(SERVER_FIRST_LINE);
  const introduce = (): void => {
    socket.write(fieldLines(connectionFields(identity, port.port, ipOf(remoteAddress(socket)))));
  };
  socket.once('data', introduce);
  socket.on('data', (chunk) => {
    if (!socket.write(chunk)) socket.pause();
  });
  socket.on('drain', () => socket.resume());
  socket.once('end', () => {
    if (socket.listeners('data').includes(introduce)) introduce();
    socket.end();
  });
}

/** A datagram is answered with the fields only; its content is not repeated. */
export function answerUdp(port: number, identity: Identity) {
  return (_message: Buffer, from: RemoteInfo, socket: UdpSocket): void => {
    socket.send(
      fieldLines(connectionFields(identity, port, from.address)),
      from.port,
      from.address,
    );
  };
}
