// Asks for a page until it is there, and says when the port first took a connection and when the page
// first came.

import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface Place {
  readonly address: string;
  readonly port: number;
  readonly host: string;
}

/** By the clock of `performance`. */
export interface Served {
  readonly acceptedAtMs: number;
  readonly servedAtMs: number;
}

/** Asking more often would take the processor from who is asked. */
const PAUSE_MS = 2;
const ANSWER_MS_MAX = 2_000;

/** Resolves when the page is served. Rejects when `signal` is aborted before. */
export async function untilServed(place: Place, signal: AbortSignal): Promise<Served> {
  let acceptedAtMs = 0;
  let socket: Socket | undefined;
  try {
    for (;;) {
      signal.throwIfAborted();
      socket ??= await open(place);
      if (socket !== undefined) {
        if (acceptedAtMs === 0) acceptedAtMs = performance.now();
        const status = await ask(socket, place.host);
        if (status === 200) return { acceptedAtMs, servedAtMs: performance.now() };
        if (status === undefined) {
          socket.destroy();
          socket = undefined;
        }
      }
      await delay(PAUSE_MS, undefined, { signal });
    }
  } finally {
    socket?.destroy();
  }
}

function open({ address, port }: Place): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(undefined));
  });
}

/** The status of an answer; undefined when none came and the connection is of no more use. */
function ask(socket: Socket, host: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const done = (status: number | undefined): void => {
      clearTimeout(timer);
      socket.removeAllListeners();
      socket.on('error', () => undefined);
      resolve(status);
    };
    const timer = setTimeout(() => done(undefined), ANSWER_MS_MAX);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const status = wholeAnswer(text);
      if (status !== undefined) done(status);
    });
    socket.once('error', () => done(undefined));
    socket.once('close', () => done(undefined));
    socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  });
}

/** The status once all of the answer has come: then the next question can be asked. */
function wholeAnswer(text: string): number | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const headText = text.slice(0, end);
  const length = /\r\ncontent-length: *(\d+)/i.exec(headText)?.[1];
  const isWhole =
    length === undefined ? text.endsWith('0\r\n\r\n') : text.length >= end + 4 + Number(length);
  return isWhole ? Number(headText.slice(9, 12)) : undefined;
}
