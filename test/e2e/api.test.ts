// The Kubernetes API request by request, as clients rely on it: exact watches, lists in pages, writes
// that are refused, who may come in. One Fairway without any file for all tests.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ApiClient } from '../support/api-client.ts';
import { folder, startFairway } from '../support/fairway.ts';
import type { Fairway } from '../support/fairway.ts';
import { kubeconfigIn } from '../support/kubectl.ts';
import type { Loose } from '../support/kubectl.ts';

const ROUTES = '/apis/gateway.networking.k8s.io/v1';
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const PARTIAL = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json';
const PARTIAL_LIST =
  'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json';

const home = folder({});
let fairway: Fairway;
let api: ApiClient;
let count = 0;

/** A new namespace; the path of its config maps, and of its routes. */
async function namespace(): Promise<{ name: string; maps: string; routes: string }> {
  const name = `a${++count}`;
  const { status } = await api.create('/api/v1/namespaces', { metadata: { name } });
  assert.equal(status, 201);
  return {
    name,
    maps: `/api/v1/namespaces/${name}/configmaps`,
    routes: `${ROUTES}/namespaces/${name}/httproutes`,
  };
}

function map(name: string, data: object = {}, labels?: object): object {
  return { metadata: { name, ...(labels === undefined ? {} : { labels }) }, data };
}

function route(name: string, spec: object = {}): object {
  return { metadata: { name }, spec };
}

function revision({ metadata }: Loose): number {
  return Number(metadata.resourceVersion);
}

describe('the API', { concurrency: 4, timeout: 120_000 }, () => {
  before(async () => {
    // The second one begins at a revision above all of the first one's.
    const first = await startFairway([], { home: home.path });
    await first.stop();
    fairway = await startFairway([], { home: home.path });
    api = new ApiClient(await kubeconfigIn(home.path));
  });

  after(async () => {
    api.close();
    await fairway.stop();
    home.remove();
  });

  it('resumes a watch from every revision with exactly what is missing', async () => {
    const { maps } = await namespace();
    const start = revision((await api.get(maps)).body);
    const live = api.watch(`${maps}?resourceVersion=${start}`);
    for (let i = 0; i < 4; i++) await api.create(maps, map(`m${i}`));
    for (let i = 0; i < 4; i++) await api.patch(`${maps}/m${i % 2}`, { data: { i: String(i) } });
    await api.ask('DELETE', `${maps}/m0`);
    await api.ask('DELETE', `${maps}/m3`);
    const all = [...(await live.until(10))];
    live.stop();
    assert.deepEqual(
      all.map(({ type, object }) => `${type} ${object.metadata.name}`),
      [
        'ADDED m0',
        'ADDED m1',
        'ADDED m2',
        'ADDED m3',
        'MODIFIED m0',
        'MODIFIED m1',
        'MODIFIED m0',
        'MODIFIED m1',
        'DELETED m0',
        'DELETED m3',
      ],
    );
    const revisions = all.map(({ object }) => revision(object));
    assert.deepEqual(
      revisions,
      revisions.toSorted((a, b) => a - b),
    );
    assert.equal(new Set(revisions).size, revisions.length, 'each event has its own revision');
    for (const [i, from] of [start, ...revisions.slice(0, -1)].entries()) {
      const resumed = api.watch(`${maps}?resourceVersion=${from}`);
      assert.deepEqual(await resumed.until(all.length - i), all.slice(i));
      resumed.stop();
    }
    const ended = api.watch(`${maps}?resourceVersion=${revisions.at(-1)}&timeoutSeconds=1`);
    await ended.ended;
    assert.deepEqual(ended.events, []);
  });

  it('says in the stream that a revision is too old, and refuses what is none', async () => {
    const { maps } = await namespace();
    const old = api.watch(`${maps}?resourceVersion=1`);
    await old.ended;
    assert.equal(old.events.length, 1);
    const { type, object } = old.events[0] as Loose;
    assert.deepEqual(
      [type, object.kind, object.code, object.reason],
      ['ERROR', 'Status', 410, 'Expired'],
    );
    assert.match(object.message, /^too old resource version: 1 \(\d+\)$/);
    const { status, body } = await api.get(`${maps}?watch=true&resourceVersion=soon`);
    assert.deepEqual([status, body.reason], [400, 'BadRequest']);
  });

  it('begins a watch with what there is, and says when that was all', async () => {
    const { maps } = await namespace();
    await api.create(maps, map('a'));
    await api.create(maps, map('b'));
    const query =
      'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const watch = api.watch(`${maps}?${query}`);
    const events = await watch.until(3);
    assert.deepEqual(
      events.map(({ type, object }) => [type, object.metadata.name]),
      [
        ['ADDED', 'a'],
        ['ADDED', 'b'],
        ['BOOKMARK', undefined],
      ],
    );
    const { object } = events[2] as Loose;
    assert.equal(object.metadata.annotations['k8s.io/initial-events-end'], 'true');
    assert.equal(object.kind, 'ConfigMap');
    await api.create(maps, map('c'));
    const added = (await watch.until(4))[3] as Loose;
    assert.ok(revision(added.object) > revision(object));
    watch.stop();
    const old = api.watch(`${maps}?resourceVersion=0`);
    assert.equal((await old.until(3)).length, 3);
    old.stop();
    const without = await api.get(`${maps}?watch=true&sendInitialEvents=true`);
    assert.equal(without.status, 422, without.text);
    assert.match(without.body.message, /resourceVersionMatch/);
  });

  it('adds to a watch what comes to be selected, and takes away what no longer is', async () => {
    const { maps, name } = await namespace();
    const selected = api.watch(
      `/api/v1/configmaps?labelSelector=pick%3D${name}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
    );
    await selected.until(1);
    await api.create(maps, map('a', {}, { pick: name }));
    await api.create(maps, map('b'));
    await api.patch(`${maps}/b`, { metadata: { labels: { pick: name } } });
    await api.patch(`${maps}/b`, { data: { x: '1' } });
    const { body } = await api.patch(`${maps}/b`, { metadata: { labels: { pick: 'no' } } });
    await api.patch(`${maps}/b`, { data: { x: '2' } });
    await api.ask('DELETE', `${maps}/b`);
    await api.ask('DELETE', `${maps}/a`);
    const events = await selected.until(6);
    assert.deepEqual(
      events.slice(1).map(({ type, object }) => `${type} ${object.metadata.name}`),
      ['ADDED a', 'ADDED b', 'MODIFIED b', 'DELETED b', 'DELETED a'],
    );
    const gone = (events[4] as Loose).object;
    assert.equal(gone.metadata.labels.pick, name, 'the last state that was selected');
    assert.equal(revision(gone), revision(body), 'at the revision of the change');
    selected.stop();
    const one = api.watch(
      `${maps}?fieldSelector=metadata.name%3Dz&timeoutSeconds=30&resourceVersion=${revision((await api.get(maps)).body)}`,
    );
    await api.create(maps, map('y'));
    await api.create(maps, map('z'));
    assert.equal((await one.until(1))[0]?.object.metadata.name, 'z');
    one.stop();
  });

  it('gives pages of one moment, whatever is written meanwhile', async () => {
    const { maps } = await namespace();
    for (let i = 0; i < 9; i++) await api.create(maps, map(`m${i}`));
    const first = await api.get(`${maps}?limit=4`);
    assert.equal(first.body.metadata.remainingItemCount, 5);
    const names = (body: Loose): string[] =>
      body.items.map(({ metadata }: Loose) => metadata.name as string);
    assert.deepEqual(names(first.body), ['m0', 'm1', 'm2', 'm3']);
    await api.ask('DELETE', `${maps}/m5`);
    await api.create(maps, map('m35'));
    await api.patch(`${maps}/m6`, { data: { changed: 'yes' } });
    const token = (body: Loose): string => encodeURIComponent(body.metadata.continue);
    const second = await api.get(`${maps}?limit=4&continue=${token(first.body)}`);
    assert.deepEqual(names(second.body), ['m4', 'm5', 'm6', 'm7']);
    assert.deepEqual(second.body.items[2].data, {});
    const third = await api.get(`${maps}?limit=4&continue=${token(second.body)}`);
    assert.deepEqual(names(third.body), ['m8']);
    assert.equal(third.body.metadata.continue, undefined);
    for (const { body } of [second, third]) {
      assert.equal(revision(body), revision(first.body), 'one moment');
    }
    const broken = await api.get(`${maps}?continue=nonsense`);
    assert.equal(broken.status, 400);
    const late = Buffer.from(JSON.stringify([1, '/m1'])).toString('base64url');
    const expired = await api.get(`${maps}?limit=4&continue=${late}`);
    assert.deepEqual([expired.status, expired.body.reason], [410, 'Expired']);
    const chosen = await api.get(`${maps}?limit=1&fieldSelector=metadata.name!%3Dm0`);
    assert.deepEqual(names(chosen.body), ['m1']);
    assert.equal(chosen.body.metadata.remainingItemCount, undefined);
  });

  it('refuses writes of what has changed since', async () => {
    const { maps } = await namespace();
    const { body: old } = await api.create(maps, map('a', { x: '1' }));
    assert.equal((await api.create(maps, map('a'))).body.reason, 'AlreadyExists');
    await api.patch(`${maps}/a`, { data: { x: '2' } });
    const stale = await api.ask('PUT', `${maps}/a`, { body: old });
    assert.deepEqual([stale.status, stale.body.reason], [409, 'Conflict']);
    assert.match(
      stale.body.message,
      /^Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again$/,
    );
    const { resourceVersion } = old.metadata;
    const patched = await api.patch(`${maps}/a`, { metadata: { resourceVersion }, data: null });
    assert.equal(patched.status, 409);
    for (const preconditions of [{ uid: 'other' }, { resourceVersion }]) {
      const refused = await api.ask('DELETE', `${maps}/a`, { body: { preconditions } });
      assert.deepEqual([refused.status, refused.body.reason], [409, 'Conflict']);
    }
    const { body: now } = await api.get(`${maps}/a`);
    const { uid } = now.metadata;
    const preconditions = { uid, resourceVersion: now.metadata.resourceVersion };
    const gone = await api.ask('DELETE', `${maps}/a`, { body: { preconditions } });
    assert.deepEqual([gone.status, gone.body.status, gone.body.details.uid], [200, 'Success', uid]);
    assert.equal((await api.ask('PUT', `${maps}/a`, { body: now })).status, 404);
    const renamed = await api.ask('PUT', `${maps}/a`, { body: map('b') });
    assert.ok([400, 404].includes(renamed.status));
  });

  it('lets writers that read again each have their turn', async () => {
    const { maps } = await namespace();
    await api.create(maps, map('n', { n: '0' }));
    const add = async (): Promise<void> => {
      for (;;) {
        const { body } = await api.get(`${maps}/n`);
        const next = { ...body, data: { n: String(Number(body.data.n) + 1) } };
        const { status } = await api.ask('PUT', `${maps}/n`, { body: next });
        if (status === 200) return;
        assert.equal(status, 409);
      }
    };
    await Promise.all(Array.from({ length: 20 }, add));
    assert.equal((await api.get(`${maps}/n`)).body.data.n, '20');
  });

  it('keeps spec and status apart, and counts generations', async () => {
    const { routes } = await namespace();
    const status = { parents: [] };
    const { body: made } = await api.create(routes, { ...route('r'), status: { parents: [1] } });
    assert.equal(made.metadata.generation, 1);
    assert.equal(made.status?.parents?.[0], undefined);
    const changed = await api.patch(`${routes}/r`, { spec: { hostnames: ['a.test'] } });
    assert.equal(changed.body.metadata.generation, 2);
    const labelled = await api.patch(`${routes}/r`, { metadata: { labels: { a: 'b' } } });
    assert.equal(labelled.body.metadata.generation, 2);
    const same = await api.patch(`${routes}/r`, { spec: { hostnames: ['a.test'] } });
    assert.equal(revision(same.body), revision(labelled.body), 'nothing changed');
    const reported = await api.patch(`${routes}/r/status`, {
      status,
      spec: { hostnames: ['b.test'] },
      metadata: { labels: { a: 'c' } },
    });
    assert.equal(reported.status, 200, reported.text);
    assert.deepEqual(reported.body.spec.hostnames, ['a.test']);
    assert.equal(reported.body.metadata.generation, 2);
    assert.equal((await api.get(`${routes}/r/status`)).body.metadata.name, 'r');
    const set = await api.ask('PUT', `${routes}/r`, {
      body: { ...reported.body, metadata: { name: 'r', generation: 77 }, status: { parents: [2] } },
    });
    assert.equal(set.status, 200, set.text);
    assert.deepEqual([set.body.metadata.generation, set.body.status], [2, reported.body.status]);
    for (const field of ['uid', 'creationTimestamp']) {
      assert.equal(set.body.metadata[field], made.metadata[field]);
    }
  });

  it('writes nothing in a dry run', async () => {
    const { maps } = await namespace();
    await api.create(maps, map('a', { x: '1' }));
    const before = await api.get(maps);
    const dry = 'dryRun=All&fieldManager=t';
    const created = await api.create(`${maps}?${dry}`, map('b'));
    assert.equal(created.status, 201);
    assert.ok(created.body.metadata.uid);
    const changed = await api.patch(`${maps}/a?${dry}`, { data: { x: '2' } });
    assert.equal(changed.body.data.x, '2');
    await api.ask('PUT', `${maps}/a?${dry}`, { body: map('a', { x: '3' }) });
    const applied = { apiVersion: 'v1', kind: 'ConfigMap', ...map('c') };
    const type = 'application/apply-patch+yaml';
    assert.equal((await api.patch(`${maps}/c?${dry}`, applied, type)).status, 201);
    assert.equal((await api.ask('DELETE', `${maps}/a?${dry}`)).status, 200);
    assert.equal((await api.ask('DELETE', `${maps}?${dry}`)).status, 200);
    assert.equal((await api.ask('DELETE', `${maps}/a`, { body: { dryRun: ['All'] } })).status, 200);
    assert.deepEqual((await api.get(maps)).body.items, before.body.items);
    assert.equal((await api.create(`${maps}?dryRun=Some`, map('d'))).status, 422);
  });

  it('shows tables of one, of many, and in watches', async () => {
    const { maps } = await namespace();
    await api.create(maps, map('a', { x: '1' }));
    const list = await api.get(maps, TABLE);
    assert.equal(list.body.kind, 'Table');
    assert.deepEqual(
      list.body.columnDefinitions.map(({ name }: Loose) => name),
      ['Name', 'Data', 'Age'],
    );
    assert.deepEqual(list.body.rows[0].cells.slice(0, 2), ['a', 1]);
    assert.equal(list.body.rows[0].object.kind, 'PartialObjectMetadata');
    assert.equal((await api.get(`${maps}/a`, TABLE)).body.rows.length, 1);
    const whole = await api.get(`${maps}?includeObject=Object`, TABLE);
    assert.equal(whole.body.rows[0].object.data.x, '1');
    const none = await api.get(`${maps}?includeObject=None`, TABLE);
    assert.equal(none.body.rows[0].object, null);
    const watch = api.watch(`${maps}?resourceVersion=${revision(list.body)}`, TABLE);
    await api.create(maps, map('b'));
    await api.create(maps, map('c'));
    const events = await watch.until(2);
    watch.stop();
    assert.ok(events[0]?.object.columnDefinitions.length > 0, 'the first event has columns');
    assert.ok(!events[1]?.object.columnDefinitions?.length, 'the others have none');
    assert.deepEqual(
      events.map(({ object }) => object.rows[0].cells[0]),
      ['b', 'c'],
    );
  });

  it('shows metadata alone', async () => {
    const { maps } = await namespace();
    await api.create(maps, map('a', { x: '1' }));
    const one = (await api.get(`${maps}/a`, PARTIAL)).body;
    assert.deepEqual([one.kind, one.apiVersion], ['PartialObjectMetadata', 'meta.k8s.io/v1']);
    assert.equal(one.data, undefined);
    assert.equal(one.metadata.name, 'a');
    const list = (await api.get(maps, PARTIAL_LIST)).body;
    assert.deepEqual([list.kind, list.items.length], ['PartialObjectMetadataList', 1]);
    const watch = api.watch(`${maps}?resourceVersion=0`, PARTIAL);
    assert.equal((await watch.until(1))[0]?.object.kind, 'PartialObjectMetadata');
    watch.stop();
    const refused = await api.get(maps, 'text/html');
    assert.deepEqual([refused.status, refused.body.reason], [406, 'NotAcceptable']);
  });

  it('lets in who has the token, from no web page, under its own names', async () => {
    const ask = (headers: Readonly<Record<string, string | undefined>>) =>
      api.ask('GET', '/api/v1/namespaces', { headers });
    for (const authorization of [undefined, 'Bearer wrong', `Basic ${api.token}`, 'Bearer']) {
      const { status, body, headers } = await ask({ authorization });
      assert.deepEqual([status, body.kind, body.reason], [401, 'Status', 'Unauthorized']);
      assert.equal(headers['www-authenticate'], 'Bearer');
    }
    assert.equal((await ask({ origin: 'https://example.test' })).status, 403);
    assert.equal((await ask({ host: 'example.test' })).status, 403);
    assert.equal((await ask({ host: 'localhost:6443' })).status, 200);
    for (const path of ['/version', '/healthz', '/apis', '/openapi/v3']) {
      const headers = { authorization: undefined };
      assert.equal((await api.ask('GET', path, { headers })).status, 401, path);
    }
  });

  it('takes no more than it can hold', async () => {
    const { maps } = await namespace();
    const tooLarge = await api.create(maps, map('a', { x: 'x'.repeat(3 * 1024 * 1024) }));
    assert.deepEqual([tooLarge.status, tooLarge.body.reason], [413, 'RequestEntityTooLarge']);
    // The connection is closed at once, which the client may notice before it reads the answer.
    const head = await api
      .ask('GET', maps, { headers: { 'x-long': 'x'.repeat(70_000) } })
      .then(({ status }) => String(status))
      .catch((error: NodeJS.ErrnoException) => error.code);
    assert.match(head ?? '', /^(?:431|ECONNRESET|EPIPE)$/);
    const deep = await api.create(maps, `${'['.repeat(5000)}${']'.repeat(5000)}`);
    assert.equal(deep.status, 400);
    assert.equal((await api.get(`${maps}/${'n'.repeat(5000)}`)).status, 404);
    const long = await api.get(`${maps}?labelSelector=${'a'.repeat(60_000)}`);
    assert.equal(long.status, 400);
  });

  it('deletes collections, as far as they are selected', async () => {
    const { maps } = await namespace();
    for (const name of ['a', 'b', 'c']) {
      await api.create(maps, map(name, {}, { pick: name === 'c' ? 'no' : 'yes' }));
    }
    const { status, body } = await api.ask('DELETE', `${maps}?labelSelector=pick%3Dyes`);
    assert.equal(status, 200);
    assert.equal(body.items.length, 2);
    assert.deepEqual(
      (await api.get(maps)).body.items.map(({ metadata }: Loose) => metadata.name),
      ['c'],
    );
  });

  it('names every field of an object that is refused', async () => {
    const { routes, maps } = await namespace();
    const bad = route('r', {
      hostnames: ['*.*.test'],
      rules: [{ matches: [{ path: { type: 'Exact', value: 'nope' } }] }],
    });
    const { status, body } = await api.create(routes, bad);
    assert.deepEqual(
      [status, body.reason, body.details.kind, body.details.group, body.details.name],
      [422, 'Invalid', 'HTTPRoute', 'gateway.networking.k8s.io', 'r'],
    );
    const fields = body.details.causes.map(({ field }: Loose) => field);
    assert.ok(fields.includes('spec.hostnames[0]'), fields.join());
    assert.ok(fields.some((field: string) => field.startsWith('spec.rules[0].matches[0].path')));
    for (const { reason, message } of body.details.causes) {
      assert.match(reason, /^FieldValue/);
      assert.ok(message.length > 0);
    }
    const wrongKind = await api.create(maps, { ...map('a'), kind: 'Secret', apiVersion: 'v1' });
    assert.equal(wrongKind.status, 400);
    const elsewhere = await api.create(maps, { metadata: { name: 'a', namespace: 'default' } });
    assert.equal(elsewhere.status, 400);
    assert.equal((await api.create(maps, { data: {} })).status >= 400, true);
    assert.equal((await api.create(maps, { metadata: {} })).status, 422);
    assert.equal((await api.create(maps, map('a', { k: 1 }))).status >= 400, true);
  });

  it('is strict about fields, or warns, or is silent, as it is asked to', async () => {
    const { maps } = await namespace();
    const odd = (name: string) => ({ ...map(name), colour: 'red' });
    const strict = await api.create(`${maps}?fieldValidation=Strict`, odd('a'));
    assert.equal(strict.status, 400);
    assert.match(strict.body.message, /strict decoding error: unknown field "colour"/);
    const warned = await api.create(`${maps}?fieldValidation=Warn`, odd('b'));
    assert.equal(warned.status, 201);
    assert.match(String(warned.headers['warning']), /^299 - "unknown field \\?"colour/);
    const silent = await api.create(`${maps}?fieldValidation=Ignore`, odd('c'));
    assert.deepEqual([silent.status, silent.headers['warning']], [201, undefined]);
    assert.equal(silent.body.colour, undefined);
  });

  it('answers what it does not know as Kubernetes does', async () => {
    const cases: readonly (readonly [string, string, number])[] = [
      ['GET', '/nothing', 404],
      ['GET', '/api/v2/pods', 404],
      ['GET', '/api/v1/widgets', 404],
      ['GET', '/api/v1/namespaces/default/configmaps/none', 404],
      ['GET', '/api/v1/namespaces/default/namespaces', 404],
      ['POST', '/api/v1/namespaces/default/configmaps/x', 405],
      ['PUT', '/api/v1/namespaces/default/configmaps', 405],
      ['TRACE', '/api/v1/namespaces', 405],
      ['GET', '/api/v1/namespaces?limit=-1', 400],
      ['GET', '/api/v1/namespaces?limit=x', 400],
      ['GET', '/api/v1/namespaces?labelSelector=%3D%3D', 400],
      ['GET', '/api/v1/%ff', 400],
    ];
    for (const [method, path, expected] of cases) {
      const { status, body } = await api.ask(method, path);
      assert.equal(status, expected, `${method} ${path}`);
      assert.equal(body.kind, 'Status', `${method} ${path}`);
    }
    const type = 'text/plain';
    const { status } = await api.ask('POST', '/api/v1/namespaces', { body: 'x', type });
    assert.equal(status, 415);
    const strategic = 'application/strategic-merge-patch+json';
    const { routes } = await namespace();
    await api.create(routes, route('r'));
    assert.equal((await api.patch(`${routes}/r`, {}, strategic)).status, 415);
    assert.equal((await api.ask('HEAD', `${routes}/r`)).status, 200);
  });

  it('answers reviews that typed clients send', async () => {
    const attributes = { namespace: 'default', verb: 'get', resource: 'pods' };
    for (const [group, plural] of [
      ['authorization.k8s.io', 'selfsubjectaccessreviews'],
      ['authorization.k8s.io', 'subjectaccessreviews'],
      ['authorization.k8s.io', 'namespaces/default/localsubjectaccessreviews'],
    ]) {
      const { status, body } = await api.create(`/apis/${group}/v1/${plural}`, {
        spec: { user: 'fairway', resourceAttributes: attributes },
      });
      assert.deepEqual([status, body?.status?.allowed], [201, true], plural);
    }
  });
});
