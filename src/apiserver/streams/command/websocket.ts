// A remote command over a WebSocket: channels 0 stdin, 1 stdout, 2 stderr, 3 error, 4 resize.

import type { StreamLimits } from '../limits.ts';
import type { Upgrade } from '../upgrade.ts';
import { flushed } from '../wait.ts';
import { acceptWebSocket } from '../websocket/accept.ts';
import { ChannelSocket } from '../websocket/channels.ts';
import { outcomeText } from './outcome.ts';
import { readSizes } from './resize.ts';
import type { CommandOptions, CommandStreams } from './streams.ts';

const V5 = 'v5.channel.k8s.io';
const V4 = 'v4.channel.k8s.io';
const V4_BASE64 = 'v4.base64.channel.k8s.io';
const PLAIN = 'channel.k8s.io';
const PLAIN_BASE64 = 'base64.channel.k8s.io';
const UNNAMED = '';

const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;

export async function acceptCommandOverWebSocket(
  upgrade: Upgrade,
  options: CommandOptions,
  limits: StreamLimits,
): Promise<CommandStreams | undefined> {
  const supported = [V5, V4, V4_BASE64, PLAIN, PLAIN_BASE64, UNNAMED];
  const accepted = await acceptWebSocket(upgrade, supported, limits);
  if (accepted === undefined) return undefined;
  const { socket, protocol } = accepted;
  const channels = new ChannelSocket(socket, {
    base64: protocol === V4_BASE64 || protocol === PLAIN_BASE64,
    closes: protocol === V5,
    limits,
  });
  const { gone } = channels;
  const stdin = options.stdin ? channels.readable(CHANNEL.stdin) : undefined;
  const stdout = options.stdout ? channels.writable(CHANNEL.stdout) : undefined;
  const stderr = options.stderr ? channels.writable(CHANNEL.stderr) : undefined;
  const resize = channels.readable(CHANNEL.resize);
  const error = channels.writable(CHANNEL.error);
  if (options.stdout) channels.greet(CHANNEL.stdout);
  else channels.greet(options.stderr ? CHANNEL.stderr : CHANNEL.error);
  // Read from the first moment, or the sizes of a client that has no terminal would fill the buffer.
  let onSize: Parameters<CommandStreams['onResize']>[0] = () => {};
  let lastSize: Parameters<typeof onSize>[0] | undefined;
  readSizes(resize, (size) => {
    lastSize = size;
    onSize(size);
  });
  return {
    stdin,
    stdout,
    stderr,
    onResize: (listener) => {
      onSize = listener;
      if (lastSize !== undefined) listener(lastSize);
    },
    gone,
    finish: async (outcome) => {
      await Promise.all([stdout, stderr].map((each) => flushed(each, gone)));
      const asStatus = protocol === V5 || protocol === V4 || protocol === V4_BASE64;
      const text = outcomeText(outcome, asStatus);
      if (text !== '' && error.writable) error.write(text);
      await flushed(error, gone);
      channels.close();
    },
  };
}
