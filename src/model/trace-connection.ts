// The reference answer for connections and datagrams that are handed on whole: which listener takes
// them by the server name, and which backends they may reach. Requests are answered in trace.ts.

import { hostMatches, normalizeHost } from '../lib/hostname.ts';
import type { ConnectionAnswer, ConnectionFate, ConnectionProbe, Step } from './answer.ts';
import type { EntryPoint, Listener, Model, StreamListener, StreamRule } from './model.ts';
import { placesOf } from './trace-action.ts';

/** Answers a connection, or a datagram, from the model. */
export function traceConnection(model: Model, probe: ConnectionProbe): ConnectionAnswer {
  const steps: Step[] = [];
  return { fate: decide(model, probe, steps), steps };
}

function decide(model: Model, probe: ConnectionProbe, steps: Step[]): ConnectionFate {
  const host = normalizeHost(probe.serverName);
  const entryPoint = model.entryPoints
    .filter((e) => servesPort(e, probe))
    .toSorted((a, b) => rankFor(b, host) - rankFor(a, host))[0];
  if (entryPoint === undefined) {
    return { kind: 'refused', reason: `nothing listens on ${probe.transport} port ${probe.port}` };
  }
  note(steps, 'entry point', `Gateway ${entryPoint.id}`, `it serves port ${entryPoint.port}`);
  if (entryPoint.protocol === 'http') return { kind: 'http', listener: entryPoint.id };
  const listener = chooseListener(entryPoint, probe, host);
  if (listener === undefined) {
    return { kind: 'reset', reason: `no listener is for server name ${host || '(none)'}` };
  }
  const taken = `it takes ${host || 'connections without a server name'}`;
  note(steps, 'listener', `listener ${listener.id}`, taken, listener.origin);
  if (listener.stream === undefined) return { kind: 'http', listener: listener.id };
  return traceStream(model, listener.stream, host, steps);
}

function servesPort(
  entryPoint: EntryPoint,
  { transport, port, address }: ConnectionProbe,
): boolean {
  return (
    entryPoint.port === port &&
    (entryPoint.protocol === 'udp') === (transport === 'udp') &&
    (address === undefined || entryPoint.addresses.includes(address))
  );
}

/** How specific the best listener for the host is: longer patterns are more specific. */
function rankFor(entryPoint: EntryPoint, host: string): number {
  const taking = entryPoint.listeners.filter((l) => hostMatches(l.hostname, host));
  return Math.max(
    -1,
    ...taking.map((l) => (l.hostname.startsWith('*') ? 1 : 1000) * l.hostname.length),
  );
}

/** What is no TLS where TLS is expected is taken by nobody. */
function chooseListener(
  { protocol, listeners }: EntryPoint,
  { transport }: ConnectionProbe,
  host: string,
): Listener | undefined {
  if (protocol === 'tcp' || protocol === 'udp') return listeners[0];
  if (transport !== 'tls') return undefined;
  return listeners.find((l) => hostMatches(l.hostname, host));
}

function traceStream(
  model: Model,
  { mode, hosts }: StreamListener,
  host: string,
  steps: Step[],
): ConnectionFate {
  const found = hosts.find((h) => mode === 'plain' || hostMatches(h.hostname, host));
  if (found === undefined) return { kind: 'reset', reason: 'no route takes the connection' };
  const { rule } = found;
  note(steps, 'rule', rule.id, `it is for ${found.hostname || 'every host'}`, rule.origin);
  return traceRule(model, rule, mode, steps);
}

function traceRule(
  model: Model,
  rule: StreamRule,
  mode: StreamListener['mode'],
  steps: Step[],
): ConnectionFate {
  const weighted = rule.backends.filter((b) => b.weight > 0);
  if (weighted.length === 0) return { kind: 'reset', reason: `${rule.id} sends nothing anywhere` };
  const shares = weighted.map(({ backend: key, weight, reason, origin }) => {
    const backend = key === null ? undefined : model.backends.get(key);
    if (backend === undefined) {
      note(steps, 'backend', 'none', reason ?? 'the backend does not exist', origin);
      return { weight, to: null, endpoints: [] };
    }
    const endpoints = placesOf(backend);
    const ready = endpoints.length === 0 ? 'no endpoint is ready' : endpoints.join(', ');
    const { tls } = backend;
    const how = tls === undefined ? '' : `, in TLS as ${tls.serverName}`;
    note(steps, 'backend', `${backend.key} (weight ${weight})`, `${ready}${how}`, origin);
    return {
      weight,
      to: backend.key,
      endpoints,
      ...(tls === undefined ? {} : { secured: true as const }),
    };
  });
  return { kind: 'relay', mode, shares };
}

function note(
  steps: Step[],
  stage: Step['stage'],
  what: string,
  because: string,
  origin?: Step['origin'],
): void {
  steps.push({
    stage,
    verdict: 'taken',
    what,
    because,
    ...(origin === undefined ? {} : { origin }),
  });
}
