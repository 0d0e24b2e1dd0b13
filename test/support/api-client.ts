// A client of the Kubernetes API for tests, as plain as can be: one request and its answer, or a watch
// and the events that came so far.

import { Agent, request } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import { until } from './fairway.ts';
import { accessIn } from './kubectl.ts';
import type { Loose } from './kubectl.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body parsed; undefined when it is not JSON. */
  readonly body: Loose;
}

export interface Asked {
  readonly body?: unknown;
  readonly type?: string;
  readonly accept?: string;
  /** Undefined leaves a header out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

export interface Event {
  readonly type: string;
  readonly object: Loose;
}

export interface Watching {
  readonly events: readonly Event[];
  /** When each of them came, by `performance.now()`. */
  readonly timesMs: readonly number[];
  readonly ended: Promise<void>;
  /** Waits until there are so many events. */
  until(count: number): Promise<readonly Event[]>;
  stop(): void;
}

export class ApiClient {
  readonly url: string;
  readonly token: string;
  readonly #agent: Agent;

  constructor(kubeconfig: string, connections = 8) {
    const { url, token, ca } = accessIn(kubeconfig);
    this.url = url;
    this.token = token;
    this.#agent = new Agent({
      ca,
      servername: 'localhost',
      keepAlive: true,
      maxSockets: connections,
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  ask(method: string, path: string, asked: Asked = {}): Promise<Answer> {
    const { body } = asked;
    const bytes =
      body === undefined
        ? undefined
        : Buffer.isBuffer(body)
          ? body
          : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    return new Promise((resolve, reject) => {
      const sent = request(
        `${this.url}${path}`,
        {
          method,
          agent: this.#agent,
          headers: this.#headers(asked, bytes?.length),
          rejectUnauthorized: true,
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('error', reject);
          response.once('end', () => {
            const text = Buffer.concat(chunks).toString();
            const status = response.statusCode ?? 0;
            resolve({ status, headers: response.headers, text, body: parsed(text) });
          });
        },
      );
      sent.once('error', reject);
      sent.end(bytes);
    });
  }

  get(path: string, accept?: string): Promise<Answer> {
    return this.ask('GET', path, accept === undefined ? {} : { accept });
  }

  create(path: string, body: unknown): Promise<Answer> {
    return this.ask('POST', path, { body });
  }

  patch(path: string, body: unknown, type = 'application/merge-patch+json'): Promise<Answer> {
    return this.ask('PATCH', path, { body, type });
  }

  /** Begins a watch: `path` without `watch=true`. On a connection of its own. */
  watch(path: string, accept = 'application/json'): Watching {
    const events: Event[] = [];
    const timesMs: number[] = [];
    const agent = new Agent({ ...this.#agent.options, keepAlive: false });
    let rest = '';
    const url = `${this.url}${path}${path.includes('?') ? '&' : '?'}watch=true`;
    const sent = request(url, { agent, headers: this.#headers({ accept }, undefined) });
    const ended = new Promise<void>((resolve) => {
      sent.once('response', (response) => {
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          const lines = (rest + chunk).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) {
            events.push(JSON.parse(line) as Event);
            timesMs.push(performance.now());
          }
        });
        response.once('close', resolve);
      });
      sent.once('error', () => resolve());
    });
    sent.end();
    return {
      events,
      timesMs,
      ended,
      until: async (count) => {
        await until(() => events.length >= count, `${count} events of ${path}`);
        return events;
      },
      stop: () => sent.destroy(),
    };
  }

  #headers(asked: Asked, length: number | undefined): Record<string, string> {
    const all = {
      authorization: `Bearer ${this.token}`,
      accept: asked.accept ?? 'application/json',
      'content-type': asked.type ?? 'application/json',
      'content-length': length === undefined ? undefined : String(length),
      ...asked.headers,
    };
    return Object.fromEntries(
      Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
  }
}

function parsed(text: string): Loose {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
