// A steady load on Fairway while its routes change, and the backend of all routes: a thread of its own,
// so that whoever measures is not kept waiting. Every request that is not answered with 200 counts as
// failed; so does one that takes longer than a second.

import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';
import { percentile } from '../support/stats.ts';

/** What the thread is told. */
export type ToLoad =
  | {
      readonly kind: 'begin';
      readonly address: string;
      readonly port: number;
      readonly hosts: readonly string[];
    }
  | { readonly kind: 'end' };

/** What the thread says: where its backend is, and at the end what became of the load. */
export type FromLoad =
  | { readonly kind: 'backend'; readonly port: number }
  | {
      readonly kind: 'ended';
      readonly requests: number;
      readonly failed: number;
      readonly p99Ms: number;
    };

const CLIENTS = 16;
/** Each client asks this often: 1,000 requests a second in all. */
const PAUSE_MS = 16;
const ANSWER_MS_MAX = 1_000;

const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
const times: number[] = [];
let failed = 0;
let ending = false;

type Begin = Extract<ToLoad, { kind: 'begin' }>;

async function runClient(begin: Begin, client: number): Promise<void> {
  for (let turn = client; !ending; turn += CLIENTS) {
    const host = begin.hosts[turn % begin.hosts.length]!;
    const startedMs = performance.now();
    if (!(await ask(begin, host))) failed++;
    const tookMs = performance.now() - startedMs;
    times.push(tookMs);
    await delay(Math.max(0, PAUSE_MS - tookMs));
  }
}

function ask({ address, port }: Begin, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { host: address, port, path: '/app/hello', agent, headers: { host } };
    const sent = request({ ...options, timeout: ANSWER_MS_MAX }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode === 200));
      response.once('error', () => resolve(false));
    });
    sent.once('timeout', () => sent.destroy());
    sent.once('error', () => resolve(false));
    sent.end();
  });
}

function run(send: (message: FromLoad) => void): (message: ToLoad) => void {
  const backend = createServer((_, response) => response.end('hello\n'));
  backend.keepAliveTimeout = 0;
  backend.listen({ host: '127.0.0.1', port: 0 }, () => {
    send({ kind: 'backend', port: (backend.address() as AddressInfo).port });
  });
  let clients: Promise<unknown> = Promise.resolve();
  return (message) => {
    switch (message.kind) {
      case 'begin':
        clients = Promise.all(Array.from({ length: CLIENTS }, (_, i) => runClient(message, i)));
        return;
      case 'end':
        ending = true;
        void clients.then(() => {
          send({ kind: 'ended', requests: times.length, failed, p99Ms: percentile(times, 0.99) });
        });
    }
  };
}

// The entry of a thread, imported by nobody for more than its types.
parentPort?.on(
  'message',
  run((message) => parentPort?.postMessage(message)),
);
