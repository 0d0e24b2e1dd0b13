// Asks a container once whether it is well, in one of the four ways there are, and never longer than
// the probe's timeout. Failures carry a text in the words of kubelet's events.

import { setTimeout as delay } from 'node:timers/promises';
import type { Container } from '../../api/core/containers.ts';
import type { LifecycleHandler, Probe } from '../../api/core/probes.ts';
import { openTcp, probePort } from './connect.ts';
import type { ProbeResult } from './connect.ts';
import { Deadline } from './deadline.ts';
import { askGrpc } from './grpc.ts';
import { askHttp } from './http.ts';

/** Runs a command in the container; the output is for the message. */
type ExecProbe = (
  command: readonly string[],
  signal: AbortSignal,
) => Promise<{ readonly exitCode: number; readonly output: string }>;

export interface AskContext {
  readonly container: Container;
  readonly podIp: string;
  readonly exec: ExecProbe;
  /** Ends the question early: the container has stopped. */
  readonly signal: AbortSignal;
}

/** Asks once. Never rejects: what goes wrong is the answer. */
export async function ask(probe: Probe, context: AskContext): Promise<ProbeResult> {
  const timeoutMs = probe.timeoutSeconds * 1000;
  const late = `no answer within ${timeoutMs / 1000} s`;
  const deadline = new Deadline(timeoutMs, context.signal);
  const { signal } = deadline;
  try {
    if (probe.grpc !== undefined) {
      return await askGrpc({ ...probe.grpc, host: context.podIp, signal });
    }
    return await act(probe, { ...context, signal });
  } catch (error) {
    return { ok: false, message: deadline.passed ? late : errorText(error) };
  } finally {
    deadline.clear();
  }
}

/** Runs a lifecycle hook, for as long as the context's signal lets it. Never rejects. */
export async function runHook(hook: LifecycleHandler, context: AskContext): Promise<ProbeResult> {
  try {
    if (hook.sleep !== undefined) {
      await delay(hook.sleep.seconds * 1000, undefined, { signal: context.signal });
      return { ok: true };
    }
    return await act(hook, context);
  } catch (error) {
    return { ok: false, message: errorText(error) };
  }
}

/** What probes and hooks have in common. */
async function act(
  action: Pick<Probe, 'httpGet' | 'tcpSocket' | 'exec'>,
  { container, podIp, exec, signal }: AskContext,
): Promise<ProbeResult> {
  if (action.httpGet !== undefined) {
    return askHttp(action.httpGet, { container, podIp, signal });
  }
  if (action.tcpSocket !== undefined) {
    const port = probePort(action.tcpSocket.port, container);
    await openTcp(action.tcpSocket.host ?? podIp, port, signal);
    return { ok: true };
  }
  const { exitCode, output } = await exec(action.exec?.command ?? [], signal);
  if (exitCode === 0) return { ok: true };
  const said = output.trim();
  return { ok: false, message: said === '' ? `command ended with exit code ${exitCode}` : said };
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
