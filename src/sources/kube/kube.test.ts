import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { ConfigMap } from '../../api/core/config-map.ts';
import { Service } from '../../api/core/service.ts';
import type { Kind } from '../../api/kind.ts';
import { FairwayError } from '../../lib/errors.ts';
import { Store } from '../../store/store.ts';
import type { SourceUpdate } from '../source.ts';
import { openAccess } from './access.ts';
import type { AccessProvider } from './access.ts';
import { KubeClient } from './client.ts';
import { createKubeSource } from './kube.ts';
import type { KubeInterest } from './kube.ts';
import type { KubeProblem } from './problem.ts';
import { FakeApi } from './testing.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairway-kube-'));
const PATIENCE_MS = 10_000;

async function until(what: string, isSo: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`it never came to this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function kubeconfig(name: string, server: string, user: object = { token: 'secret' }): string {
  const file = join(folder, name);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

interface Reading {
  readonly store: Store;
  readonly updates: SourceUpdate[];
  readonly problems: (KubeProblem | undefined)[];
  readonly started: Promise<void>;
  readonly data: () => Readonly<Record<string, unknown>>;
}

describe('a source that reads a cluster', () => {
  let api: FakeApi;
  let stop: AbortController;
  let access: AccessProvider | undefined;

  async function read(
    file: string,
    interests: readonly KubeInterest[] = [{ kind: ConfigMap as unknown as Kind }],
  ): Promise<Reading> {
    access = await openAccess({ kind: 'kubeconfig', file });
    const store = new Store();
    const updates: SourceUpdate[] = [];
    const problems: (KubeProblem | undefined)[] = [];
    const source = createKubeSource({
      client: new KubeClient(access),
      interests,
      onProblem: (problem) => problems.push(problem),
    });
    const started = source.start((update) => {
      updates.push(update);
      store.write(update.writes);
    }, stop.signal);
    const data = (): Readonly<Record<string, unknown>> =>
      Object.fromEntries(
        store
          .snapshot()
          .list(ConfigMap)
          .map((map) => [map.metadata.name ?? '', map.data?.['v']]),
      );
    return { store, updates, problems, started, data };
  }

  const put = (name: string, v: string): void => api.put(name, { data: { v } });

  beforeEach(async () => {
    api = new FakeApi();
    stop = new AbortController();
    await api.start();
  });
  afterEach(async () => {
    stop.abort();
    access?.close();
    await api.stop();
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const streams of [true, false]) {
    const how = streams ? 'streamed lists' : 'lists by pages';

    it(`delivers everything first, then what changes (${how})`, async () => {
      api.streamsLists = streams;
      for (let i = 0; i < 1200; i++) put(`m${i}`, String(i));
      const { updates, started, data, problems } = await read(kubeconfig('a', api.url));
      await started;
      assert.equal(updates.length, 1);
      assert.equal(Object.keys(data()).length, 1200);
      const pages = api.asked.filter(({ searchParams }) => searchParams.has('limit'));
      assert.equal(pages.length, streams ? 0 : 3);
      await until('a watch', () => api.watchCount === 1);
      put('m7', 'new');
      api.delete('m8');
      await until('the changes', () => data()['m7'] === 'new' && !('m8' in data()));
      assert.deepEqual(
        problems.filter((p) => p !== undefined),
        [],
      );
    });

    it(`goes on from where a watch was cut (${how})`, async () => {
      api.streamsLists = streams;
      put('a', '1');
      const { started, data, updates } = await read(kubeconfig('a', api.url));
      await started;
      await until('a watch', () => api.watchCount === 1);
      api.unseen(() => put('b', '1'));
      api.bookmark();
      await new Promise((resolve) => setTimeout(resolve, 50));
      api.unseen(() => put('c', '1'));
      const before = api.asked.length;
      api.cut();
      await until('what came meanwhile', () => data()['c'] === '1');
      const [again] = api.asked.slice(before);
      // The bookmark said that 12 was known; what is before it is not asked for again.
      assert.equal(again!.searchParams.get('resourceVersion'), '12');
      assert.equal(data()['b'], undefined);
      assert.equal(updates.length, 2);
    });

    it(`reads everything anew when that is too long ago, and tells what differs (${how})`, async () => {
      api.streamsLists = streams;
      for (const name of ['a', 'b', 'c']) put(name, '1');
      const { started, data, updates } = await read(kubeconfig('a', api.url));
      await started;
      await until('a watch', () => api.watchCount === 1);
      api.unseen(() => {
        api.delete('a');
        put('b', '2');
        put('d', '1');
      });
      api.expire();
      await until('the new state', () => data()['d'] === '1');
      assert.deepEqual(data(), { b: '2', c: '1', d: '1' });
      const told = updates.slice(1).flatMap(({ writes }) => writes);
      assert.deepEqual(
        told
          .map(
            (w) =>
              `${w.op} ${w.op === 'put' ? w.object.metadata.name : w.op === 'delete' ? w.name : ''}`,
          )
          .toSorted(),
        ['delete a', 'put b', 'put d'],
      );
    });
  }

  it('begins a list anew when its pages run out', async () => {
    api.streamsLists = false;
    for (let i = 0; i < 600; i++) put(`m${i}`, '1');
    let refusals = 0;
    api.refuse = ({ searchParams }) =>
      searchParams.has('continue') && ++refusals > 0 ? { code: 410, reason: 'Expired' } : undefined;
    const { started, data } = await read(kubeconfig('a', api.url));
    await started;
    assert.equal(Object.keys(data()).length, 600);
    assert.equal(refusals, 2);
  });

  it('survives a server that is gone for a while, and says so', async () => {
    put('a', '1');
    const { started, data, problems } = await read(kubeconfig('a', api.url));
    await started;
    await api.stop();
    await until('a problem', () => problems.at(-1) !== undefined);
    assert.match(problems.at(-1)!.message, /kubeconfig .* cannot be reached: .*/);
    assert.deepEqual(data(), { a: '1' });
    put('b', '1');
    await api.start();
    await until('the news', () => data()['b'] === '1');
    assert.equal(problems.at(-1), undefined);
  });

  it('is not led astray by a server that has begun anew', async () => {
    for (let i = 0; i < 50; i++) put(`m${i}`, '1');
    const { started, data } = await read(kubeconfig('a', api.url));
    await started;
    await api.stop();
    api.reset();
    put('only', '1');
    await api.start();
    await until('a watch', () => api.watchCount === 1);
    api.bookmark();
    await until('what there is now', () => Object.keys(data()).length === 1);
    assert.deepEqual(data(), { only: '1' });
  });

  it('does not ask a thousand times a second a server that ends every watch', async () => {
    put('a', '1');
    const { started } = await read(kubeconfig('a', api.url));
    await started;
    const timer = setInterval(() => api.cut(), 1);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    clearInterval(timer);
    assert.ok(api.asked.length < 20, `${api.asked.length} requests`);
  });

  it('reads tokens and kubeconfigs again', async () => {
    const token = join(folder, 'token');
    writeFileSync(token, 'first\n');
    const file = kubeconfig('t', api.url, { tokenFile: 'token' });
    const { started, problems } = await read(file);
    await started;
    assert.equal(api.tokens.at(-1), 'Bearer first');
    writeFileSync(token, 'second\n');
    api.cut();
    await until('the second', () => api.tokens.at(-1) === 'Bearer second');
    api.refuse = () =>
      api.tokens.at(-1) === 'Bearer third' ? undefined : { code: 401, reason: 'Unauthorized' };
    api.cut();
    await until('a problem', () => problems.at(-1) !== undefined);
    assert.match(problems.at(-1)!.message, /does not know who we are/);
    kubeconfig('t', api.url, { token: 'third' });
    await until('no problem', () => problems.at(-1) === undefined);
  });

  it('says which rights it lacks', async () => {
    api.refuse = () => ({ code: 403, reason: 'Forbidden' });
    const { problems } = await read(kubeconfig('a', api.url));
    await until('a problem', () => problems.length > 0);
    assert.match(problems[0]!.message, /does not let us read configmaps/);
    assert.match(problems[0]!.hint, /get, list and watch on configmaps/);
  });

  it('keeps status and drops who owns which field', async () => {
    const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } };
    const spec = { type: 'LoadBalancer', clusterIP: '10.96.0.1', ports: [{ port: 80 }] };
    const metadata = { managedFields: [{ manager: 'x' }] };
    api.put('web', { metadata, spec: { ...spec, futureField: 1 }, status: {} });
    const { started, store, updates } = await read(kubeconfig('a', api.url), [
      { kind: Service as unknown as Kind, labelSelector: '!a/b' },
    ]);
    await started;
    assert.equal(api.asked.at(-1)!.searchParams.get('labelSelector'), '!a/b');
    api.put('web', { metadata, spec, status });
    const web = (): Service => store.snapshot().get(Service, 'default', 'web')!;
    await until('the status', () => web().status?.loadBalancer?.ingress?.[0]?.ip === '192.0.2.1');
    assert.equal(web().metadata.managedFields, undefined);
    api.put('web', { spec: { ...spec, ports: [{ port: 'no' }] }, status });
    await until('a finding', () => updates.at(-1)!.findings.length === 1);
    assert.equal(updates.at(-1)!.findings[0]!.reason, 'NotUnderstood');
    assert.equal(web().spec.ports?.[0]?.port, 80);
  });
});

describe('a kubeconfig that cannot be used', () => {
  const open = async (file: string, context?: string): Promise<FairwayError> => {
    try {
      await openAccess({ kind: 'kubeconfig', file, ...(context === undefined ? {} : { context }) });
    } catch (error) {
      assert.ok(error instanceof FairwayError, String(error));
      assert.equal(error.code, 'FW_KUBECONFIG');
      return error;
    }
    throw new Error('it was used');
  };

  it('names the file and what is wrong with it', async () => {
    const made = mkdtempSync(join(tmpdir(), 'fairway-kube-'));
    const write = (name: string, text: string): string => {
      writeFileSync(join(made, name), text);
      return join(made, name);
    };
    const good = { clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }] };
    const full = {
      ...good,
      users: [{ name: 'u', user: {} }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    };
    assert.match((await open(join(made, 'none'))).message, /none cannot be used: ENOENT/);
    await open(write('yaml', '{'));
    await open(write('empty', ''));
    await open(write('list', '[]'));
    assert.match(
      (await open(write('no-context', JSON.stringify(good)))).message,
      /current-context/,
    );
    const error = await open(write('full', JSON.stringify(full)), 'other');
    assert.match(error.message, /no context other/);
    assert.equal(error.hint, 'it has x');
    const lost = { ...full, users: [{ name: 'u', user: { tokenFile: 'gone' } }] };
    assert.match((await open(write('lost', JSON.stringify(lost)), 'x')).message, /lost.*gone/);
    const bad = { ...full, clusters: [{ name: 'c', cluster: { server: 'nonsense' } }] };
    assert.match((await open(write('bad', JSON.stringify(bad)), 'x')).message, /is no URL/);
    rmSync(made, { recursive: true });
  });
});
