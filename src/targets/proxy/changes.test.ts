// Changes of the configuration under load: no request fails, no connection closes, every answer is of one
// version, and a route that is new is never answered in any way but 404 and then 200.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import type { Server } from 'node:http';
import { connect as connectH2 } from 'node:http2';
import { Agent as TlsAgent, request as requestTls } from 'node:https';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { parseAllDocuments } from 'yaml';
import type { Filter } from '../../model/filter.ts';
import type { Model } from '../../model/model.ts';
import type { Proxy } from './proxy.ts';
import { say } from './testing/raw.ts';
import { backendOf, listenAny, modelOf, newProxy, ORIGIN, serve } from './testing/rig.ts';

const ADDRESS = '127.80.209.1';
const PORT = 18100;
const TLS_PORT = 18101;
const CHANGES = 1_000;
/** Half of them in TLS. */
const TUNNELS = 1_000;

interface Written {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly stringData?: Readonly<Record<string, string>>;
}

const folder = join(import.meta.dirname, '../../../testdata/cases/backend-tls/client-certificate');
const secret = parseAllDocuments(readFileSync(join(folder, 'in.yaml'), 'utf8'))
  .map((document) => document.toJS() as Written)
  .find(({ kind, metadata }) => kind === 'Secret' && metadata.name === 'books-certificate');
const certificate = {
  key: 'own',
  chain: secret?.stringData?.['tls.crt'] ?? '',
  privateKey: secret?.stringData?.['tls.key'] ?? '',
  names: ['a'],
  origin: ORIGIN,
};

const TLS = { rejectUnauthorized: false, servername: 'a' };

describe('changes under load', () => {
  const backends: Server[] = [];
  const ports: number[] = [];
  let proxy: Proxy;

  before(async () => {
    for (const version of [0, 1]) {
      const server = createServer((_, response) => {
        response.setHeader('x-backend', String(version));
        response.end('ok');
      });
      server.on('upgrade', (_incoming, socket) => {
        socket.on('error', () => undefined);
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n',
        );
        socket.pipe(socket);
      });
      ports.push(await listenAny(server));
      backends.push(server);
    }
    proxy = newProxy({ workers: 2 });
    await serve(proxy, modelAt(0));
  });

  after(async () => {
    await proxy.stop(100);
    for (const server of backends) {
      server.closeAllConnections();
      server.close();
    }
  });

  /** Every version sends to its own backend and says so in the answer. */
  function modelAt(version: number, extra: readonly string[] = []): Model {
    const filter: Filter = {
      kind: 'responseHeaders',
      set: [{ name: 'x-config', value: String(version % 2) }],
      add: [],
      remove: [],
      origin: ORIGIN,
    };
    const rules = [
      { path: '/', backend: `v${version % 2}`, hostname: 'a', filters: [filter] },
      ...extra.map((path) => ({ path, backend: 'v0', hostname: 'b' })),
    ];
    const backends_ = ports.map((port, i) => backendOf(`v${i}`, 'http', [port]));
    const ports_ = [
      { port: PORT, protocol: 'http' as const, rules },
      { port: TLS_PORT, protocol: 'https' as const, rules, certificates: ['own'] },
    ];
    return modelOf(ADDRESS, ports_, backends_, [certificate]);
  }

  it('fail no request and close no connection', async () => {
    let isOver = false;
    let answered = 0;
    const faults: string[] = [];
    const judge = (status: number, headers: Record<string, unknown>): void => {
      if (status !== 200) faults.push(`status ${status}`);
      else if (headers['x-config'] !== headers['x-backend'])
        faults.push('two versions in one answer');
      else answered++;
    };
    const http1 = async (isTls: boolean): Promise<void> => {
      const options = { keepAlive: true, maxSockets: 1 };
      const agent = isTls ? new TlsAgent({ ...options, ...TLS }) : new Agent(options);
      const ask = isTls ? requestTls : request;
      const ports_ = new Set<number | undefined>();
      while (!isOver) {
        await new Promise<void>((resolve) => {
          const asked = ask(
            { host: ADDRESS, port: isTls ? TLS_PORT : PORT, agent, headers: { host: 'a' } },
            (response) => {
              ports_.add(response.socket.localPort);
              judge(response.statusCode ?? 0, response.headers);
              response.resume().on('end', resolve);
            },
          );
          asked.on('error', (error) => (faults.push(error.message), resolve()));
          asked.end();
        });
      }
      if (ports_.size !== 1) faults.push('a connection was closed');
      agent.destroy();
    };
    const http2 = async (isTls: boolean): Promise<void> => {
      const place = isTls ? `https://${ADDRESS}:${TLS_PORT}` : `http://${ADDRESS}:${PORT}`;
      const session = connectH2(place, TLS);
      session.on('error', (error) => faults.push(error.message));
      session.on('goaway', () => faults.push('GOAWAY'));
      while (!isOver) {
        const stream = session.request({ ':path': '/', ':authority': 'a' });
        stream.on('error', (error) => faults.push(error.message));
        const [head] = (await once(stream, 'response')) as [Record<string, unknown>];
        judge(Number(head[':status']), head);
        stream.resume();
        await once(stream, 'close');
      }
      session.destroy();
    };
    const tunnels = await Promise.all(
      Array.from({ length: TUNNELS }, (_, i) => openTunnel(i % 2 === 1)),
    );
    for (const tunnel of tunnels)
      tunnel.on('close', () => isOver || faults.push('a tunnel was closed'));
    const load = [
      ...Array.from({ length: 8 }, (_, i) => http1(i % 2 === 1)),
      ...Array.from({ length: 4 }, (_, i) => http2(i % 2 === 1)),
    ];
    for (let version = 1; version <= CHANGES; version++) await serve(proxy, modelAt(version));
    for (const tunnel of tunnels) {
      tunnel.write('still here');
      const [bytes] = (await once(tunnel, 'data')) as [Buffer];
      assert.equal(bytes.toString(), 'still here');
    }
    isOver = true;
    await Promise.all(load);
    for (const tunnel of tunnels) tunnel.destroy();
    assert.deepEqual(faults, []);
    assert.ok(answered > CHANGES, `${answered} answers`);
    assert.ok(proxy.swapMs > 0);
  });

  it('bring a new route from 404 to 200 without anything between', async () => {
    const paths: string[] = [];
    const seen = new Set<number>();
    for (let i = 0; i < 30; i++) {
      const path = `/new-${i}`;
      const text = `GET ${path} HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n`;
      const place = { address: ADDRESS, port: PORT };
      const applied = serve(proxy, modelAt(0, [...paths, path]));
      for (let status = 0; status !== 200;) {
        ({ status } = await say(place, text, { quietMs: 10_000 }));
        seen.add(status);
      }
      await applied;
      paths.push(path);
    }
    assert.deepEqual(
      [...seen].filter((status) => status !== 404 && status !== 200),
      [],
    );
  });

  async function openTunnel(isTls: boolean): Promise<Socket> {
    const socket = isTls
      ? connectTls({ host: ADDRESS, port: TLS_PORT, ALPNProtocols: ['http/1.1'], ...TLS })
      : connect(PORT, ADDRESS);
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    assert.match(bytes.toString(), /^HTTP\/1\.1 101 /);
    return socket;
  }
});
