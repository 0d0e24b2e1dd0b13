// A request that wants its connection to become another protocol: which one, and how it is refused.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { STATUS_CODES } from 'node:http';
import type { Status } from './status.ts';

/** What Node.js hands over with the 'upgrade' event of an HTTP server. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** The first protocol of the Upgrade header that is one of ours. */
export function upgradeKind(request: IncomingMessage): 'websocket' | 'spdy' | undefined {
  const wanted = (request.headers.upgrade ?? '').toLowerCase().split(',');
  for (const each of wanted) {
    if (each.trim() === 'websocket') return 'websocket';
    if (each.trim() === 'spdy/3.1') return 'spdy';
  }
  return undefined;
}

/** The values of a list header, in the client's order of preference. */
export function listHeader(request: IncomingMessage, name: string): readonly string[] {
  return (request.headersDistinct[name] ?? [])
    .flatMap((line) => line.split(','))
    .map((value) => value.trim())
    .filter((value) => value !== '');
}

/** Answers with a Status and closes: the request stays what it was. */
export function refuseUpgrade(
  { socket }: Upgrade,
  status: Status,
  headers: Readonly<Record<string, string>> = {},
): void {
  const code = status.code ?? 500;
  const body = Buffer.from(`${JSON.stringify(status)}\n`);
  const lines = Object.entries({
    'content-type': 'application/json',
    'content-length': String(body.length),
    connection: 'close',
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.on('error', () => {});
  socket.resume();
  socket.end(
    Buffer.concat([
      Buffer.from(`HTTP/1.1 ${code} ${STATUS_CODES[code] ?? 'Error'}\r\n${lines.join('')}\r\n`),
      body,
    ]),
  );
}
