// WebSockets that are open while routes change, and the server behind them: a thread of its own. Each says
// something every few seconds and expects to hear it back.

import type { AddressInfo } from 'node:net';
import { parentPort } from 'node:worker_threads';
import { WebSocket, WebSocketServer } from 'ws';
import { WEB_SOCKET_HOST } from '../support/manifests.ts';

export type ToSockets =
  | {
      readonly kind: 'open';
      readonly address: string;
      readonly port: number;
      readonly count: number;
    }
  | { readonly kind: 'count' };

export type FromSockets =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'opened' }
  | {
      readonly kind: 'counted';
      readonly closed: number;
      readonly sent: number;
      readonly echoed: number;
    };

const SAY_EVERY_MS = 5_000;
/** For the last answers to come in. */
const LAST_MS = 1_000;

function run(send: (message: FromSockets) => void): (message: ToSockets) => void {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
  server.on('listening', () => {
    send({ kind: 'listening', port: (server.address() as AddressInfo).port });
  });
  const sockets: WebSocket[] = [];
  let [closed, sent, echoed] = [0, 0, 0];
  let timer: NodeJS.Timeout | undefined;

  const open = async (message: Extract<ToSockets, { kind: 'open' }>): Promise<void> => {
    for (let i = 0; i < message.count; i++) {
      const socket = new WebSocket(`ws://${message.address}:${message.port}/`, {
        headers: { host: WEB_SOCKET_HOST },
      });
      await new Promise<void>((resolve, reject) => {
        socket.once('open', resolve);
        socket.once('error', reject);
      });
      socket.on('message', () => echoed++);
      socket.on('close', () => closed++);
      sockets.push(socket);
    }
    let next = 0;
    timer = setInterval(() => {
      sockets[next++ % sockets.length]!.send('hello');
      sent++;
    }, SAY_EVERY_MS / message.count);
    send({ kind: 'opened' });
  };

  return (message) => {
    if (message.kind === 'open') void open(message);
    else {
      clearInterval(timer);
      setTimeout(() => send({ kind: 'counted', closed, sent, echoed }), LAST_MS);
    }
  };
}

// The entry of a thread, imported by nobody for more than its types.
parentPort?.on(
  'message',
  run((message) => parentPort?.postMessage(message)),
);
