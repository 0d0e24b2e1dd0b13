// `pods/exec`: runs a command in a container for a client, and tells how it ended.

import type { Readable, Writable } from 'node:stream';
import { commandFailed, internalError, SUCCESS } from '../status.ts';
import type { Status } from '../status.ts';
import { discard, drained, pump } from '../wait.ts';
import type { TerminalSize } from './resize.ts';
import type { CommandOptions, CommandStreams } from './streams.ts';

/** A command that runs, as the runtime of pods starts it. */
export interface CommandSession {
  /** Present when it was asked for. */
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when it has ended and its output was read. */
  readonly exited: Promise<{ readonly exitCode: number }>;
  /** Ends it and all it has started. */
  kill(): void;
  /** Present when it runs in a terminal. */
  readonly resize?: (size: TerminalSize) => void;
}

/** Starts a command; rejects with an error whose message is for the user when it cannot. */
export type SpawnCommand = (options: CommandOptions) => Promise<CommandSession>;

/**
 * Runs the command to its end, and ends it when the client goes. Never rejects: what goes wrong is told
 * to the client.
 */
export async function serveExec(
  streams: CommandStreams,
  options: CommandOptions,
  spawn: SpawnCommand,
): Promise<void> {
  await streams.finish(await execute(streams, options, spawn));
}

async function execute(
  streams: CommandStreams,
  options: CommandOptions,
  spawn: SpawnCommand,
): Promise<Status> {
  const { gone } = streams;
  let session: CommandSession;
  try {
    session = await spawn(options);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return internalError(`error executing command in container: ${message}`);
  }
  const kill = (): void => session.kill();
  gone.addEventListener('abort', kill, { once: true });
  if (gone.aborted) kill();
  if (streams.stdin !== undefined) void feed(streams.stdin, session.stdin, gone);
  else session.stdin?.end();
  const { resize } = session;
  if (resize !== undefined) streams.onResize(resize);
  const output = [
    pump(session.stdout, streams.stdout, gone),
    pump(session.stderr, streams.stderr, gone),
  ];
  try {
    const { exitCode } = await session.exited;
    await Promise.all(output);
    return exitCode === 0 ? SUCCESS : commandFailed(exitCode);
  } catch (error) {
    return internalError(error instanceof Error ? error.message : String(error));
  } finally {
    gone.removeEventListener('abort', kill);
  }
}

/** What a command does not read any more is thrown away, so that the client is not held up. */
async function feed(
  source: Readable,
  sink: Writable | undefined,
  gone: AbortSignal,
): Promise<void> {
  source.on('error', () => {});
  if (sink !== undefined) {
    sink.on('error', () => {});
    try {
      for await (const chunk of source.iterator({ destroyOnReturn: false })) {
        if (sink.destroyed || gone.aborted) break;
        if (!sink.write(chunk)) await drained(sink, gone);
      }
    } catch {
      // The client has cut it off: the command sees the end of its input.
    }
    sink.end();
  }
  discard(source);
}
