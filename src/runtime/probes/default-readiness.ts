// When a container without readiness probe is ready: as soon as its first declared TCP port accepts,
// at the latest after ten seconds. Kubelet says at once; but a program needs a moment from its start
// to its first listen, and every request in between would fail for no reason a user can see.

import { setTimeout as delay } from 'node:timers/promises';
import type { Container } from '../../api/core/containers.ts';
import { openTcp } from './connect.ts';
import { Deadline } from './deadline.ts';

/** A container that declares a port it does not open is ready all the same, as in a cluster. */
const PATIENCE_MS = 10_000;

const FIRST_INTERVAL_MS = 20;
const INTERVAL_MS_MAX = 250;
const ATTEMPT_TIMEOUT_MS = 1000;

/** The port to wait for, or undefined when the container declares none for TCP. */
export function awaitedPort(container: Container): number | undefined {
  return container.ports?.find((port) => (port.protocol ?? 'TCP') === 'TCP')?.containerPort;
}

/** Resolves when the port accepts, patience is over or the signal aborts; true when it accepted. */
export async function portAccepts(
  host: string,
  port: number,
  signal: AbortSignal,
): Promise<boolean> {
  const deadline = performance.now() + PATIENCE_MS;
  let intervalMs = FIRST_INTERVAL_MS;
  while (!signal.aborted && performance.now() < deadline) {
    const attempt = new Deadline(ATTEMPT_TIMEOUT_MS, signal);
    const accepted = await openTcp(host, port, attempt.signal).then(
      () => true,
      () => false,
    );
    attempt.clear();
    if (accepted) return true;
    await delay(intervalMs, undefined, { signal }).catch(() => {});
    intervalMs = Math.min(intervalMs * 2, INTERVAL_MS_MAX);
  }
  return false;
}
