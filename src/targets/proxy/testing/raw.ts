// A client that says exactly the bytes it is given, and tells what came back and how it ended.

import { connect } from 'node:net';
import type { Socket } from 'node:net';

export interface Heard {
  /** All bytes, as Latin-1. */
  readonly text: string;
  /** Of the first response; 0 when there was none. */
  readonly status: number;
  /** Of all responses that are not interim, as far as a status line tells. */
  readonly statuses: readonly number[];
  /** How the connection ended; 'open' when it had not when we stopped listening. */
  readonly end: 'open' | 'closed' | 'reset';
}

export interface SayOptions {
  /** Stop listening when nothing has come for so long. */
  readonly quietMs?: number;
  /** Close our half after the last byte. */
  readonly half?: boolean;
  /** Pause between pieces. */
  readonly gapMs?: number;
}

/** Says the pieces one after the other. */
export function say(
  place: { readonly address: string; readonly port: number },
  pieces: string | readonly string[],
  { quietMs = 250, half = false, gapMs = 0 }: SayOptions = {},
): Promise<Heard> {
  return new Promise((resolve) => {
    const socket = connect({ host: place.address, port: place.port, allowHalfOpen: true });
    let text = '';
    let quiet: NodeJS.Timeout | undefined;
    const done = (end: Heard['end']): void => {
      clearTimeout(quiet);
      socket.removeAllListeners();
      socket.on('error', () => undefined);
      socket.destroy();
      resolve({ text, ...statusesOf(text), end });
    };
    const heard = (): void => {
      clearTimeout(quiet);
      quiet = setTimeout(() => done('open'), quietMs);
    };
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      heard();
    });
    socket.on('end', () => done('closed'));
    socket.on('close', () => done('closed'));
    socket.on('error', () => done('reset'));
    socket.on(
      'connect',
      () =>
        void write(socket, typeof pieces === 'string' ? [pieces] : pieces, gapMs, half).then(heard),
    );
  });
}

async function write(
  socket: Socket,
  pieces: readonly string[],
  gapMs: number,
  half: boolean,
): Promise<void> {
  for (const piece of pieces) {
    socket.write(piece, 'latin1');
    if (gapMs > 0) await new Promise((resolve) => setTimeout(resolve, gapMs));
  }
  if (half) socket.end();
}

function statusesOf(text: string): Pick<Heard, 'status' | 'statuses'> {
  const statuses = Array.from(text.matchAll(/HTTP\/1\.[01] ([2-5]\d\d)[ \r]/g), ([, code]) =>
    Number(code),
  );
  return { status: statuses[0] ?? 0, statuses };
}

/** How long nothing may come before all has been heard; a busy machine needs the longer ones. */
const QUIET_MS = [60, 500, 2000];

/** Runs a check that listens for a while, and again for longer when it fails. */
export async function patiently(check: (quietMs: number) => Promise<void>): Promise<void> {
  for (const quietMs of QUIET_MS.slice(0, -1)) {
    const isWell = await check(quietMs).then(
      () => true,
      () => false,
    );
    if (isWell) return;
  }
  await check(QUIET_MS.at(-1)!);
}
