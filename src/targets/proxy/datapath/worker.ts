// A worker thread of the data path: takes patches from the control plane and serves. Everything that
// runs for each request or each byte runs in here, and nothing else does. (The last stop of the tour:
// accept.ts → dispatch.ts → exchange.ts is the way of a request.)
//
// Not hot: once for each message of the control plane.

import { Zones } from './gate.ts';
import { parentPort, workerData } from 'node:worker_threads';
import type { FromWorker, ToWorker, WorkerInit } from '../messages.ts';
import type { Policy } from './attempts.ts';
import { Clock } from './clock.ts';
import { Admission } from './admission.ts';
import { Conversations } from './conversations.ts';
import { resetGauges } from './counters.ts';
import type { Worker } from './dispatch.ts';
import { H2Shared } from './h2/shared.ts';
import { OutsideHosts } from './hosts-outside.ts';
import type { Limits } from './limits.ts';
import { Observer } from './observe/observer.ts';
import { Ports } from './ports.ts';
import { OwnPlaces } from './own-places.ts';
import { Pressure } from './pressure.ts';
import { Relays } from './relays.ts';
import { State } from './state.ts';
import { tallyIn } from './tally.ts';

/** How often a worker that is ending looks whether its connections have. */
const DRAIN_LOOK_MS = 20;

function run(init: WorkerInit, send: (message: FromWorker) => void): (m: ToWorker) => void {
  const { counters, h2: h2Counters, durations } = tallyIn(init.tally);
  resetGauges(counters);
  const clock = new Clock();
  const { limits, pathPolicy, explains } = init;
  const h2 = new H2Shared({ limits, clock, counters: h2Counters });
  const policy = policyOf(limits);
  const admission = new Admission(limits, counters);
  const conversations = new Conversations();
  const { observation } = init;
  const observer = new Observer({ observation, durations, limits, clock, counters });
  const worker: Worker = {
    limits,
    counters,
    h2,
    pathPolicy,
    explains,
    policy,
    admission,
    zones: new Zones(),
    conversations,
    observer,
  };
  const ticketKeys = Buffer.from(init.ticketKeys);
  const ours = new OwnPlaces();
  const hosts = new OutsideHosts({
    limits,
    counters,
    rules: init.external,
    isOurs: (address, port) => ours.has(address, port),
    onForbidden: (forbidden) => send({ kind: 'hosts', forbidden }),
  });
  const state = new State({ limits, clock, h2, counters, ticketKeys, hosts });
  const ports = new Ports(worker, clock);
  const relays = new Relays({ limits, clock, counters });
  new Pressure({
    memoryBytesMax: limits.memoryBytesMax,
    clock,
    counters,
    closeIdle: () => ports.relieve(),
  });
  clock.start();

  // One patch at a time: opening ports takes a turn of the event loop.
  let applying = Promise.resolve();

  const apply = async (message: Extract<ToWorker, { kind: 'apply' }>): Promise<void> => {
    const began = performance.now();
    ours.set(message.bindings);
    state.apply(message.patch);
    const swapMs = performance.now() - began;
    hosts.recheck();
    await hosts.settled();
    const failures = await Promise.all([
      ports.apply(message.bindings, state),
      relays.apply(message.patch.relays, message.relays),
    ]);
    // First, so that what is told of the round knows it.
    hosts.report();
    send({ kind: 'applied', generation: message.generation, failures: failures.flat(), swapMs });
  };

  const stop = ({ graceMs, lastRequestsMs }: Extract<ToWorker, { kind: 'stop' }>): void => {
    const began = performance.now();
    const deadline = began + graceMs;
    let isHandingOver = lastRequestsMs > 0;
    if (isHandingOver) ports.handOver();
    else ports.drain();
    relays.drain();
    const look = (): void => {
      if (isHandingOver && performance.now() >= began + lastRequestsMs) {
        isHandingOver = false;
        ports.drain();
      }
      // Of one that is being handed over, connections count that have said nothing yet.
      const connections = isHandingOver ? admission.open : counters.connectionsOpen;
      const busy = connections + conversations.busy + ports.busy + relays.busy;
      if (busy > 0 && performance.now() < deadline) {
        setTimeout(look, DRAIN_LOOK_MS);
        return;
      }
      ports.stop();
      relays.stop();
      hosts.stop();
      clock.stop();
      void observer.flush().then(() => send({ kind: 'stopped' }));
    };
    look();
  };

  return (message) => {
    switch (message.kind) {
      case 'apply':
        applying = applying.then(() => apply(message));
        return;
      case 'stop':
        // Connections that came in this turn of the event loop have been accepted by the next phase.
        setImmediate(() => stop(message));
    }
  };
}

/** What rules without times of their own are held to. */
function policyOf({ requestTimeoutMs }: Limits): Policy | null {
  if (requestTimeoutMs === 0) return null;
  return { timeouts: { requestMs: requestTimeoutMs, backendRequestMs: 0 }, retry: null };
}

// The one file whose import has an effect: it is the entry of a thread, imported by nobody.
parentPort?.on(
  'message',
  run(workerData as WorkerInit, (message) => parentPort?.postMessage(message)),
);
