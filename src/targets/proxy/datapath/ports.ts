// The listening sockets of a worker: opened, given new listeners, and closed as programs come and go.
// A port that stays is never closed, and what is connected to it is never disturbed; a port that goes
// takes no new connections and lets those there are finish.
//
// Not hot: once for each change of programs.

import type { BindFailure, Binding } from '../messages.ts';
import type { SocketProgram } from '../program.ts';
import type { Clock } from './clock.ts';
import type { Worker } from './dispatch.ts';
import { HttpPort } from './http-port.ts';
import { workerFor } from './port-settings.ts';
import type { State } from './state.ts';
import { TcpPort, TlsPort, UdpPort } from './stream-ports.ts';

/** One listening socket and what it serves. */
export interface Port {
  /** Rejects with the system's error. */
  listen(binding: Binding): Promise<void>;
  /** What comes in from now on is served so. */
  update(socket: SocketProgram, binding: Binding, state: State): void;
  /** Takes nothing new; what carries requests ends after the one it is on. */
  close(): void;
  /** As `close`, but what has nothing to do may bring one more request. */
  handOver(): void;
  /** Asks what carries requests to end after the one it is on; new connections are taken all the same. */
  relieve(): void;
}

/** What all ports of a worker share. */
export interface PortContext {
  readonly worker: Worker;
  readonly clock: Clock;
}

export class Ports {
  readonly #context: PortContext;
  readonly #ports = new Map<string, Port>();

  constructor(worker: Worker, clock: Clock) {
    this.#context = { worker, clock };
  }

  /** Makes the ports those of `bindings`. Gives those that could not be opened; the others serve. */
  async apply(bindings: readonly Binding[], state: State): Promise<readonly BindFailure[]> {
    const wanted = new Map(bindings.map((binding) => [keyOf(binding, state), binding]));
    for (const [key, port] of this.#ports) {
      if (wanted.has(key)) continue;
      this.#ports.delete(key);
      port.close();
    }
    const failures: BindFailure[] = [];
    const opening: Promise<void>[] = [];
    for (const [key, binding] of wanted) {
      const socket = state.sockets.get(binding.socket);
      if (socket === undefined) continue;
      let port = this.#ports.get(key);
      if (port === undefined) {
        port = create(socket, binding, this.#contextFor(socket));
        this.#ports.set(key, port);
        opening.push(this.#open(key, port, binding, failures));
      }
      port.update(socket, binding, state);
    }
    await Promise.all(opening);
    return failures;
  }

  /** Takes no new connections; every connection ends after the request it is on. */
  drain(): void {
    for (const port of this.#ports.values()) {
      if (port instanceof UdpPort) port.drain();
      else port.close();
    }
  }

  /** As `drain`, where somebody else takes the new connections on the same ports already. */
  handOver(): void {
    for (const port of this.#ports.values()) port.handOver();
  }

  /** Clients whose datagrams look as if they were to be answered yet. */
  get busy(): number {
    let count = 0;
    for (const port of this.#ports.values()) if (port instanceof UdpPort) count += port.busy;
    return count;
  }

  /** After `drain`: ends what is left. */
  stop(): void {
    for (const port of this.#ports.values()) if (port instanceof UdpPort) port.close();
    this.#ports.clear();
  }

  /** Memory runs short: connections are asked to end. */
  relieve(): void {
    for (const port of this.#ports.values()) port.relieve();
  }

  #contextFor({ settings }: SocketProgram): PortContext {
    const { worker, clock } = this.#context;
    return { worker: workerFor(worker, settings, clock), clock };
  }

  async #open(key: string, port: Port, binding: Binding, failures: BindFailure[]): Promise<void> {
    try {
      await port.listen(binding);
    } catch (error) {
      this.#ports.delete(key);
      const { code = String(error) } = error as NodeJS.ErrnoException;
      const { socket: id, address, port: number, transport } = binding;
      failures.push({ id, address, port: number, transport, code });
    }
  }
}

function create(socket: SocketProgram, binding: Binding, context: PortContext): Port {
  switch (socket.protocol) {
    case 'http':
    case 'https':
      return new HttpPort(socket, context);
    case 'tls':
      return new TlsPort(socket, context);
    case 'tcp':
      return new TcpPort(socket, context);
    case 'udp':
      return new UdpPort(binding, context);
  }
}

function keyOf(binding: Binding, state: State): string {
  const socket = state.sockets.get(binding.socket);
  // Who is connected was let in by the rules there were: other rules make another port.
  const rules = [socket?.clientValidation, socket?.settings].map((rule) =>
    rule === undefined || rule === null ? '' : JSON.stringify(rule),
  );
  const { address, port } = binding;
  return [address, port, socket?.protocol ?? '', binding.socket, ...rules].join('|');
}
