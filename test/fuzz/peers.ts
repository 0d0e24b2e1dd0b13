// Fairway, nginx and HAProxy side by side, each before a backend of its own that keeps every byte: what
// becomes of the same bytes in each of them.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import {
  backendOf,
  listenAny,
  modelOf,
  newProxy,
  serve,
} from '../../src/targets/proxy/testing/rig.ts';
import { parseAll } from './llhttp.ts';

/** A request as a backend gets to see it. */
export interface Seen {
  readonly method: string;
  readonly target: string;
  readonly body: string;
}

export interface Peer {
  readonly name: string;
  /** Says bytes on a new connection and gives the requests that reached the backend. */
  ask(text: string, patient?: boolean): Promise<readonly Seen[]>;
  stop(): Promise<void>;
}

const ADDRESS = '127.80.206.1';
const PORT = 18095;
const QUIET_MS = 60;
/** When something looks wrong it is asked again: the machine may only have been busy. */
const PATIENT_MS = 1_000;
const START_MS_MAX = 5_000;
/** Follows every input, so that what is answered in full ends at once. */
const LAST = 'GET /the-end HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n';

/** Answers each request that llhttp finds complete, and forgets what came before `reset`. */
class Backend {
  port = 0;
  readonly #connections = new Set<{ text: string; answered: number; readonly socket: Socket }>();
  #seen: Seen[] = [];
  readonly #server = createServer((socket) => {
    const connection = { text: '', answered: 0, socket };
    this.#connections.add(connection);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#connections.delete(connection));
    socket.on('data', (bytes: Buffer) => {
      connection.text += bytes.toString('latin1');
      const complete = parseAll(connection.text, 'request', false).messages.filter(
        (m) => m.complete,
      );
      for (const { method, url, body } of complete.slice(connection.answered)) {
        this.#seen.push({ method, target: url, body });
        connection.answered++;
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      }
    });
  });

  async listen(): Promise<void> {
    this.port = await listenAny(this.#server);
  }

  /** Gives what was seen since the last time; connections begin anew, as bytes of one input must not meet the next. */
  take(): readonly Seen[] {
    const seen = this.#seen;
    this.#seen = [];
    for (const connection of this.#connections) {
      connection.text = '';
      connection.answered = 0;
    }
    return seen;
  }

  close(): void {
    for (const { socket } of this.#connections) socket.destroy();
    this.#server.close();
  }
}

function say(host: string, port: number, text: string, quietMs: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let quiet: NodeJS.Timeout | undefined;
    const done = (): void => {
      clearTimeout(quiet);
      socket.destroy();
      resolve();
    };
    const heard = (): void => {
      clearTimeout(quiet);
      quiet = setTimeout(done, quietMs);
    };
    socket.on('error', done);
    socket.on('close', done);
    socket.on('end', done);
    socket.on('data', heard);
    socket.on('connect', () => {
      socket.write(text + LAST, 'latin1');
      heard();
    });
  });
}

function peer(
  name: string,
  host: string,
  port: number,
  backend: Backend,
  stop: () => Promise<void>,
): Peer {
  return {
    name,
    ask: async (text, patient = false) => {
      // What was given up waiting for may still come.
      if (patient) {
        await delay(PATIENT_MS);
        backend.take();
      }
      await say(host, port, text, patient ? PATIENT_MS : QUIET_MS);
      return backend.take();
    },
    stop: async () => {
      await stop();
      backend.close();
    },
  };
}

export async function startFairway(): Promise<Peer> {
  const backend = new Backend();
  await backend.listen();
  const proxy = newProxy();
  const rules = [{ path: '/', backend: 'b' }];
  const ports = [{ port: PORT, protocol: 'http' as const, rules }];
  await serve(proxy, modelOf(ADDRESS, ports, [backendOf('b', 'http', [backend.port])]));
  return peer('fairway', ADDRESS, PORT, backend, () => proxy.stop(100));
}

/** Null when it is not installed. */
export async function startNginx(): Promise<Peer | null> {
  const program = find('nginx');
  if (program === null) return null;
  return startProgram('nginx', (folder, port, backend) => {
    writeFileSync(
      join(folder, 'nginx.conf'),
      `daemon off; master_process off; pid ${folder}/pid; error_log /dev/null;
events {}
http {
  access_log off; client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p;
  fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  upstream b { server 127.0.0.1:${backend}; keepalive 4; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://b; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; }
  }
}`,
    );
    return [program, '-c', join(folder, 'nginx.conf'), '-p', folder];
  });
}

/** Null when it is not installed. */
export async function startHaproxy(): Promise<Peer | null> {
  const program = find('haproxy');
  if (program === null) return null;
  return startProgram('haproxy', (folder, port, backend) => {
    writeFileSync(
      join(folder, 'haproxy.cfg'),
      `defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend f
  bind 127.0.0.1:${port}
  default_backend b
backend b
  server s 127.0.0.1:${backend}
`,
    );
    return [program, '-db', '-f', join(folder, 'haproxy.cfg')];
  });
}

async function startProgram(
  name: string,
  configure: (folder: string, port: number, backend: number) => readonly string[],
): Promise<Peer> {
  const backend = new Backend();
  await backend.listen();
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), `fairway-${name}-`));
  const [program = '', ...args] = configure(folder, port, backend.port);
  const child = spawn(program, args, { stdio: 'ignore' });
  const end = performance.now() + START_MS_MAX;
  while (!(await listens(port))) {
    if (performance.now() > end) throw new Error(`${name} does not listen`);
    await delay(20);
  }
  return peer(name, '127.0.0.1', port, backend, async () => {
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  });
}

function find(program: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path)) ?? null;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenAny(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => resolve(false));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
