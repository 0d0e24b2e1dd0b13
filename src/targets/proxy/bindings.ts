// Which local addresses lead to the ports of Gateways. Where the system lets us, a port is served at its
// own number on the Gateway's own address; where ports below 1024 need a privilege we do not have, at
// that number plus 8000. The first Gateway is also reached on localhost, always at the same numbers, so
// that a browser finds it without knowing any of this.

import { servedPorts } from '../../lib/privileged-ports.ts';
import type { ProxyProgram, SocketProgram } from './program.ts';
import type { Binding } from './messages.ts';

export interface BindingRules {
  /** Ports below this number cannot be opened at their own number; 0 when all can. */
  readonly firstOpenPort: number;
  /** What is added to the ports of the first Gateway on localhost; null for none. */
  readonly localhostOffset: number | null;
}

const LOCALHOST = '127.0.0.1';

/** Every local address that is to lead to an entry point. */
export function planBindings(program: ProxyProgram, rules: BindingRules): readonly Binding[] {
  const bindings: Binding[] = [];
  let isFirst = true;
  for (const sockets of Map.groupBy(program.sockets, gatewayOf).values()) {
    const asked = sockets.map((s) => s.port);
    const own = [...servedPorts(asked, rules.firstOpenPort)];
    for (const socket of sockets) {
      for (const address of socket.addresses) bindings.push(bind(socket, address, own));
    }
    const offset = isFirst ? rules.localhostOffset : null;
    isFirst = false;
    if (offset !== null) bindings.push(...bindLocalhost(sockets, offset));
  }
  return bindings;
}

/** The ports of a Gateway on localhost: below 1024 moved up by the offset, the others as they are. */
function bindLocalhost(sockets: readonly SocketProgram[], offset: number): readonly Binding[] {
  const ports = sockets.map(({ port }) => [port, port < 1024 ? port + offset : port] as const);
  // Another listener may have the moved number itself: it is the one that was asked for.
  const asked = new Set(sockets.map((s) => s.port));
  return sockets
    .filter(({ port }) => port >= 1024 || !asked.has(port + offset))
    .map((socket) => bind(socket, LOCALHOST, ports));
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
  const transport = socket.protocol === 'udp' ? 'udp' : 'tcp';
  return { socket: socket.id, address, port, transport, ports: moved };
}
