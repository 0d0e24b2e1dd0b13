// The thread in which all echo pods of a runtime run. It writes their logs itself, so that a busy echo
// pod costs the runtime's own thread nothing.

import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';
import { runEchoClient, startEcho } from '../echo/echo.ts';
import type { RunningEcho } from '../echo/echo.ts';
import { LogWriter } from '../logs/log-writer.ts';
import { resolveMount } from '../volumes/mounts.ts';
import { clusterLookup } from './cluster-lookup.ts';
import type {
  EchoClientStart,
  EchoStart,
  EchoSurroundings,
  FromEchoThread,
  ToEchoThread,
} from './protocol.ts';

interface Server {
  readonly echo: RunningEcho;
  readonly log: LogWriter;
}

const servers = new Map<string, Promise<Server | undefined>>();

// This module is a thread's program: listening for its messages is what it is for.
parentPort?.on('message', (message: ToEchoThread) => {
  switch (message.type) {
    case 'start':
      servers.set(message.start.id, start(message.start));
      return;
    case 'stop':
      void stop(message.id, message.drainMs);
      return;
    case 'client':
      void runClient(message.start);
  }
});

async function start(options: EchoStart): Promise<Server | undefined> {
  const { id, address, image, args, env } = options;
  const log = new LogWriter({ name: options.log, now: () => new Date(), onError: fault });
  try {
    const echo = await startEcho({
      address,
      image,
      args,
      env,
      log: (line) => log.line('stdout', line),
      ...surroundings(options),
    });
    say({ type: 'started', id });
    return { echo, log };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    log.line('stderr', message);
    await log.close();
    servers.delete(id);
    say({ type: 'failed', id, message });
    return undefined;
  }
}

async function stop(id: string, drainMs: number): Promise<void> {
  const server = await servers.get(id);
  if (server === undefined) return;
  servers.delete(id);
  await delay(drainMs);
  await server.echo.close();
  await server.log.close();
  say({ type: 'stopped', id });
}

async function runClient(options: EchoClientStart): Promise<void> {
  const { run, args, address } = options;
  const output = {
    stdout: (text: string) => say({ type: 'output', run, stream: 'stdout', text }),
    stderr: (text: string) => say({ type: 'output', run, stream: 'stderr', text }),
  };
  const exitCode = await runEchoClient(args, output, {
    localAddress: address,
    ...surroundings(options),
  });
  say({ type: 'exited', run, exitCode });
}

/**
 * Only what is mounted can be read: an echo pod has no other files, and the user's are none of its
 * business.
 */
function surroundings({ mounts, dns }: EchoSurroundings) {
  return {
    readFile: async (path: string): Promise<Buffer> => {
      const real = resolveMount(mounts, path);
      if (real === undefined) throw new Error(`open ${path}: no such file or directory`);
      return readFile(real);
    },
    ...(dns === undefined ? {} : { lookup: clusterLookup(dns) }),
  };
}

function fault(error: unknown): void {
  say({ type: 'fault', message: error instanceof Error ? error.message : String(error) });
}

function say(message: FromEchoThread): void {
  parentPort?.postMessage(message);
}
