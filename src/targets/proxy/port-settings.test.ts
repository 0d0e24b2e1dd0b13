// What is set for the ports of a Gateway, on real sockets: limits, times, the version of TLS, and who the
// client is said to be.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { connect as connectH2 } from 'node:http2';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { parseAllDocuments } from 'yaml';
import { DEFAULT_PATH_POLICY } from '../../lib/http-path.ts';
import { lower } from '../../lower/view.ts';
import type { EntryPoint, Model } from '../../model/model.ts';
import type { PortSettings } from '../../model/port-settings.ts';
import { compileProxy } from './compile.ts';
import { DEFAULT_LIMITS } from './datapath/limits.ts';
import { Proxy } from './proxy.ts';

const ADDRESS = '127.80.205.1';
const HTTP = 18095;
const HTTPS = 18096;
const TCP = 18097;
const ORIGIN = { kind: 'Gateway', namespace: 'n', name: 'g', field: '' };

interface Written {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly stringData?: Readonly<Record<string, string>>;
}

const folder = join(import.meta.dirname, '../../../testdata/cases/backend-tls/client-certificate');
const secret = parseAllDocuments(readFileSync(join(folder, 'in.yaml'), 'utf8'))
  .map((document) => document.toJS() as Written)
  .find(({ kind, metadata }) => kind === 'Secret' && metadata.name === 'books-certificate');

/** Answers with what it has seen of the request's forwarded fields. */
const backend: Server = createServer({ maxHeaderSize: 1 << 20 }, (request, response) => {
  const { 'x-forwarded-for': chain, 'x-forwarded-proto': proto } = request.headers;
  response.end(`${String(chain)} by ${String(proto)} for ${String(request.headers.host)}`);
});

let proxy: Proxy;

before(async () => {
  backend.listen(0, '127.0.0.1');
  await once(backend, 'listening');
  proxy = new Proxy({
    workers: 1,
    limits: DEFAULT_LIMITS,
    pathPolicy: DEFAULT_PATH_POLICY,
    explains: false,
    bindings: { firstOpenPort: 0, localhostOffset: null },
    servedPort: (_, port) => port,
    nodePortAddresses: [],
  });
});

after(async () => {
  await proxy.stop(0);
  backend.close();
});

function modelOf(settings: PortSettings | undefined): Model {
  const endpoint = {
    address: '127.0.0.1',
    port: (backend.address() as AddressInfo).port,
    ready: true,
    serving: true,
    terminating: false,
    node: '',
    zone: '',
    target: '',
  };
  const forward = { backend: 'b', weight: 1, origin: ORIGIN };
  const action = {
    id: 'r',
    filters: [],
    result: { kind: 'forward' as const, backends: [{ ...forward, filters: [] }] },
    origin: ORIGIN,
  };
  const match = { path: { kind: 'prefix' as const, value: '/' }, headers: [], queryParams: [] };
  const entryPoint = (
    port: number,
    protocol: EntryPoint['protocol'],
    listener: object,
  ): EntryPoint => ({
    id: `n/g:${port}`,
    gateway: 'n/g',
    addresses: [ADDRESS],
    port,
    protocol,
    ...(settings === undefined ? {} : { settings }),
    listeners: [
      {
        id: `n/g/${port}`,
        name: 'l',
        hostname: '',
        certificates: protocol === 'https' ? ['c'] : [],
        hosts:
          protocol === 'tcp' ? [] : [{ hostname: '', rules: [{ match, action, origin: ORIGIN }] }],
        origin: ORIGIN,
        ...listener,
      },
    ],
  });
  const stream = {
    mode: 'plain',
    hosts: [{ hostname: '', rule: { id: 's', backends: [forward], origin: ORIGIN } }],
  };
  return {
    entryPoints: [
      entryPoint(HTTP, 'http', {}),
      entryPoint(HTTPS, 'https', {}),
      entryPoint(TCP, 'tcp', { stream }),
    ],
    backends: new Map([
      ['b', { key: 'b', protocol: 'http', endpoints: [endpoint], origin: ORIGIN }],
    ]),
    certificates: new Map([
      [
        'c',
        {
          key: 'c',
          chain: secret?.stringData?.['tls.crt'] ?? '',
          privateKey: secret?.stringData?.['tls.key'] ?? '',
          names: [],
          origin: ORIGIN,
        },
      ],
    ]),
    services: [],
  };
}

async function serve(settings?: PortSettings): Promise<void> {
  const { rejected } = await proxy.apply(compileProxy(lower(modelOf(settings), 'node')));
  assert.deepEqual(rejected, []);
}

/** Everything the other side says until it closes. */
async function readAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('close', resolve));
  return Buffer.concat(chunks).toString('latin1');
}

function say(bytes: string | Buffer, port = HTTP): Promise<string> {
  const socket = connect(port, ADDRESS);
  socket.write(bytes);
  return readAll(socket);
}

const get = (...fields: readonly string[]): string =>
  ['GET / HTTP/1.1', 'Host: a', 'Connection: close', ...fields, '', ''].join('\r\n');

/** The last line of an answer: what the backend has seen. */
function seen(answer: string): string {
  assert.match(answer, /^HTTP\/1\.1 200 /);
  const body = answer.slice(answer.indexOf('\r\n\r\n') + 4);
  return /[0-9a-f.:, ]+ by https?/.exec(body)?.[0] ?? answer;
}

describe('limits of a port', () => {
  it('are those that are set, and the default otherwise', async () => {
    const long = `X-Long: ${'x'.repeat(3000)}`;
    await serve();
    assert.match(await say(get(long)), /^HTTP\/1\.1 200 /);
    await serve({ limits: { headBytesMax: 2048 } });
    assert.match(await say(get(long)), /^HTTP\/1\.1 431 /);
    assert.match(await say(get()), /^HTTP\/1\.1 200 /);
    await serve({ limits: { headBytesMax: 200_000 } });
    assert.match(await say(get(`X-Long: ${'x'.repeat(150_000)}`)), /^HTTP\/1\.1 200 /);
    await serve({ limits: { headFieldsMax: 8 } });
    const many = Array.from({ length: 9 }, (_, i) => `X-${i}: y`);
    assert.match(await say(get(...many)), /^HTTP\/1\.1 431 /);
    await serve({ limits: { targetBytesMax: 300 } });
    const target = get().replace('GET /', `GET /${'p'.repeat(400)}`);
    assert.match(await say(target), /^HTTP\/1\.1 414 /);
  });

  it('hold for HTTP/2', async () => {
    await serve({ limits: { streamsMax: 7 } });
    const session = connectH2(`http://${ADDRESS}:${HTTP}`);
    await once(session, 'remoteSettings');
    assert.equal(session.remoteSettings.maxConcurrentStreams, 7);
    session.destroy();
  });

  it('a head that takes too long is answered with 408', async () => {
    await serve({ limits: { headTimeoutMs: 100 } });
    const socket = connect(HTTP, ADDRESS);
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n');
    assert.match(await readAll(socket), /^HTTP\/1\.1 408 /);
  });
});

describe('a request of HTTP/1.0 without Host', () => {
  it('is as if it named the address that was dialled', async () => {
    await serve();
    const answer = await say('GET / HTTP/1.0\r\n\r\n');
    assert.match(answer, new RegExp(` for ${ADDRESS}:${HTTP}$`));
    assert.match(await say('GET / HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 400 /);
  });
});

describe('the version of TLS', () => {
  const handshake = async (maxVersion: 'TLSv1.2' | 'TLSv1.3'): Promise<string> => {
    const socket = connectTls({
      port: HTTPS,
      host: ADDRESS,
      rejectUnauthorized: false,
      maxVersion,
    });
    return new Promise((resolve) => {
      socket.once('secureConnect', () => {
        resolve(socket.getProtocol() ?? '');
        socket.destroy();
      });
      socket.once('error', () => resolve('refused'));
    });
  };

  it('is at least the one that is set', async () => {
    await serve();
    assert.equal(await handshake('TLSv1.2'), 'TLSv1.2');
    await serve({ limits: {}, tlsMinVersion: 'TLSv1.3' });
    assert.equal(await handshake('TLSv1.2'), 'refused');
    assert.equal(await handshake('TLSv1.3'), 'TLSv1.3');
  });
});

describe('the address of the client', () => {
  const said = get('X-Forwarded-For: 1.2.3.4, 203.0.113.9', 'X-Forwarded-Proto: https');

  it('is that of who connects', async () => {
    await serve();
    assert.match(seen(await say(said)), /^127\.[0-9.]+ by http$/);
  });

  it('is what a trusted proxy says in X-Forwarded-For', async () => {
    await serve({
      limits: {},
      clientAddress: { from: 'xForwardedFor', trusted: ['127.0.0.0/8'] },
    });
    assert.match(seen(await say(said)), /^203\.0\.113\.9, 127\.[0-9.]+ by https$/);
    await serve({ limits: {}, clientAddress: { from: 'xForwardedFor', trusted: ['10.0.0.0/8'] } });
    assert.match(seen(await say(said)), /^127\.[0-9.]+ by http$/);
  });

  const trusted = {
    limits: { handshakeTimeoutMs: 500 },
    clientAddress: { from: 'proxyProtocol', trusted: ['127.0.0.0/8'] },
  } as const;
  const header = 'PROXY TCP4 203.0.113.9 127.0.0.1 12345 80\r\n';

  it('is what a trusted load balancer says in its PROXY header', async () => {
    await serve(trusted);
    assert.equal(seen(await say(header + get())), '203.0.113.9 by http');
    // The header may come in a packet of its own.
    const socket = connect(HTTP, ADDRESS);
    socket.write(header);
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.write(get());
    assert.equal(seen(await readAll(socket)), '203.0.113.9 by http');
  });

  it('a connection without the header is broken off', async () => {
    await serve(trusted);
    assert.equal(await say(get()), '');
    const silent = connect(HTTP, ADDRESS);
    assert.equal(await readAll(silent), '');
  });

  it('those who are not trusted speak for themselves', async () => {
    await serve({ limits: {}, clientAddress: { from: 'proxyProtocol', trusted: ['10.0.0.0/8'] } });
    assert.match(seen(await say(get())), /^127\.[0-9.]+ by http$/);
    assert.match(await say(header + get()), /^HTTP\/1\.1 400 /);
  });

  it('is told before TLS begins, too', async () => {
    await serve(trusted);
    const plain = connect(HTTPS, ADDRESS);
    plain.write(header);
    const socket = connectTls({ socket: plain, rejectUnauthorized: false });
    socket.write(get());
    assert.equal(seen(await readAll(socket)), '203.0.113.9 by https');
  });

  it('the header does not reach backends of TCPRoutes', async () => {
    await serve(trusted);
    assert.match(await say(header + get(), TCP), /^HTTP\/1\.1 200 /);
  });
});
