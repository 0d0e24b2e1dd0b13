// echo-advanced's `client` command, which the mesh tests run inside a pod with `exec`: sends requests and prints what
// came back, one block per request, blocks separated by an empty line.
//
//   [0] Url=http://echo/path
//   [0] StatusCode=200
//   [0] ResponseHeader=Content-Type:text/plain; charset=utf-8
//   [0 body] Hostname=echo-v1-7c9d-x2x4p

import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { EchoStartError, errorText } from '../errors.ts';
import { grpcSender } from './grpc.ts';
import { httpSender } from './http.ts';
import { readClientRequest, type ClientRequest } from './request.ts';
import { tcpSender, udpSender } from './socket.ts';
import { readClientTls, type ClientOptions, type Sender, type SenderContext } from './sender.ts';

interface ClientOutput {
  /** Text for standard output, with its line breaks. */
  stdout(text: string): void;
  /** Text for standard error. */
  stderr(text: string): void;
}

/** Requests under way at once, as in the real client. */
const PARALLEL_MAX = 20;

/**
 * Runs the command. `args` may start with the word `client`. Resolves with the exit status: 0, 1 if any request got no
 * answer (an answer with an error status is an answer), 255 if the command line was not understood.
 */
export async function runEchoClient(
  args: readonly string[],
  out: ClientOutput,
  options: ClientOptions = {},
): Promise<number> {
  try {
    const request = readClientRequest(/(^|\/)client$/.test(args[0] ?? '') ? args.slice(1) : args);
    const blocks = await sendAll(request, options);
    for (const block of blocks) out.stdout(`${block}\n`);
    out.stdout(logLine('info', `All ${blocks.length} requests succeeded`));
    return 0;
  } catch (error) {
    const isUsage =
      error instanceof EchoStartError && /^(unknown flag|flag needs|accepts)/.test(error.message);
    if (isUsage) out.stderr(`Error: ${error.message}\n`);
    else out.stdout(logLine('fatal', `Error ${errorText(error)}`));
    return isUsage ? 255 : 1;
  }
}

function logLine(level: string, message: string): string {
  return `${new Date().toISOString()}\t${level}\t${message}\n`;
}

async function sendAll(request: ClientRequest, options: ClientOptions): Promise<string[]> {
  const tls = await readClientTls(request, options);
  const timeout = AbortSignal.timeout(request.timeoutMs);
  // Every request under way listens to it.
  setMaxListeners(0, timeout);
  const sender = SENDERS[request.scheme]({ request, options, tls, signal: timeout });
  const startedMs = performance.now();
  const blocks: string[] = [];
  const errors: unknown[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < request.count; index = next++) {
      try {
        await waitForTurn(request, index, startedMs, timeout);
        blocks[index] = await sender.send(index, request.count - index);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(PARALLEL_MAX, request.count) }, work));
  } finally {
    sender.close();
  }
  if (errors.length > 0) throw new Error(summary(errors, request, timeout.aborted));
  return blocks;
}

/** With --qps the requests start at even distances. */
async function waitForTurn(
  request: ClientRequest,
  index: number,
  startedMs: number,
  signal: AbortSignal,
): Promise<void> {
  if (request.perSecond === 0) return;
  const waitMs = startedMs + (index * 1_000) / request.perSecond - performance.now();
  if (waitMs > 0) await delay(waitMs, undefined, { signal });
}

function summary(
  errors: readonly unknown[],
  { count, timeoutMs }: ClientRequest,
  isTimeout: boolean,
): string {
  if (isTimeout) {
    return `request set timed out after ${timeoutMs / 1_000}s and only ${count - errors.length}/${count} requests completed`;
  }
  return `${errors.length}/${count} requests had errors; first error: ${errorText(errors[0])}`;
}

const SENDERS: Readonly<Record<ClientRequest['scheme'], (context: SenderContext) => Sender>> = {
  http: httpSender,
  https: httpSender,
  grpc: grpcSender,
  tcp: tcpSender,
  udp: udpSender,
};
