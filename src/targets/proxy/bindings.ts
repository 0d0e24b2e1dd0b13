// Which local addresses lead to the ports of Gateways. Where the system lets us, a port is served at its
// own number on the Gateway's own address; where ports below 1024 need a privilege we do not have, at
// that number plus 8000. One Gateway is also reached on localhost, always at the same numbers, so that a
// browser finds it without knowing any of this: at first the one with the lowest address. Who comes later
// never takes it away, and who was away for a while gets it back.

import { parseIPv4 } from '../../lib/ipv4.ts';
import { servedPorts } from '../../lib/privileged-ports.ts';
import type { ProxyProgram, SocketProgram } from './program.ts';
import type { Binding } from './messages.ts';

export interface BindingRules {
  /** Ports below this number cannot be opened at their own number; 0 when all can. */
  readonly firstOpenPort: number;
  /** What is added to the ports of the Gateway on localhost; null for none. */
  readonly localhostOffset: number | null;
}

const LOCALHOST = '127.0.0.1';

/** Every local address that is to lead to an entry point; of `claims` see claimLocalhost. */
export function planBindings(
  program: ProxyProgram,
  rules: BindingRules,
  claims: readonly string[],
): readonly Binding[] {
  const bindings: Binding[] = [];
  const gateways = Map.groupBy(program.sockets, gatewayOf);
  const onLocalhost = claims.find((gateway) => gateways.has(gateway));
  for (const [gateway, sockets] of gateways) {
    const asked = sockets.map((s) => s.port);
    const own = [...servedPorts(asked, rules.firstOpenPort)];
    for (const socket of sockets) {
      for (const address of socket.addresses) bindings.push(bind(socket, address, own));
    }
    const offset = gateway === onLocalhost ? rules.localhostOffset : null;
    if (offset !== null) bindings.push(...bindLocalhost(sockets, offset));
  }
  return bindings;
}

/** So many Gateways may come back to localhost. */
const CLAIMS_MAX = 100;

/**
 * Which Gateways have a claim to localhost, `namespace/name`: the first that is there has it. Given those
 * of before; one is added when none of them is there.
 */
export function claimLocalhost(
  program: ProxyProgram,
  claims: readonly string[],
): readonly string[] {
  const gateways = Map.groupBy(program.sockets, gatewayOf);
  if (claims.some((gateway) => gateways.has(gateway))) return claims;
  const [first] = [...gateways]
    .map(([gateway, sockets]) => ({ gateway, at: lowestOf(sockets) }))
    // Sorting is stable: without addresses, the order of names decides.
    .toSorted((a, b) => a.at - b.at);
  return first === undefined ? claims : [...claims, first.gateway].slice(-CLAIMS_MAX);
}

function lowestOf(sockets: readonly SocketProgram[]): number {
  const addresses = sockets.flatMap((s) => s.addresses.map((a) => parseIPv4(a) ?? NO_ADDRESS));
  return addresses.reduce((a, b) => Math.min(a, b), NO_ADDRESS);
}

/** Higher than every address of IPv4. */
const NO_ADDRESS = 2 ** 32;

/** The ports of a Gateway on localhost: below 1024 moved up by the offset, the others as they are. */
function bindLocalhost(sockets: readonly SocketProgram[], offset: number): readonly Binding[] {
  const ports = sockets.map(({ port }) => [port, port < 1024 ? port + offset : port] as const);
  // Another listener may have the moved number itself: it is the one that was asked for.
  const asked = new Set(sockets.map((s) => s.port));
  return sockets
    .filter(({ port }) => port >= 1024 || !asked.has(port + offset))
    .map((socket) => bind(socket, LOCALHOST, ports));
}

function gatewayOf({ id }: SocketProgram): string {
  return id.slice(0, id.lastIndexOf(':'));
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
