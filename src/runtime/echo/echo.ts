// The built-in echo servers: a pod whose image is one of the well-known echo images runs one of these at the pod's own
// address, since Fairway pulls no images. image.ts lists the images, pod.ts says what a program gets. Many pods share
// one thread; nothing here reads the process or keeps state outside the pod.

import { startEchoAdvanced } from './advanced/advanced.ts';
import { startEchoBasic } from './basic/basic.ts';
import { EchoStartError } from './errors.ts';
import { echoProgram, type EchoProgram } from './image.ts';
import { Listeners } from './listeners.ts';
import { startAgnhost } from './other/agnhost.ts';
import { startHttpEcho } from './other/http-echo.ts';
import { startWhoami } from './other/whoami.ts';
import type { EchoPod, RunningEcho } from './pod.ts';

export { runEchoClient } from './client/client.ts';
export type { EchoPod, RunningEcho } from './pod.ts';

/** Whether startEcho has a program for this image; any tag, digest and registry of the repositories in image.ts. */
export function isEchoImage(image: string): boolean {
  return echoProgram(image) !== undefined;
}

/**
 * Starts the program of the pod's image and resolves once all its ports are open. Rejects with EchoStartError, and
 * leaves nothing open, if a port is taken, a certificate is unreadable, or arguments or environment are wrong.
 */
export async function startEcho(pod: EchoPod): Promise<RunningEcho> {
  const program = echoProgram(pod.image);
  if (program === undefined) {
    throw new EchoStartError(
      'FW_ECHO_IMAGE',
      `${pod.image} is not an echo image Fairway stands in for`,
    );
  }
  const withLines = { ...pod, log: byLine(pod.log) };
  const listeners = new Listeners(withLines);
  try {
    await PROGRAMS[program](withLines, listeners);
  } catch (error) {
    await listeners.close();
    throw error;
  }
  return { close: () => listeners.close() };
}

const PROGRAMS: Readonly<
  Record<EchoProgram, (pod: EchoPod, listeners: Listeners) => Promise<void>>
> = {
  'echo-basic': startEchoBasic,
  'echo-advanced': startEchoAdvanced,
  'http-echo': startHttpEcho,
  agnhost: startAgnhost,
  whoami: startWhoami,
};

/** What clients send may end up in a log entry with its line breaks; the log gets one line at a time. */
function byLine(log: EchoPod['log']): EchoPod['log'] {
  return (text) => {
    if (text.includes('\n')) for (const line of text.split('\n')) log(line);
    else log(text);
  };
}
