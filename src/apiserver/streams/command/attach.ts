// `pods/attach`: what a container writes from now on. There is nothing else to attach to: containers are
// started with their standard input closed and without a terminal, and write to their log.

import { badRequest, SUCCESS } from '../status.ts';
import { pump } from '../wait.ts';
import type { CommandOptions, CommandStreams } from './streams.ts';

/**
 * The lines, without line breaks, that the container writes to one of its outputs from now on. It ends
 * when the container has ended, and soon after the signal has aborted.
 */
export type FollowOutput = (
  stream: 'stdout' | 'stderr',
  signal: AbortSignal,
) => AsyncIterable<string>;

/** Serves until the container has ended or the client goes. Never rejects. */
export async function serveAttach(
  streams: CommandStreams,
  options: CommandOptions,
  follow: FollowOutput,
): Promise<void> {
  if (options.stdin) {
    await streams.finish(
      badRequest(
        'the standard input of a container cannot be attached: it was started with it closed; ' +
          'leave out -i, or run a command of its own with kubectl exec -i',
      ),
    );
    return;
  }
  const { gone, stdout, stderr } = streams;
  await Promise.all([
    stdout && pump(withBreaks(follow('stdout', gone)), stdout, gone),
    stderr && pump(withBreaks(follow('stderr', gone)), stderr, gone),
  ]);
  await streams.finish(SUCCESS);
}

async function* withBreaks(lines: AsyncIterable<string>): AsyncGenerator<string, void> {
  for await (const line of lines) yield `${line}\n`;
}
