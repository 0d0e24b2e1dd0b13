// What every target must do, whatever it carries traffic with. One suite, run over all of them; what a
// target promises about requests is asked of it by the probes of test/cases.test.ts.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { DEFAULT_PATH_POLICY } from '../../src/lib/http-path.ts';
import { lower } from '../../src/lower/view.ts';
import type { View } from '../../src/lower/view.ts';
import type { EntryPoint, Model } from '../../src/model/model.ts';
import type { Target } from '../../src/targets/target.ts';
import { compileProxy } from '../../src/targets/proxy/compile.ts';
import { DEFAULT_LIMITS } from '../../src/targets/proxy/datapath/limits.ts';
import type { ProxyProgram } from '../../src/targets/proxy/program.ts';
import { Proxy } from '../../src/targets/proxy/proxy.ts';
import { renderProxy } from '../../src/targets/proxy/render.ts';
import { traceProxyConnection } from '../../src/targets/proxy/trace-connection.ts';
import { traceProxy } from '../../src/targets/proxy/trace.ts';
import { get } from '../support/fairway.ts';

const ORIGIN = { kind: 'HTTPRoute', namespace: 'n', name: 'r', field: '' };
const ADDRESS = '127.80.200.1';
const SECRET = 'MARK-OF-A-PRIVATE-KEY';

const proxyTarget: Target<ProxyProgram> = {
  name: 'proxy',
  compile: compileProxy,
  render: renderProxy,
  traceRequest: traceProxy,
  traceConnection: traceProxyConnection,
};

function entryPoint(port: number, path: string): EntryPoint {
  const action = {
    id: `HTTPRoute n/r ${path}`,
    filters: [],
    result: {
      kind: 'forward' as const,
      backends: [{ backend: 'Service n/s:80', weight: 1, filters: [], origin: ORIGIN }],
    },
    origin: ORIGIN,
  };
  const match = { path: { kind: 'prefix' as const, value: path }, headers: [], queryParams: [] };
  return {
    id: `n/g:${port}`,
    gateway: 'n/g',
    addresses: [ADDRESS],
    port,
    protocol: 'http',
    listeners: [
      {
        id: `n/g/l${port}`,
        name: `l${port}`,
        hostname: '',
        certificates: [],
        hosts: [{ hostname: '', rules: [{ match, action, origin: ORIGIN }] }],
        origin: ORIGIN,
      },
    ],
  };
}

function viewOf(entryPoints: readonly EntryPoint[], backendPort: number): View {
  const endpoint = {
    ready: true,
    serving: true,
    terminating: false,
    node: '',
    zone: '',
    target: '',
  };
  const model: Model = {
    entryPoints,
    backends: new Map([
      [
        'Service n/s:80',
        {
          key: 'Service n/s:80',
          protocol: 'http',
          endpoints: [{ address: '127.0.0.1', port: backendPort, ...endpoint }],
          origin: ORIGIN,
        },
      ],
    ]),
    certificates: new Map([
      [
        'Secret n/t',
        { key: 'Secret n/t', chain: 'chain', privateKey: SECRET, names: [], origin: ORIGIN },
      ],
    ]),
    services: [],
  };
  return lower(model, 'node');
}

describe(`target ${proxyTarget.name}`, () => {
  it('compiles the same view to the same program, part by part', () => {
    const point = entryPoint(18080, '/');
    const [a, b] = [
      proxyTarget.compile(viewOf([point], 1)),
      proxyTarget.compile(viewOf([point], 1)),
    ];
    assert.deepEqual(a, b);
    for (const [key, table] of a.tables) assert.equal(table, b.tables.get(key));
  });

  it('renders what people may read: the routes, and no private key', () => {
    const text = proxyTarget
      .render(proxyTarget.compile(viewOf([entryPoint(18080, '/here')], 1)))
      .map((file) => file.text)
      .join('\n');
    assert.match(text, /\/here/);
    assert.match(text, /Service n\/s:80/);
    assert.doesNotMatch(text, new RegExp(SECRET));
  });

  it('answers for every part of a program', () => {
    const program = proxyTarget.compile(viewOf([entryPoint(18080, '/here')], 1));
    const ask = (target: string) =>
      proxyTarget.traceRequest(program, {
        scheme: 'http',
        port: 18080,
        method: 'GET',
        host: 'a',
        target,
        headers: [],
      });
    assert.equal(ask('/here/x').kind, 'forward');
    assert.equal(ask('/there').kind, 'respond');
  });

  describe('at work', () => {
    const backend = createServer((request, response) => response.end(request.url));
    let backendPort = 0;
    let proxy: Proxy;
    before(async () => {
      await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
      backendPort = (backend.address() as AddressInfo).port;
      proxy = new Proxy({
        workers: 2,
        limits: DEFAULT_LIMITS,
        pathPolicy: DEFAULT_PATH_POLICY,
        explains: false,
        bindings: { firstOpenPort: 0, localhostOffset: null },
        servedPort: (_, port) => port,
        nodePortAddresses: [],
      });
    });
    after(async () => {
      await proxy.stop(1000);
      backend.close();
      backend.closeAllConnections();
    });
    const apply = (...points: readonly EntryPoint[]) =>
      proxy.apply(proxyTarget.compile(viewOf(points, backendPort)));
    const status = async (port: number, path: string): Promise<number> =>
      (await get(`http://${ADDRESS}:${port}${path}`)).status;

    it('puts a program in force before it says so, and counts generations', async () => {
      const first = await apply(entryPoint(18081, '/a'));
      assert.deepEqual(first.rejected, []);
      assert.equal(await status(18081, '/a'), 200);
      const second = await apply(entryPoint(18081, '/b'));
      assert.ok(second.generation > first.generation);
      assert.equal(await status(18081, '/a'), 404);
      assert.equal(await status(18081, '/b'), 200);
    });

    it('closes what is gone and leaves the rest alone', async () => {
      await apply(entryPoint(18081, '/b'), entryPoint(18082, '/c'));
      assert.equal(await status(18082, '/c'), 200);
      await apply(entryPoint(18081, '/b'));
      await assert.rejects(status(18082, '/c'), { code: 'ECONNREFUSED' });
      assert.equal(await status(18081, '/b'), 200);
    });

    it('reports what the world does not let it do, and does the rest', async () => {
      const other = createServer();
      await new Promise<void>((resolve) => other.listen(18083, ADDRESS, resolve));
      const { rejected } = await apply(entryPoint(18081, '/b'), entryPoint(18083, '/d'));
      assert.deepEqual(
        rejected.map((r) => [r.id, r.reason]),
        [['n/g:18083', 'PortUnavailable']],
      );
      assert.equal(await status(18081, '/b'), 200);
      await new Promise((resolve) => other.close(resolve));
      assert.deepEqual((await apply(entryPoint(18083, '/d'))).rejected, []);
      assert.equal(await status(18083, '/d'), 200);
    });

    it('puts programs in force in the order they came', async () => {
      const all = ['/1', '/2', '/3', '/4', '/5'].map((path) => apply(entryPoint(18081, path)));
      const generations = (await Promise.all(all)).map((a) => a.generation);
      assert.deepEqual(
        generations,
        generations.toSorted((a, b) => a - b),
      );
      assert.equal(await status(18081, '/5'), 200);
      assert.equal(await status(18081, '/4'), 404);
    });
  });
});
