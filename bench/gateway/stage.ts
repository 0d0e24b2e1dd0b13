// A Fairway with a Gateway and an API to write routes to, and somebody who asks the Gateway: what each
// of the tests of this folder begins with.

import { dirname, join } from 'node:path';
import { readFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { ApiClient } from '../../test/support/api-client.ts';
import { kubeconfigIn } from '../../test/support/kubectl.ts';
import type { Context } from '../support/benchmark.ts';
import { ADDRESS, startFairway } from '../support/fairway.ts';
import { gateway } from '../support/manifests.ts';
import { freePort } from '../support/ports.ts';
import type { Running } from '../support/scratch.ts';

export const NAMESPACE = 'bench';
export const ROUTES = `/apis/gateway.networking.k8s.io/v1/namespaces/${NAMESPACE}/httproutes`;
export const GATEWAY = `/apis/gateway.networking.k8s.io/v1/namespaces/${NAMESPACE}/gateways/web`;

const CLIENTS = 4;
const ASK_MS_MAX = 5_000;

export interface Stage {
  readonly fairway: Running;
  readonly client: ApiClient;
  /** Of the Gateway's listener. */
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Starts Fairway on the Gateway and on `files`, name → text, with one worker. `more` is text of the
 * Gateway's spec.
 */
export async function openStage(
  context: Context,
  name: string,
  files: Readonly<Record<string, string>> = {},
  more = '',
): Promise<Stage> {
  const { scratch } = context;
  const port = await freePort();
  scratch.write(join(name, 'gateway.yaml'), gateway({ httpPort: port }) + more);
  for (const [file, text] of Object.entries(files)) scratch.write(join(name, file), text);
  const folder = dirname(scratch.file(join(name, '_')));
  const fairway = await startFairway(context, folder, { args: ['--workers', '1', '--fresh'] });
  const client = new ApiClient(await kubeconfigIn(scratch.file('home')), CLIENTS);
  return {
    fairway,
    client,
    port,
    close: async () => {
      client.close();
      await fairway.stop();
    },
  };
}

/** Throws with what the API said when it did not do what it was asked. */
export async function write(
  client: ApiClient,
  method: 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<void> {
  const { status, text } = await client.ask(method, path, body === undefined ? {} : { body });
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text.slice(0, 500)}`);
}

/** Does something for each number below `count`, four at a time. */
export async function forEach(count: number, one: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await one(next++);
  };
  await Promise.all(Array.from({ length: CLIENTS }, worker));
}

/** Asks until `done` says so. Gives the moment it did, by the clock of `performance`. */
export async function until(
  { signal }: Context,
  everyMs: number,
  done: () => Promise<boolean>,
): Promise<number> {
  for (;;) {
    signal.throwIfAborted();
    if (await done()) return performance.now();
    await delay(everyMs, undefined, { signal });
  }
}

export interface Asked {
  /** 0 when no answer came. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** Somebody who asks the Gateway on connections that are kept. */
export class Visitor {
  readonly #agent: Agent;
  readonly #port: number;

  constructor(port: number, connections = 1) {
    this.#port = port;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  ask(host: string, path = '/'): Promise<Asked> {
    const options = { host: ADDRESS, port: this.#port, path, headers: { host } };
    return new Promise((resolve) => {
      const none = (): void => resolve({ status: 0, headers: {} });
      const sent = request({ ...options, agent: this.#agent, timeout: ASK_MS_MAX }, (response) => {
        response.resume();
        response.once('error', none);
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers }),
        );
      });
      sent.once('timeout', () => sent.destroy());
      sent.once('error', none);
      sent.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** A backend that answers 200, or what `status` says, and counts. */
export class Backend {
  requests = 0;
  status = 200;
  readonly #server: Server = createServer((_, response) => {
    this.requests++;
    response.statusCode = this.status;
    response.end('ok\n');
  });

  async listen(): Promise<number> {
    this.#server.keepAliveTimeout = 0;
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** A Service for which processes on this machine stand in. */
export function serviceObject(
  name: string,
  ports: readonly number[],
  namespace = NAMESPACE,
): object {
  const address = ports.map((port) => `127.0.0.1:${port}`).join(',');
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, annotations: { 'fairway.dev/address': address } },
    spec: { ports: [{ port: 80 }] },
  };
}

export async function createService(
  client: ApiClient,
  name: string,
  ports: readonly number[],
): Promise<void> {
  const path = `/api/v1/namespaces/${NAMESPACE}/services`;
  await write(client, 'POST', path, serviceObject(name, ports));
}

/** Memory that a process holds, in MB. */
export function megabytesOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1024;
}
