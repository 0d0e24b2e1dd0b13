// The runtime's side of the echo thread: one for all echo pods, begun with the first of them. When it
// crashes, every echo pod in it has ended, and is restarted like any container that has.

import { PassThrough } from 'node:stream';
import { Worker } from 'node:worker_threads';
import type { ExecSession } from '../pod/exec.ts';
import type { Workload } from '../pod/workload.ts';
import { StartError } from '../process/container-process.ts';
import type { Exit } from '../process/container-process.ts';
import type { EchoStart, EchoSurroundings, FromEchoThread, ToEchoThread } from './protocol.ts';

/** How long an echo server goes on after it was told to end, so that nobody is sent to a closed port. */
const DRAIN_MS = 250;

interface Server {
  readonly started: PromiseWithResolvers<void>;
  readonly exited: PromiseWithResolvers<Exit>;
}

interface Client {
  readonly stdout: PassThrough;
  readonly stderr: PassThrough;
  readonly exited: PromiseWithResolvers<Exit>;
}

export class EchoHost {
  readonly #onError: (error: unknown) => void;
  readonly #servers = new Map<string, Server>();
  readonly #clients = new Map<number, Client>();
  #runs = 0;
  #thread: Worker | undefined;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Starts an echo server; resolves when it listens. Rejects with a StartError. */
  async start(options: EchoStart): Promise<Workload> {
    const { id } = options;
    const server: Server = { started: Promise.withResolvers(), exited: Promise.withResolvers() };
    this.#servers.set(id, server);
    this.#tell({ type: 'start', start: options });
    await server.started.promise;
    return {
      exited: server.exited.promise,
      terminate: () => this.#tell({ type: 'stop', id, drainMs: DRAIN_MS }),
      kill: () => this.#tell({ type: 'stop', id, drainMs: 0 }),
    };
  }

  /** Runs the client program of the mesh tests' image, as `exec` in a pod does. */
  runClient(args: readonly string[], surroundings: EchoSurroundings): ExecSession {
    const run = this.#runs++;
    const client: Client = {
      stdout: new PassThrough(),
      stderr: new PassThrough(),
      exited: Promise.withResolvers(),
    };
    this.#clients.set(run, client);
    this.#tell({ type: 'client', start: { ...surroundings, run, args } });
    return {
      stdin: undefined,
      stdout: client.stdout,
      stderr: client.stderr,
      exited: client.exited.promise,
      // It ends by itself, at the latest at its own timeout; nobody waits for it any more.
      kill: () => this.#endClient(run, { exitCode: 137, signal: 9 }),
    };
  }

  /** Ends the thread, and with it what still runs there. */
  async close(): Promise<void> {
    await this.#thread?.terminate();
  }

  #tell(message: ToEchoThread): void {
    this.#thread ??= this.#begin();
    this.#thread.postMessage(message);
  }

  #begin(): Worker {
    // An empty environment: an echo server knows what its pod says, and nothing of the user's.
    const thread = new Worker(new URL('./thread.ts', import.meta.url), { env: {} });
    let reason = 'it was ended';
    thread.on('message', (message: FromEchoThread) => this.#hear(message));
    thread.on('error', (error) => {
      reason = error instanceof Error ? error.message : String(error);
      this.#onError(error);
    });
    thread.once('exit', () => {
      this.#thread = undefined;
      const servers = [...this.#servers.values()];
      this.#servers.clear();
      for (const { started, exited } of servers) {
        started.reject(new StartError(`the echo server has crashed: ${reason}`));
        exited.resolve({ exitCode: 1 });
      }
      for (const run of this.#clients.keys()) this.#endClient(run, { exitCode: 1 });
    });
    return thread;
  }

  #hear(message: FromEchoThread): void {
    switch (message.type) {
      case 'started':
        this.#servers.get(message.id)?.started.resolve();
        return;
      case 'failed':
        this.#servers.get(message.id)?.started.reject(new StartError(message.message));
        this.#servers.delete(message.id);
        return;
      case 'stopped':
        this.#servers.get(message.id)?.exited.resolve({ exitCode: 0 });
        this.#servers.delete(message.id);
        return;
      case 'output':
        this.#clients.get(message.run)?.[message.stream].write(message.text);
        return;
      case 'exited':
        this.#endClient(message.run, { exitCode: message.exitCode });
        return;
      case 'fault':
        this.#onError(new Error(message.message));
    }
  }

  #endClient(run: number, exit: Exit): void {
    const client = this.#clients.get(run);
    this.#clients.delete(run);
    client?.stdout.end();
    client?.stderr.end();
    client?.exited.resolve(exit);
  }
}
