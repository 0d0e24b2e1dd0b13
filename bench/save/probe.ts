// Asks for one route over and over on one connection until its answers carry a certain version.

import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

export interface ProbedRoute {
  readonly address: string;
  readonly port: number;
  readonly host: string;
}

const PAUSE_MS = 1;

export class Probe {
  /** Answers that were not 200, and connections that broke. */
  failed = 0;
  requests = 0;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #route: ProbedRoute;

  constructor(route: ProbedRoute) {
    this.#route = route;
  }

  /** Resolves with the moment the version was served, by the clock of `performance`. */
  async untilVersion(version: number, signal: AbortSignal): Promise<number> {
    for (;;) {
      signal.throwIfAborted();
      if ((await this.#ask()) === String(version)) return performance.now();
      await delay(PAUSE_MS, undefined, { signal });
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #ask(): Promise<string | undefined> {
    const { address, port, host } = this.#route;
    this.requests++;
    return new Promise((resolve) => {
      const fail = (): void => {
        this.failed++;
        resolve(undefined);
      };
      const options = { host: address, port, path: '/app/hello', headers: { host } };
      const sent = request({ ...options, agent: this.#agent }, (response) => {
        response.resume();
        response.once('error', fail);
        response.once('end', () => {
          if (response.statusCode !== 200) fail();
          else resolve(response.headers['x-version'] as string | undefined);
        });
      });
      sent.once('error', fail);
      sent.end();
    });
  }
}
