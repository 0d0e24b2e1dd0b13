// A host outside that is spoken to in TLS, and shown a certificate of its backend's own.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import type { Socket as UdpSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { parseAllDocuments } from 'yaml';
import type { Backend, BackendTls, EntryPoint } from '../../model/model.ts';
import type { Proxy } from './proxy.ts';
import { ask, modelOf, ORIGIN, serve, startProxy } from './testing/serve.ts';

const PLACE = { address: '127.80.201.5', port: 18094 };
const NAME = 'books.example';
/** Whose connections are handed on whole, by what becomes of their own TLS, and to which backend. */
const STREAMS = [
  { mode: 'plain', port: 18095, backend: 'plain' },
  { mode: 'plain', port: 18096, backend: 'mutual' },
  { mode: 'plain', port: 18097, backend: 'other-name' },
  { mode: 'terminate', port: 18098, backend: 'plain' },
  { mode: 'terminate', port: 18099, backend: 'mutual' },
  { mode: 'terminate', port: 18100, backend: 'other-authority' },
] as const;
type Stream = (typeof STREAMS)[number];

function entryPointOf({ mode, port, backend }: Stream): EntryPoint {
  const hostname = mode === 'plain' ? '' : NAME;
  const rule = {
    id: `rule ${port}`,
    backends: [{ backend, weight: 1, origin: ORIGIN }],
    origin: ORIGIN,
  };
  return {
    id: `n/g:${port}`,
    gateway: 'n/g',
    addresses: [PLACE.address],
    port,
    protocol: mode === 'plain' ? 'tcp' : 'tls',
    listeners: [
      {
        id: `n/g/l${port}`,
        name: `l${port}`,
        hostname,
        certificates: mode === 'plain' ? [] : ['front'],
        hosts: [],
        stream: { mode, hosts: [{ hostname, rule }] },
        origin: ORIGIN,
      },
    ],
  };
}

/** What a request gets that is written on a connection of that listener; empty when it is closed. */
function say({ mode, port }: Stream): Promise<string> {
  return new Promise((resolve) => {
    const place = { host: PLACE.address, port };
    const socket =
      mode === 'plain'
        ? connectTcp(place)
        : connectTls({ ...place, servername: NAME, ca: pem('authority', 'ca.crt') });
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('error', () => undefined);
    socket.once('close', () => resolve(text));
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  });
}

interface Written {
  readonly metadata: { readonly name: string };
  readonly stringData?: Readonly<Record<string, string>>;
  readonly data?: Readonly<Record<string, string>>;
}

const file = '../../../testdata/cases/backend-tls/client-certificate/in.yaml';
const objects = parseAllDocuments(readFileSync(join(import.meta.dirname, file), 'utf8')).map(
  (document) => document.toJS() as Written,
);

/** A field of the case's Secret or ConfigMap of this name. */
function pem(name: string, field: string): string {
  const found = objects
    .filter(({ metadata }) => metadata.name === name)
    .map((object) => (object.stringData ?? object.data)?.[field]);
  assert.equal(typeof found[0], 'string', `${field} of ${name}`);
  return String(found[0]);
}

describe('a host outside in TLS', () => {
  let server: Server;
  let dns: UdpSocket;
  let proxy: Proxy;

  before(async () => {
    server = createServer(
      {
        cert: pem('books-certificate', 'tls.crt'),
        key: pem('books-certificate', 'tls.key'),
        ca: pem('client-authority', 'ca.crt'),
        requestCert: true,
        rejectUnauthorized: false,
      },
      (incoming, response) => {
        const socket = incoming.socket as TLSSocket;
        const name = socket.servername === false ? '' : (socket.servername ?? '');
        response.end(`${name} ${socket.authorized ? 'shown' : 'not shown'}`);
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    // Every name leads here.
    dns = createSocket('udp4');
    dns.on('message', (query, from) => {
      const isA = query.readUInt16BE(query.length - 4) === 1;
      const head = Buffer.from([
        query[0] ?? 0,
        query[1] ?? 0,
        0x81,
        0x80,
        0,
        1,
        0,
        isA ? 1 : 0,
        0,
        0,
        0,
        0,
      ]);
      const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
      const parts = [head, query.subarray(12), ...(isA ? [record] : [])];
      dns.send(Buffer.concat(parts), from.port, from.address);
    });
    await new Promise<void>((resolve) => dns.bind(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const tls: BackendTls = {
      serverName: NAME,
      authorities: [pem('authority', 'ca.crt')],
      names: [{ kind: 'dns', value: NAME }],
      origin: ORIGIN,
    };
    const backend = (key: string, more: Partial<BackendTls>): Backend => ({
      key,
      protocol: 'http',
      tls: { ...tls, ...more },
      host: { name: `${key}.example`, port },
      endpoints: [],
      origin: ORIGIN,
    });
    const backends = [
      backend('plain', {}),
      backend('mutual', { certificate: 'own' }),
      backend('other-name', { names: [{ kind: 'dns', value: 'other.example' }] }),
      backend('other-authority', { authorities: 'system' }),
    ];
    const rules = backends.map(({ key }) => ({ path: `/${key}`, backend: key }));
    proxy = startProxy({
      external: {
        allow: ['127.0.0.1'],
        deny: [],
        nameservers: [`127.0.0.1:${dns.address().port}`],
      },
    });
    const certificate = {
      key: 'own',
      chain: pem('client-certificate', 'tls.crt'),
      privateKey: pem('client-certificate', 'tls.key'),
      names: [],
      origin: ORIGIN,
    };
    const front = {
      key: 'front',
      chain: pem('books-certificate', 'tls.crt'),
      privateKey: pem('books-certificate', 'tls.key'),
      names: [NAME],
      origin: ORIGIN,
    };
    const model = modelOf(PLACE, rules, backends);
    await serve(proxy, {
      ...model,
      entryPoints: [...model.entryPoints, ...STREAMS.map((stream) => entryPointOf(stream))],
      certificates: new Map([certificate, front].map((c) => [c.key, c])),
    });
  });

  after(async () => {
    await proxy.stop(0);
    server.close();
    server.closeAllConnections();
    dns.close();
  });

  it('is asked for by its name, and shown nothing unless it is said', async () => {
    assert.equal((await ask(PLACE, '/plain')).body, `${NAME} not shown`);
  });

  it('is shown the certificate of its backend', async () => {
    assert.equal((await ask(PLACE, '/mutual')).body, `${NAME} shown`);
  });

  it('must have a certificate that is good', async () => {
    assert.equal((await ask(PLACE, '/other-name')).status, 503);
    assert.equal((await ask(PLACE, '/other-authority')).status, 503);
  });

  for (const stream of STREAMS) {
    const { mode, backend } = stream;
    const wanted = { plain: 'not shown', mutual: 'shown' }[backend as string];
    const what = wanted === undefined ? 'closed' : `handed on in TLS, its certificate ${wanted}`;
    it(`of connections that come ${mode === 'plain' ? 'plain' : 'in TLS'} for ${backend}: ${what}`, async () => {
      const got = await say(stream);
      if (wanted === undefined) assert.equal(got, '');
      else assert.match(got, new RegExp(`\\r\\n${NAME} ${wanted}$|\\r\\n${NAME} ${wanted}\\r\\n`));
    });
  }
});
