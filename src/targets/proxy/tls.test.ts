// TLS of clients, as the whole data path does it: versions and ciphers, resumption with whatever worker,
// ALPN, thousands of server names, handshakes that stall, and doors that close before a handshake.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectH2 } from 'node:http2';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { parseAllDocuments } from 'yaml';
import type { Certificate } from '../../model/model.ts';
import type { Proxy } from './proxy.ts';
import { say } from './testing/raw.ts';
import { backendOf, listenAny, modelOf, newProxy, ORIGIN, serve, until } from './testing/rig.ts';

const ADDRESS = '127.80.205.1';
const PORT = 18094;
const NAMES = 3000;

const file = join(
  import.meta.dirname,
  '../../../testdata/cases/client-certificates/required/in.yaml',
);
const secret = parseAllDocuments(readFileSync(file, 'utf8'))
  .map(
    (document) =>
      document.toJS() as { metadata: { name: string }; stringData: Record<string, string> },
  )
  .find(({ metadata }) => metadata.name === 'books-certificate')!.stringData;

function certificate(key: string, names: readonly string[]): Certificate {
  const { 'tls.crt': chain = '', 'tls.key': privateKey = '' } = secret;
  return { key, chain, privateKey, names, origin: ORIGIN };
}

describe('TLS of clients', () => {
  let backend: Server;
  let proxy: Proxy;

  before(async () => {
    backend = createServer((_, response) => response.end('ok'));
    const port = await listenAny(backend);
    proxy = newProxy({
      workers: 2,
      limits: { handshakeTimeoutMs: 500, connectionsPerAddressMax: 20 },
    });
    const names = Array.from({ length: NAMES }, (_, i) => `host-${i}.example`);
    const certificates = names.map((name) => certificate(name, [name]));
    const rules = [{ path: '/', backend: 'b' }];
    const model = modelOf(
      ADDRESS,
      [{ port: PORT, protocol: 'https', rules, certificates: names }],
      [backendOf('b', 'http', [port])],
      certificates,
    );
    await serve(proxy, model);
  });

  after(async () => {
    await proxy.stop(100);
    backend.closeAllConnections();
    backend.close();
  });

  function open(options: ConnectionOptions = {}): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect({
        host: ADDRESS,
        port: PORT,
        servername: 'host-7.example',
        rejectUnauthorized: false,
        ...options,
      });
      socket.once('error', reject);
      socket.once('secureConnect', () => resolve(socket));
    });
  }

  async function get(socket: TLSSocket): Promise<string> {
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    return bytes.toString();
  }

  for (const version of ['TLSv1', 'TLSv1.1'] as const) {
    it(`refuses ${version}`, async () => {
      await assert.rejects(
        open({ minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' }),
        /protocol version|unsupported protocol|no protocols/i,
      );
    });
  }

  for (const cipher of [
    'ECDHE-RSA-AES128-SHA256',
    'AES128-GCM-SHA256',
    'AES256-SHA',
    'ECDHE-ECDSA-AES128-SHA',
  ]) {
    it(`refuses ${cipher}, which has no forward secrecy or no authenticated encryption`, async () => {
      const ciphers = `${cipher}:@SECLEVEL=0`;
      await assert.rejects(
        open({ maxVersion: 'TLSv1.2', ciphers }),
        /handshake failure|no ciphers/i,
      );
    });
  }

  it('takes TLS 1.2 and 1.3', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = await open({ minVersion: version, maxVersion: version });
      assert.equal(socket.getProtocol(), version);
      assert.match(await get(socket), / 200 OK/);
      socket.destroy();
    }
  });

  it('refuses to renegotiate', async () => {
    const socket = await open({ maxVersion: 'TLSv1.2' });
    const outcome = await new Promise<string>((resolve) => {
      socket.on('error', (error) => resolve(error.message));
      socket.on('close', () => resolve('closed'));
      socket.renegotiate({ rejectUnauthorized: false }, (error) =>
        resolve(error?.message ?? 'done'),
      );
    });
    assert.notEqual(outcome, 'done');
    socket.destroy();
  });

  it('resumes sessions, whichever worker the client comes to', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const limits = { minVersion: version, maxVersion: version };
      const first = connect({ host: ADDRESS, port: PORT, rejectUnauthorized: false, ...limits });
      // In TLS 1.2 it comes with the handshake, in 1.3 after it.
      const session = once(first, 'session');
      await once(first, 'secureConnect');
      await get(first);
      const [ticket] = (await session) as [Buffer];
      first.destroy();
      for (let i = 0; i < 12; i++) {
        const socket = await open({ ...limits, servername: '', session: ticket });
        assert.equal(socket.isSessionReused(), true, `${version}, connection ${i}`);
        // A client that goes at once may be gone before its handshake is done on the other side.
        await get(socket);
        socket.destroy();
      }
    }
    const [one, other] = proxy.counters();
    assert.ok(one!.connectionsAccepted > 0 && other!.connectionsAccepted > 0);
  });

  it('agrees on h2 where the client offers it', async () => {
    const session = connectH2(`https://${ADDRESS}:${PORT}`, { rejectUnauthorized: false });
    const stream = session.request({ ':path': '/' });
    const [head] = (await once(stream, 'response')) as [Record<string, unknown>];
    assert.equal(head[':status'], 200);
    session.destroy();
    const old = await open({ ALPNProtocols: ['http/1.1'] });
    assert.equal(old.alpnProtocol, 'http/1.1');
    old.destroy();
    const silent = await open();
    assert.match(await get(silent), / 200 OK/);
    silent.destroy();
  });

  it('finds a certificate among thousands of names', async () => {
    for (const i of [0, 1, 1500, NAMES - 1]) {
      const socket = await open({ servername: `host-${i}.example` });
      assert.match(await get(socket), / 200 OK/);
      socket.destroy();
    }
  });

  it('closes connections whose handshake stalls or is none', async () => {
    const stalled = connectTcp(PORT, ADDRESS);
    stalled.on('error', () => undefined);
    // The first bytes of a ClientHello.
    stalled.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]));
    await once(stalled, 'close');
    const plain = await say({ address: ADDRESS, port: PORT }, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', {
      quietMs: 3000,
    });
    assert.notEqual(plain.end, 'open');
    assert.equal(plain.status, 0);
  });

  it('closes one connection too many before its handshake, and takes others again', async () => {
    const before_ = proxy.counters().map((counters) => counters.connectionsOverAddress);
    const sockets = await Promise.allSettled(Array.from({ length: 60 }, () => open()));
    const opened = sockets.flatMap((s) => (s.status === 'fulfilled' ? [s.value] : []));
    assert.ok(opened.length >= 20 && opened.length <= 40, `${opened.length} of two workers`);
    const after_ = proxy.counters().map((counters) => counters.connectionsOverAddress);
    const refused = after_.reduce((n, count, i) => n + count - before_[i]!, 0);
    assert.equal(refused, 60 - opened.length);
    for (const socket of opened) socket.destroy();
    await until(
      () => proxy.counters().every(({ connectionsOpen }) => connectionsOpen === 0),
      'them to close',
    );
    await until(
      () =>
        open().then(
          (socket) => (socket.destroy(), true),
          () => false,
        ),
      'room again',
    );
  });
});
