// The probes of one running container, from its start to its end: startup first, then readiness and
// liveness together.

import type { Container } from '../../api/core/containers.ts';
import type { Probe } from '../../api/core/probes.ts';
import { ask } from '../probes/ask.ts';
import type { AskContext } from '../probes/ask.ts';
import { awaitedPort, portAccepts } from '../probes/default-readiness.ts';
import { runProber } from '../probes/prober.ts';
import type { ProbeKind } from '../probes/prober.ts';

interface ProbeListener {
  onStarted(): void;
  /** `message` says why it is not ready, where a probe has said so. */
  onReady(ready: boolean, message?: string): void;
  /** The container is to be restarted. */
  onUnhealthy(kind: ProbeKind, probe: Probe, message: string): void;
}

export interface ContainerProbesOptions {
  readonly container: Container;
  readonly podIp: string;
  /** False for echo servers: they listen from their first moment. */
  readonly awaitPort: boolean;
  readonly context: Omit<AskContext, 'signal'>;
  readonly listener: ProbeListener;
}

/** Probes until the signal aborts. */
export async function runContainerProbes(
  options: ContainerProbesOptions,
  signal: AbortSignal,
): Promise<void> {
  const { startupProbe, livenessProbe } = options.container;
  const { listener } = options;
  if (startupProbe !== undefined) {
    const verdict = await probeOnce('startup', startupProbe, options, signal);
    if (signal.aborted || verdict === undefined) return;
    if (verdict !== true) {
      listener.onUnhealthy('startup', startupProbe, verdict);
      return;
    }
  }
  listener.onStarted();
  await Promise.all([
    runReadiness(options, signal),
    livenessProbe === undefined
      ? undefined
      : runProber(
          {
            kind: 'liveness',
            probe: livenessProbe,
            ask: (each) => ask(livenessProbe, { ...options.context, signal: each }),
            onVerdict: (verdict) => {
              if (!verdict.ok) listener.onUnhealthy('liveness', livenessProbe, verdict.message);
            },
          },
          signal,
        ),
  ]);
}

/** True, why not, or undefined when it was ended before. */
async function probeOnce(
  kind: ProbeKind,
  probe: Probe,
  { context }: ContainerProbesOptions,
  signal: AbortSignal,
): Promise<true | string | undefined> {
  let outcome: true | string | undefined;
  await runProber(
    {
      kind,
      probe,
      ask: (each) => ask(probe, { ...context, signal: each }),
      onVerdict: (verdict) => (outcome = verdict.ok ? true : verdict.message),
    },
    signal,
  );
  return outcome;
}

async function runReadiness(options: ContainerProbesOptions, signal: AbortSignal): Promise<void> {
  const { container, context, listener, podIp } = options;
  const probe = container.readinessProbe;
  if (probe !== undefined) {
    await runProber(
      {
        kind: 'readiness',
        probe,
        ask: (each) => ask(probe, { ...context, signal: each }),
        onVerdict: (verdict) =>
          verdict.ok ? listener.onReady(true) : listener.onReady(false, verdict.message),
      },
      signal,
    );
    return;
  }
  const port = options.awaitPort ? awaitedPort(container) : undefined;
  const accepts = port === undefined || (await portAccepts(podIp, port, signal));
  if (signal.aborted) return;
  listener.onReady(true, accepts ? undefined : `nothing accepts on ${podIp}:${port}`);
}
