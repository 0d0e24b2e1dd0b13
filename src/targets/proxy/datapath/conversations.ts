// Connections that are handed on whole, as whoever drains sees them: which of them look as if something
// were under way. What they carry is not known, so it is judged by who spoke last, and how long ago.
//
// Not hot: once for each connection, and when somebody drains.

import type { Socket } from 'node:net';

/** So long after anything was said, more may follow. */
const QUIET_MS = 500;

interface Conversation {
  /** The client has said something that has not been answered, or there is nobody to answer yet. */
  isWaiting: boolean;
  lastMs: number;
}

export class Conversations {
  readonly #open = new Map<Socket, Conversation>();

  /** Begins with the client waiting for somebody to be connected to. */
  begin(client: Socket): void {
    this.#open.set(client, { isWaiting: true, lastMs: performance.now() });
    client.on('close', () => this.#open.delete(client));
  }

  /** Somebody has said something; to be connected to somebody counts as an answer. */
  note(client: Socket, fromClient: boolean): void {
    const conversation = this.#open.get(client);
    if (conversation === undefined) return;
    conversation.isWaiting = fromClient;
    conversation.lastMs = performance.now();
  }

  /** How many clients wait for an answer, or were sent some of it a moment ago. */
  get busy(): number {
    const quietSince = performance.now() - QUIET_MS;
    const open = [...this.#open.values()];
    return open.filter((c) => c.isWaiting || c.lastMs > quietSince).length;
  }
}
