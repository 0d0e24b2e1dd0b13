// Watches what containers' processes listen on when their readiness is found out, and keeps what that
// means for the user: the findings about pods as they run.

import { setTimeout as delay } from 'node:timers/promises';
import type { Finding } from '../../api/finding.ts';
import type { Pod } from '../../api/core/pod.ts';
import { observe } from '../live-findings.ts';
import type { ContainerProcesses } from '../process/container-processes.ts';
import { listenersOf } from '../process/listeners.ts';
import type { ReadinessReport } from './container.ts';

/** A container without probe or port is ready before it listens: it is looked at again. */
const SECOND_LOOKS_MS = [2000, 8000];

export class Observer {
  readonly #processes: ContainerProcesses;
  readonly #onFindings: (findings: readonly Finding[]) => void;
  readonly #findings = new Map<string, Finding>();
  /** What was last heard of a container's readiness, by its ID. */
  readonly #reports = new Map<string, ReadinessReport>();

  constructor(processes: ContainerProcesses, onFindings: (findings: readonly Finding[]) => void) {
    this.#processes = processes;
    this.#onFindings = onFindings;
  }

  /** Says what a container's readiness means, unless something newer is known by then. */
  async report(pod: Pod, podIp: string, report: ReadinessReport): Promise<void> {
    // With the host's network a program may listen wherever it wants.
    if (pod.spec.hostNetwork === true) return;
    const { container, containerId, ready } = report;
    this.#reports.set(containerId, report);
    for (const waitMs of [0, ...SECOND_LOOKS_MS]) {
      if (waitMs > 0) await delay(waitMs, undefined, { ref: false });
      if (this.#reports.get(containerId) !== report) return;
      await this.#look(pod, podIp, report);
      // What is not ready is reported again; what a probe has found ready listens already.
      if (!ready || container.readinessProbe !== undefined) return;
    }
  }

  async #look(pod: Pod, podIp: string, report: ReadinessReport): Promise<void> {
    const { container, containerId, ready, message } = report;
    const listeners = await listenersOf(await this.#processes.of(containerId));
    if (this.#reports.get(containerId) !== report) return;
    this.#set(containerId, observe({ pod, container, podIp, ready, message, listeners }));
  }

  /** The container of that ID has ended. */
  forget(containerId: string): void {
    this.#reports.delete(containerId);
    this.#set(containerId, undefined);
  }

  #set(containerId: string, finding: Finding | undefined): void {
    if (finding !== undefined) this.#findings.set(containerId, finding);
    else if (!this.#findings.delete(containerId)) return;
    this.#onFindings([...this.#findings.values()]);
  }
}
