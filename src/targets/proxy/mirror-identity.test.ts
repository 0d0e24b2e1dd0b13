// A copy of a request comes to its backend with the same certificate of the Gateway as the request
// itself: a backend that demands one takes both.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { parseAllDocuments } from 'yaml';
import { DEFAULT_PATH_POLICY } from '../../lib/http-path.ts';
import { lower } from '../../lower/view.ts';
import type { Backend, EntryPoint, Model } from '../../model/model.ts';
import { compileProxy } from './compile.ts';
import { DEFAULT_LIMITS } from './datapath/limits.ts';
import { Proxy } from './proxy.ts';

const ADDRESS = '127.80.203.1';
const PORT = 18093;
const ORIGIN = { kind: 'HTTPRoute', namespace: 'n', name: 'r', field: '' };
const PATIENCE_MS = 20_000;

interface Written {
  readonly metadata: { readonly name: string };
  readonly stringData?: Readonly<Record<string, string>>;
  readonly data?: Readonly<Record<string, string>>;
}

const folder = join(import.meta.dirname, '../../../testdata/cases/backend-tls/client-certificate');
const objects = parseAllDocuments(readFileSync(join(folder, 'in.yaml'), 'utf8')).map(
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

/** A server that ends every handshake without a certificate of the authority it knows. */
class Demanding {
  /** The serial number that came with each request. */
  readonly shown: string[] = [];
  readonly server: Server;

  constructor() {
    this.server = createServer(
      {
        cert: pem('books-certificate', 'tls.crt'),
        key: pem('books-certificate', 'tls.key'),
        ca: pem('client-authority', 'ca.crt'),
        requestCert: true,
        rejectUnauthorized: true,
      },
      (incoming, response) => {
        const { serialNumber } = (incoming.socket as TLSSocket).getPeerCertificate();
        this.shown.push(serialNumber);
        response.end('fine');
      },
    );
  }

  asBackend(key: string): Backend {
    const { port } = this.server.address() as AddressInfo;
    const life = { ready: true, serving: true, terminating: false };
    return {
      key,
      protocol: 'http',
      tls: {
        serverName: 'books.example',
        authorities: [pem('authority', 'ca.crt')],
        names: [{ kind: 'dns', value: 'books.example' }],
        origin: ORIGIN,
      },
      endpoints: [{ address: '127.0.0.1', port, ...life, node: '', zone: '', target: '' }],
      origin: ORIGIN,
    };
  }
}

function modelOf(backends: readonly Backend[], backendCertificate: string | undefined): Model {
  const everyPath = { kind: 'prefix', value: '/' } as const;
  const entryPoint: EntryPoint = {
    id: 'n/g:1',
    gateway: 'n/g',
    addresses: [ADDRESS],
    port: PORT,
    protocol: 'http',
    ...(backendCertificate === undefined ? {} : { backendCertificate }),
    listeners: [
      {
        id: 'n/g/l',
        name: 'l',
        hostname: '',
        certificates: [],
        hosts: [
          {
            hostname: '',
            rules: [
              {
                match: { path: everyPath, headers: [], queryParams: [] },
                action: {
                  id: 'copied',
                  filters: [
                    {
                      kind: 'mirror',
                      backend: 'copy',
                      numerator: 1,
                      denominator: 1,
                      origin: ORIGIN,
                    },
                  ],
                  result: {
                    kind: 'forward',
                    backends: [{ backend: 'shop', weight: 1, filters: [], origin: ORIGIN }],
                  },
                  origin: ORIGIN,
                },
                origin: ORIGIN,
              },
            ],
          },
        ],
        origin: ORIGIN,
      },
    ],
  };
  const certificate = {
    key: 'own',
    chain: pem('client-certificate', 'tls.crt'),
    privateKey: pem('client-certificate', 'tls.key'),
    names: [],
    origin: ORIGIN,
  };
  return {
    entryPoints: [entryPoint],
    backends: new Map(backends.map((backend) => [backend.key, backend])),
    certificates: new Map([[certificate.key, certificate]]),
    services: [],
  };
}

function ask(): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: ADDRESS, port: PORT, agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('a copy for a backend that demands a certificate', () => {
  const shop = new Demanding();
  const copy = new Demanding();
  const proxy = new Proxy({
    workers: 1,
    limits: DEFAULT_LIMITS,
    pathPolicy: DEFAULT_PATH_POLICY,
    explains: false,
    bindings: { firstOpenPort: 0, localhostOffset: null },
    servedPort: (_service, port) => port,
    nodePortAddresses: [],
  });

  const apply = (certificate: string | undefined) => {
    const backends = [shop.asBackend('shop'), copy.asBackend('copy')];
    return proxy.apply(compileProxy(lower(modelOf(backends, certificate), 'node')));
  };

  before(async () => {
    for (const { server } of [shop, copy]) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
  });

  after(async () => {
    await proxy.stop(1000);
    for (const { server } of [shop, copy]) {
      server.close();
      server.closeAllConnections();
    }
  });

  it('shows the one the request shows', async () => {
    await apply('own');
    assert.equal(await ask(), 200);
    const end = performance.now() + PATIENCE_MS;
    while (copy.shown.length === 0) {
      assert.ok(performance.now() < end, 'waited for the copy');
      await delay(10);
    }
    assert.equal(shop.shown.length, 1);
    assert.notEqual(shop.shown[0], '');
    assert.deepEqual(copy.shown, shop.shown);
  });

  it('shows none where the Gateway has none, and is not taken', async () => {
    await apply(undefined);
    const taken = copy.shown.length;
    assert.notEqual(await ask(), 200);
    assert.equal(copy.shown.length, taken);
  });
});
