// Which local addresses lead to the ports of Gateways. Where the system lets us, a port is served at its
// own number on the Gateway's own address; where ports below 1024 need a privilege we do not have, at
// that number plus 8000. The first Gateway is also reached on localhost, always at the same numbers, so
// that a browser finds it without knowing any of this.

import type { ProxyProgram, SocketProgram } from './program.ts';
import type { Binding } from './messages.ts';

export interface BindingRules {
  /** Ports below this number cannot be opened at their own number; 0 when all can. */
  readonly firstOpenPort: number;
  /** Gateway that is also served on localhost; null for none. */
  readonly localhostGateway: string | null;
  readonly localhostAddresses: readonly string[];
}

/** What is added to a port number that cannot be opened, or that localhost must not be asked for. */
const MAPPED_OFFSET = 8000;

/** Every local address that is to lead to an entry point. */
export function planBindings(program: ProxyProgram, rules: BindingRules): readonly Binding[] {
  const bindings: Binding[] = [];
  for (const [gateway, sockets] of Map.groupBy(program.sockets, gatewayOf)) {
    const own = sockets.map((s) => [s.port, openPort(s.port, rules.firstOpenPort)] as const);
    const local = sockets.map((s) => [s.port, openPort(s.port, 1024)] as const);
    for (const socket of sockets) {
      for (const address of socket.addresses) {
        bindings.push(bind(socket, address, own));
      }
      if (gateway !== rules.localhostGateway) continue;
      for (const address of rules.localhostAddresses) bindings.push(bind(socket, address, local));
    }
  }
  return bindings;
}

function gatewayOf(socket: SocketProgram): string {
  return socket.id.slice(0, socket.id.lastIndexOf(':'));
}

function bind(
  socket: SocketProgram,
  address: string,
  ports: readonly (readonly [number, number])[],
): Binding {
  const port = ports.find(([asked]) => asked === socket.port)?.[1] ?? socket.port;
  const moved = ports.filter(([asked, open]) => asked !== open);
  return { socket: socket.id, address, port, ports: moved };
}

function openPort(port: number, firstOpen: number): number {
  return port < firstOpen ? port + MAPPED_OFFSET : port;
}
