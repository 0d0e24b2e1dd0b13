// A connection that a TLSRoute or a TCPRoute has taken → one of its backends, and bytes both ways until
// both sides have said all. The backend is connected to at once: some speak first.
//
// Not as hot as requests: bytes are relayed by Node.js's own streams.

import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ClientQuestion } from '../../../model/model.ts';
import type { Forward, Weighted } from './action.ts';
import type { Backend } from './backend.ts';
import type { Certificate } from './certificates.ts';
import type { Conversations } from './conversations.ts';
import type { Counters } from './counters.ts';
import type { Endpoint } from './endpoint.ts';
import type { HostIndex } from './hosts.ts';
import type { Limits } from './limits.ts';
import { breakOff, closeWhenIdle, splice } from './splice.ts';

/** A listener as connections see it. Replaced, never changed. */
export interface ConnectionListener {
  readonly id: string;
  /** Null: what the port asks of clients. */
  readonly asks: ClientQuestion | null;
  /** Null when it takes requests. */
  readonly stream: {
    readonly mode: 'passthrough' | 'terminate' | 'plain';
    readonly hosts: HostIndex<Forward>;
  } | null;
}

export interface RelayContext {
  readonly limits: Limits;
  readonly counters: Counters;
  readonly conversations: Conversations;
  /** Shown to backends that ask for a certificate and have none of their own. */
  readonly identity: Certificate | null;
}

/** The backend for one more connection or datagram; null when its share has none. */
export function chooseBackend(forward: Forward | undefined): Backend | null {
  if (forward === undefined || forward.isEmpty) return null;
  const { backend }: Weighted = forward.choose();
  return backend === null || backend.endpoints.length === 0 ? null : backend;
}

/** Relays a paused client to a backend; when no endpoint can be reached, the connection breaks. */
export function relayConnection(client: Socket, backend: Backend, context: RelayContext): void {
  context.counters.relayedConnections++;
  context.conversations.begin(client);
  // Nobody else may listen for errors until there are two sockets.
  const ignore = (): void => undefined;
  client.on('error', ignore);
  dialNext(client, backend, [], context);
}

function dialNext(
  client: Socket,
  backend: Backend,
  tried: readonly Endpoint[],
  context: RelayContext,
): void {
  const { limits, counters } = context;
  const mayTry = tried.length < limits.connectAttemptsMax;
  const endpoint = mayTry ? backend.pick(tried, client.remoteAddress) : null;
  if (endpoint === null || client.destroyed) {
    if (endpoint === null) counters.backendUnavailable++;
    breakOff(client);
    return;
  }
  const { address, port } = endpoint;
  const security = endpoint.security(backend.identity ?? context.identity);
  const place = { host: address, port, allowHalfOpen: true, noDelay: true };
  const upstream = security === null ? connect(place) : connectTls({ ...place, ...security });
  const timer = setTimeout(() => upstream.destroy(new Error()), limits.connectTimeoutMs);
  const failed = (): void => {
    clearTimeout(timer);
    counters.connectRetries++;
    endpoint.health.failed();
    dialNext(client, backend, [...tried, endpoint], context);
  };
  upstream.once('error', failed);
  upstream.once(security === null ? 'connect' : 'secureConnect', () => {
    clearTimeout(timer);
    upstream.off('error', failed);
    if (client.destroyed) {
      upstream.destroy();
      return;
    }
    endpoint.outstanding++;
    upstream.once('close', () => endpoint.outstanding--);
    if (endpoint.health.failures > 0) endpoint.health.succeeded();
    closeWhenIdle(client, context);
    splice(client, upstream, (fromClient) => context.conversations.note(client, fromClient));
    context.conversations.note(client, false);
  });
}
