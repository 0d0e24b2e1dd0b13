// Asks one probe of a container again and again and says when its verdict changes.
//
// Until the first success, startup and readiness probes are asked more often than periodSeconds says,
// and of those extra questions only the successes count. A container that is up after 50 ms would
// else be unready until its second period, which is 10 s by default and felt at every restart; the
// failures that a verdict needs still take the time the manifest gives them.

import { setTimeout as delay } from 'node:timers/promises';
import type { Probe } from '../../api/core/probes.ts';
import type { ProbeResult } from './connect.ts';

export type ProbeKind = 'startup' | 'readiness' | 'liveness';

export interface ProberOptions {
  readonly kind: ProbeKind;
  readonly probe: Probe;
  readonly ask: (signal: AbortSignal) => Promise<ProbeResult>;
  /** Called when a threshold is reached and the verdict is a new one; the first verdict is new. */
  readonly onVerdict: (verdict: ProbeResult) => void;
}

/** Between two extra questions. A command costs a process, the others a connection. */
const EXTRA_INTERVAL_MS = 200;
const EXTRA_EXEC_INTERVAL_MS = 1000;

/** Asks until the signal aborts; a startup probe also ends with its first verdict. */
export async function runProber(options: ProberOptions, signal: AbortSignal): Promise<void> {
  const { kind, probe, ask, onVerdict } = options;
  const periodMs = probe.periodSeconds * 1000;
  const extraMs = probe.exec === undefined ? EXTRA_INTERVAL_MS : EXTRA_EXEC_INTERVAL_MS;
  const counter = new VerdictCounter(probe);
  await pause((probe.initialDelaySeconds ?? 0) * 1000, signal);
  let due = performance.now();
  let extra = false;
  while (!signal.aborted) {
    const result = await ask(signal);
    if (signal.aborted) return;
    if (!extra) due = Math.max(due + periodMs, performance.now());
    if (!extra || result.ok) {
      if (counter.count(result)) onVerdict(result);
      if (kind === 'startup' && counter.verdict !== undefined) return;
    }
    const eager = kind !== 'liveness' && counter.verdict !== true;
    const restMs = due - performance.now();
    extra = eager && extraMs < restMs;
    await pause(extra ? extraMs : restMs, signal);
  }
}

/** Counts successes and failures in a row; no verdict before the first threshold is reached. */
class VerdictCounter {
  readonly #probe: Probe;
  #run = 0;
  #last: boolean | undefined;
  verdict: boolean | undefined;

  constructor(probe: Probe) {
    this.#probe = probe;
  }

  /** True when this result changes the verdict. */
  count(result: ProbeResult): boolean {
    this.#run = result.ok === this.#last ? this.#run + 1 : 1;
    this.#last = result.ok;
    const { successThreshold, failureThreshold } = this.#probe;
    const threshold = result.ok ? successThreshold : failureThreshold;
    if (this.#run < threshold || this.verdict === result.ok) return false;
    this.verdict = result.ok;
    return true;
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(Math.max(0, ms), undefined, { signal }).catch(() => {});
}
