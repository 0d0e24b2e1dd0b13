// A WebSocket client of the channel protocols for tests.

import { once } from 'node:events';
import { WebSocket } from 'ws';

export class ChannelClient {
  readonly socket: WebSocket;
  readonly #received = new Map<number, Buffer[]>();
  readonly #base64: boolean;
  closed: number | undefined;

  private constructor(socket: WebSocket, base64: boolean) {
    this.socket = socket;
    this.#base64 = base64;
    socket.on('error', () => {});
    socket.on('close', (code) => (this.closed = code));
    socket.on('message', (raw) => {
      const message = raw as Buffer;
      const [first = 0] = message;
      const channel = base64 ? first - 0x30 : first;
      const content = base64
        ? Buffer.from(message.toString('latin1', 1), 'base64')
        : message.subarray(1);
      this.#received.set(channel, [...(this.#received.get(channel) ?? []), content]);
    });
  }

  static async connect(port: number, path: string, protocol: string): Promise<ChannelClient> {
    const url = `ws://127.0.0.1:${port}${path}`;
    const socket = protocol === '' ? new WebSocket(url) : new WebSocket(url, protocol);
    const client = new ChannelClient(socket, protocol.includes('base64'));
    await once(socket, 'open');
    return client;
  }

  received(channel: number): Buffer {
    return Buffer.concat(this.#received.get(channel) ?? []);
  }

  text(channel: number): string {
    return this.received(channel).toString();
  }

  send(channel: number, content: Buffer | string): void {
    const bytes = Buffer.from(content);
    if (this.#base64) this.socket.send(`${channel}${bytes.toString('base64')}`);
    else this.socket.send(Buffer.concat([Buffer.from([channel]), bytes]));
  }
}
