// Soak: hours of a proxy's life in minutes. Mixed load in HTTP/1.1, HTTP/2 and tunnels, while routes change,
// endpoints crash, a worker is killed now and then, and slow and hostile clients do what they do.
//
//   bin/node test/soak/run.ts --seconds 600
//
// Each answer must be the one to its own request, and of one version of the configuration; no request may
// fail but those on whose connection an endpoint or a worker died; memory and descriptors stay flat.

import { Agent, createServer, request } from 'node:http';
import type { Server } from 'node:http';
import { connect as connectH2 } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { connect } from 'node:net';
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Filter } from '../../src/model/filter.ts';
import type { Model } from '../../src/model/model.ts';
import type { Proxy } from '../../src/targets/proxy/proxy.ts';
import { say } from '../../src/targets/proxy/testing/raw.ts';
import {
  backendOf,
  listenAny,
  modelOf,
  newProxy,
  ORIGIN,
  serve,
} from '../../src/targets/proxy/testing/rig.ts';
import { randomRequests } from '../fuzz/messages.ts';
import { Random } from '../fuzz/random.ts';

const ADDRESS = '127.80.208.1';
const PORT = 18098;
const PLACE = { address: ADDRESS, port: PORT };
const VERSIONS = 2;
const ENDPOINTS = 3;
const CHANGE_MS = 100;
const CRASH_MS = 2_000;
const KILL_MS = 30_000;
/** Warm-up, as a share of the time: what grows in it is not looked at. */
const WARM_SHARE = 0.3;
const LOOK_MS = 1_000;
/** A heap is still finding its size in less. */
const JUDGED_SECONDS = 120;
/** Of memory, from the first half after the warm-up to the second. */
const GROWTH_MAX = 0.1;
const DESCRIPTORS_GROWTH_MAX = 20;
const BODY = 'x'.repeat(3000);

interface Totals {
  answered: number;
  /** Answered 502, 503 or 504, or broken off: as it must be when what carried it died. */
  lost: number;
  tunnels: number;
  hostile: number;
  slow: number;
  changes: number;
  crashes: number;
  kills: number;
  readonly wrong: string[];
}

/** Backend `version` says which it is and gives back what it was asked. */
class Endpoint {
  server!: Server;
  port = 0;
  readonly #version: number;

  constructor(version: number) {
    this.#version = version;
  }

  async start(): Promise<void> {
    this.server = createServer((incoming, response) => {
      let bytes = 0;
      incoming.on('data', (chunk: Buffer) => (bytes += chunk.length));
      incoming.on('error', () => undefined);
      incoming.on('end', () => {
        response.setHeader('x-backend', String(this.#version));
        response.end(`${String(incoming.headers['x-id'])} ${incoming.method ?? ''} ${bytes}`);
      });
    });
    this.server.on('upgrade', (_incoming, socket) => {
      socket.on('error', () => undefined);
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n',
      );
      socket.pipe(socket);
    });
    // The same port again after a crash, so that connections are refused in between.
    if (this.port === 0) this.port = await listenAny(this.server);
    else await new Promise<void>((resolve) => this.server.listen(this.port, '127.0.0.1', resolve));
  }

  crash(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

function modelAt(
  version: number,
  extra: number,
  endpoints: readonly (readonly Endpoint[])[],
): Model {
  const filter: Filter = {
    kind: 'responseHeaders',
    set: [{ name: 'x-config', value: String(version) }],
    add: [],
    remove: [],
    origin: ORIGIN,
  };
  const rules = [
    { path: '/', backend: `v${version}`, filters: [filter] },
    // Others come and go around it.
    ...Array.from({ length: extra }, (_, i) => ({
      path: `/extra-${i}`,
      backend: `v${i % VERSIONS}`,
    })),
  ];
  const backends = endpoints.map((group, i) =>
    backendOf(
      `v${i}`,
      'http',
      group.map(({ port }) => port),
    ),
  );
  return modelOf(ADDRESS, [{ port: PORT, protocol: 'http', rules }], backends);
}

class Soak {
  readonly totals: Totals = {
    answered: 0,
    lost: 0,
    tunnels: 0,
    hostile: 0,
    slow: 0,
    changes: 0,
    crashes: 0,
    kills: 0,
    wrong: [],
  };
  readonly #random = new Random(1);
  readonly #endMs: number;
  #id = 0;

  constructor(seconds: number) {
    this.#endMs = performance.now() + seconds * 1000;
  }

  get goesOn(): boolean {
    return performance.now() < this.#endMs && this.totals.wrong.length === 0;
  }

  check(
    id: string,
    method: string,
    bytes: number,
    got: { status: number; body: string; config: unknown; backend: unknown },
  ): void {
    const { totals } = this;
    if (got.status === 502 || got.status === 503 || got.status === 504) {
      totals.lost++;
      return;
    }
    const expected = `${id} ${method} ${bytes}`;
    if (got.status !== 200 || got.body !== expected) {
      totals.wrong.push(`${expected}: ${got.status} ${got.body}`);
    } else if (got.config !== got.backend) {
      totals.wrong.push(`configuration ${String(got.config)}, backend ${String(got.backend)}`);
    } else {
      totals.answered++;
    }
  }

  #next(): { id: string; method: string; body: string } {
    const method = this.#random.pick(['GET', 'GET', 'GET', 'POST', 'PUT']);
    return {
      id: String(++this.#id),
      method,
      body: method === 'GET' ? '' : BODY.slice(this.#random.below(3000)),
    };
  }

  async h1(): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (this.goesOn) {
      const { id, method, body } = this.#next();
      await new Promise<void>((resolve) => {
        const asked = request(
          { host: ADDRESS, port: PORT, path: `/${id}`, method, agent, headers: { 'x-id': id } },
          (response) => {
            let text = '';
            response.on('data', (bytes: Buffer) => (text += bytes.toString()));
            response.on('error', () => (this.totals.lost++, resolve()));
            response.on('end', () => {
              const { statusCode: status = 0, headers } = response;
              this.check(id, method, body.length, {
                status,
                body: text,
                config: headers['x-config'],
                backend: headers['x-backend'],
              });
              resolve();
            });
          },
        );
        asked.on('error', () => (this.totals.lost++, resolve()));
        asked.end(body);
      });
    }
    agent.destroy();
  }

  async h2(streams: number): Promise<void> {
    while (this.goesOn) {
      const session = connectH2(`http://${ADDRESS}:${PORT}`);
      session.on('error', () => undefined);
      const until = performance.now() + 5000;
      const run = async (): Promise<void> => {
        while (this.goesOn && performance.now() < until && !session.closed && !session.destroyed) {
          await this.#stream(session);
        }
      };
      await Promise.all(Array.from({ length: streams }, run));
      session.destroy();
    }
  }

  #stream(session: ClientHttp2Session): Promise<void> {
    const { id, method, body } = this.#next();
    return new Promise((resolve) => {
      const stream = session.request(
        { ':method': method, ':path': `/${id}`, 'x-id': id },
        { endStream: body === '' },
      );
      let head: Record<string, unknown> = {};
      let text = '';
      stream.on('response', (headers) => (head = headers));
      stream.on('data', (bytes: Buffer) => (text += bytes.toString()));
      stream.on('error', () => undefined);
      stream.on('close', () => {
        if (stream.rstCode !== 0 || head[':status'] === undefined) this.totals.lost++;
        else
          this.check(id, method, body.length, {
            status: Number(head[':status']),
            body: text,
            config: head['x-config'],
            backend: head['x-backend'],
          });
        resolve();
      });
      if (body !== '') stream.end(body);
    });
  }

  /** Bytes come back as they went, for as long as the endpoint lives, whatever changes meanwhile. */
  async tunnel(): Promise<void> {
    while (this.goesOn) {
      const socket = connect(PORT, ADDRESS);
      let said = '';
      let heard = '';
      let gone = false;
      socket.on('error', () => undefined);
      socket.on('close', () => (gone = true));
      socket.on('data', (bytes: Buffer) => (heard += bytes.toString('latin1')));
      socket.write(
        `GET /tunnel HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n`,
      );
      for (let i = 0; this.goesOn && !gone && i < 200; i++) {
        await delay(25);
        const end = heard.indexOf('\r\n\r\n');
        if (end === -1) continue;
        if (!heard.startsWith('HTTP/1.1 101')) break;
        if (!said.startsWith(heard.slice(end + 4)))
          this.totals.wrong.push('a tunnel gave back other bytes');
        const piece = `${i}-${this.#random.below(1e6)} `;
        said += piece;
        socket.write(piece);
        this.totals.tunnels++;
      }
      socket.destroy();
    }
  }

  async hostile(): Promise<void> {
    while (this.goesOn) {
      await say(PLACE, randomRequests(this.#random), { quietMs: 20 });
      this.totals.hostile++;
    }
  }

  async slow(): Promise<void> {
    while (this.goesOn) {
      await say(PLACE, ['GET / HTTP/1.1\r\n', 'Host:', ' a', '\r\nX'], {
        gapMs: 300,
        quietMs: 2000,
      });
      this.totals.slow++;
    }
  }

  async change(proxy: Proxy, endpoints: readonly (readonly Endpoint[])[]): Promise<void> {
    while (this.goesOn) {
      const version = this.totals.changes++ % VERSIONS;
      await serve(proxy, modelAt(version, this.#random.below(50), endpoints));
      await delay(CHANGE_MS);
    }
  }

  async crash(endpoints: readonly (readonly Endpoint[])[]): Promise<void> {
    while (this.goesOn) {
      await delay(CRASH_MS);
      const endpoint = this.#random.pick(this.#random.pick(endpoints));
      endpoint.crash();
      await delay(200);
      await endpoint.start();
      this.totals.crashes++;
    }
  }

  async kill(proxy: Proxy): Promise<void> {
    for (let worker = 0; this.goesOn; worker++) {
      for (let i = 0; i < KILL_MS / LOOK_MS && this.goesOn; i++) await delay(LOOK_MS);
      if (!this.goesOn) return;
      await proxy.killWorker(worker % 2);
      this.totals.kills++;
    }
  }
}

interface Look {
  readonly rssBytes: number;
  readonly descriptors: number;
}

function look(): Look {
  return { rssBytes: process.memoryUsage.rss(), descriptors: readdirSync('/proc/self/fd').length };
}

function average(looks: readonly Look[], read: (look: Look) => number): number {
  return looks.reduce((sum, one) => sum + read(one), 0) / Math.max(looks.length, 1);
}

export interface SoakResult extends Totals {
  readonly rssMiB: readonly [first: number, second: number];
  readonly descriptors: readonly [first: number, second: number];
  /** What is wrong; empty when all is well. */
  readonly faults: readonly string[];
}

export async function soak(seconds: number): Promise<SoakResult> {
  const endpoints = Array.from({ length: VERSIONS }, (_, version) =>
    Array.from({ length: ENDPOINTS }, () => new Endpoint(version)),
  );
  for (const endpoint of endpoints.flat()) await endpoint.start();
  const proxy = newProxy({ workers: 2, limits: { headTimeoutMs: 1000, slowStartMs: 500 } });
  const looks: Look[] = [];
  const run = new Soak(seconds);
  const watch = setInterval(() => looks.push(look()), LOOK_MS);
  try {
    await serve(proxy, modelAt(0, 0, endpoints));
    await Promise.all([
      ...Array.from({ length: 8 }, () => run.h1()),
      ...Array.from({ length: 2 }, () => run.h2(8)),
      ...Array.from({ length: 20 }, () => run.tunnel()),
      run.hostile(),
      ...Array.from({ length: 5 }, () => run.slow()),
      run.change(proxy, endpoints),
      run.crash(endpoints),
      run.kill(proxy),
    ]);
  } finally {
    clearInterval(watch);
    await proxy.stop(500);
    for (const endpoint of endpoints.flat()) endpoint.crash();
  }
  const open = proxy.counters().reduce((sum, counters) => sum + counters.requestsOpen, 0);
  const steady = looks.slice(Math.floor(looks.length * WARM_SHARE));
  const half = Math.floor(steady.length / 2);
  const halves = [steady.slice(0, half), steady.slice(half)] as const;
  const rss = halves.map((h) => average(h, (one) => one.rssBytes) / 2 ** 20) as [number, number];
  const descriptors = halves.map((h) => average(h, (one) => one.descriptors)) as [number, number];
  const { totals } = run;
  const faults = [
    ...totals.wrong,
    ...(seconds >= JUDGED_SECONDS && rss[1] > rss[0] * (1 + GROWTH_MAX)
      ? [`memory grows: ${rss.join(' to ')} MiB`]
      : []),
    ...(descriptors[1] > descriptors[0] + DESCRIPTORS_GROWTH_MAX
      ? [`descriptors grow: ${descriptors.join(' to ')}`]
      : []),
    ...(totals.lost > totals.answered * 0.01
      ? [`${totals.lost} of ${totals.answered} were lost`]
      : []),
    ...(open !== 0 ? [`${open} requests never ended`] : []),
    ...(proxy.restarts !== totals.kills
      ? [`${proxy.restarts} workers replaced, ${totals.kills} killed`]
      : []),
  ];
  return { ...totals, rssMiB: rss, descriptors, faults };
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { seconds: { type: 'string', default: '600' } } });
  const {
    faults,
    rssMiB,
    descriptors,
    wrong: _wrong,
    ...totals
  } = await soak(Number(values.seconds));
  const rounded = (pair: readonly number[]): string => pair.map((n) => n.toFixed(1)).join(' → ');
  process.stdout.write(`${JSON.stringify(totals)}\n`);
  process.stdout.write(`memory ${rounded(rssMiB)} MiB, descriptors ${rounded(descriptors)}\n`);
  for (const fault of faults) process.stdout.write(`WRONG: ${fault}\n`);
  process.stdout.write(faults.length === 0 ? 'all well\n' : '');
  process.exitCode = faults.length === 0 ? 0 : 1;
}
