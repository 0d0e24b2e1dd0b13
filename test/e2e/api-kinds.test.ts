// What clients see of kinds that users bring, of Events in both of their groups, and of bodies that say a
// thing twice: request by request.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ApiClient } from '../support/api-client.ts';
import type { Watching } from '../support/api-client.ts';
import { folder, startFairway, until } from '../support/fairway.ts';
import type { Fairway } from '../support/fairway.ts';
import { kubeconfigIn } from '../support/kubectl.ts';
import type { Loose } from '../support/kubectl.ts';

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const WIDGETS = '/apis/example.test/v1/namespaces/default/widgets';
const OLD_WIDGETS = '/apis/example.test/v1beta1/namespaces/default/widgets';
const MAPS = '/api/v1/namespaces/default/configmaps';
const EVENTS = '/api/v1/namespaces/default/events';
const NEW_EVENTS = '/apis/events.k8s.io/v1/namespaces/default/events';

const whole = { type: 'integer' };
const spec = {
  type: 'object',
  properties: {
    color: { type: 'string' },
    due: { type: 'string', format: 'date-time' },
    replicas: whole,
    size: whole,
  },
};
const status = { type: 'object', properties: { replicas: whole, selector: { type: 'string' } } };
const schema = { openAPIV3Schema: { type: 'object', properties: { spec, status } } };
const WIDGET_DEFINITION = {
  metadata: { name: 'widgets.example.test' },
  spec: {
    group: 'example.test',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetBox' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema,
        subresources: {
          status: {},
          scale: {
            specReplicasPath: '.spec.replicas',
            statusReplicasPath: '.status.replicas',
            labelSelectorPath: '.status.selector',
          },
        },
        selectableFields: [{ jsonPath: '.spec.color' }, { jsonPath: '.spec.size' }],
        additionalPrinterColumns: [
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          { name: 'Due', type: 'date', jsonPath: '.spec.due' },
          { name: 'Size', type: 'integer', jsonPath: '.spec.size', priority: 1 },
        ],
      },
      {
        name: 'v1beta1',
        served: true,
        storage: false,
        schema,
        deprecated: true,
        deprecationWarning: 'v1beta1 is old',
      },
    ],
  },
};

const home = folder({});
let fairway: Fairway;
let api: ApiClient;

async function createWidget(name: string, wanted: object): Promise<void> {
  const { status: code } = await api.create(WIDGETS, {
    apiVersion: 'example.test/v1',
    kind: 'Widget',
    metadata: { name },
    spec: wanted,
  });
  assert.equal(code, 201);
}

/** A watch that misses nothing from this moment on. */
async function watchFromNow(path: string, fields: string): Promise<Watching> {
  const { body } = await api.get(`${path}?limit=1`);
  const { resourceVersion } = body.metadata;
  return api.watch(`${path}?fieldSelector=${fields}&resourceVersion=${resourceVersion}`);
}

async function names(path: string): Promise<readonly string[]> {
  const { body } = await api.get(path);
  return body.items.map(({ metadata }: Loose) => metadata.name);
}

describe('kinds', { timeout: 120_000, concurrency: 4 }, () => {
  before(async () => {
    fairway = await startFairway([], { home: home.path });
    api = new ApiClient(await kubeconfigIn(home.path));
    assert.equal((await api.create(DEFINITIONS, WIDGET_DEFINITION)).status, 201);
    await until(async () => (await api.get(WIDGETS)).status === 200, 'the kind to be served');
  });

  after(async () => {
    api.close();
    await fairway.stop();
    home.remove();
  });

  it('of users are scaled where their definition says', async () => {
    await createWidget('scaled', { replicas: 1 });
    const path = `${WIDGETS}/scaled/scale`;
    const scale = (await api.get(path)).body;
    assert.equal(scale.kind, 'Scale');
    assert.deepEqual([scale.spec, scale.status], [{ replicas: 1 }, { replicas: 0 }]);
    const put = await api.ask('PUT', path, { body: { ...scale, spec: { replicas: 3 } } });
    assert.deepEqual([put.status, put.body.spec], [200, { replicas: 3 }]);
    const widget = (await api.get(`${WIDGETS}/scaled`)).body;
    assert.deepEqual([widget.spec, widget.metadata.generation], [{ replicas: 3 }, 2]);
    const stale = await api.ask('PUT', path, { body: { ...scale, spec: { replicas: 4 } } });
    assert.deepEqual([stale.status, stale.body.reason], [409, 'Conflict']);
    await api.patch(`${WIDGETS}/scaled/status`, { status: { replicas: 2, selector: 'a=b' } });
    const patched = await api.patch(path, { spec: { replicas: 5 } });
    assert.deepEqual(patched.body.spec, { replicas: 5 });
    assert.deepEqual(patched.body.status, { replicas: 2, selector: 'a=b' });
    const negative = await api.patch(path, { spec: { replicas: -1 } });
    assert.equal(negative.status, 422);
    assert.equal(
      negative.body.message,
      'Scale.autoscaling "scaled" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    );
    assert.equal(negative.body.details.causes[0].field, 'spec.replicas');
    for (const body of ['[]', '7', '{"spec":{"replicas":"many"}}']) {
      const { status: code, body: answer } = await api.ask('PUT', path, { body });
      assert.ok(code === 400 || code === 422, `${body}: ${code}`);
      assert.equal(answer.kind, 'Status');
    }
    // The other version has no scale.
    assert.equal((await api.get(`${OLD_WIDGETS}/scaled/scale`)).status, 404);
    await createWidget('unscaled', {});
    assert.match((await api.get(`${WIDGETS}/unscaled/scale`)).body.message, /does not exist/);
    const { body: resources } = await api.get('/apis/example.test/v1');
    const parts = resources.resources.map((each: Loose) => each.name).toSorted();
    assert.deepEqual(parts, ['widgets', 'widgets/scale', 'widgets/status']);
  });

  it('of users are selected by the fields their definition names', async () => {
    await createWidget('red', { color: 'red', size: 3 });
    await createWidget('blue', { color: 'blue', size: 4 });
    assert.deepEqual(await names(`${WIDGETS}?fieldSelector=spec.color%3Dred`), ['red']);
    assert.deepEqual(await names(`${WIDGETS}?fieldSelector=spec.size%3D4`), ['blue']);
    const unknown = await api.get(`${WIDGETS}?fieldSelector=spec.due%3Dx`);
    assert.deepEqual(
      [unknown.status, unknown.body.message],
      [400, 'field label not supported: spec.due'],
    );
    const watching = await watchFromNow(WIDGETS, 'spec.color%3Dgreen');
    await api.patch(`${WIDGETS}/red`, { spec: { color: 'green' } });
    await api.patch(`${WIDGETS}/red`, { spec: { color: 'red' } });
    const types = (await watching.until(2)).map(({ type }) => type);
    assert.deepEqual(types, ['ADDED', 'DELETED']);
    watching.stop();
  });

  it('of users have the columns of their definition, in its order, and dates as ages', async () => {
    const due = new Date(Date.now() - 3 * 86_400_000).toISOString();
    await createWidget('dated', { due, size: 7 });
    await createWidget('undated', {});
    const table = async (name: string): Promise<Loose> =>
      (await api.get(`${WIDGETS}/${name}`, TABLE)).body;
    const { columnDefinitions, rows } = await table('dated');
    assert.deepEqual(
      columnDefinitions.map(({ name, type, priority }: Loose) => [name, type, priority]),
      [
        ['Name', 'string', 0],
        ['Age', 'date', 0],
        ['Due', 'date', 0],
        ['Size', 'integer', 1],
      ],
    );
    assert.match(rows[0].cells[1], /^\d+s$/);
    assert.deepEqual(rows[0].cells.slice(2), ['3d', 7]);
    assert.deepEqual((await table('undated')).rows[0].cells.slice(2), [null, null]);
    assert.equal((await api.get(WIDGETS)).body.kind, 'WidgetBox');
  });

  it('of users are the same object in every version, and old versions warn', async () => {
    await createWidget('both', { color: 'black' });
    const old = await api.get(`${OLD_WIDGETS}/both`);
    assert.equal(old.body.apiVersion, 'example.test/v1beta1');
    assert.equal(old.headers['warning'], '299 - "v1beta1 is old"');
    const patched = await api.patch(`${OLD_WIDGETS}/both`, { spec: { color: 'white' } });
    assert.equal(patched.body.apiVersion, 'example.test/v1beta1');
    const now = await api.get(`${WIDGETS}/both`);
    assert.deepEqual(
      [now.body.apiVersion, now.body.spec.color, now.headers['warning']],
      ['example.test/v1', 'white', undefined],
    );
  });

  it('named Event are the same objects in both groups', async () => {
    const regarding = { kind: 'Widget', namespace: 'default', name: 'w' };
    const sent = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'e' },
      eventTime: '2026-01-01T00:00:00.000000Z',
      regarding,
      reason: 'Tested',
      action: 'Test',
      note: 'hello',
      type: 'Normal',
      reportingController: 'example.test/x',
      reportingInstance: 'x-1',
    };
    const watching = await watchFromNow(EVENTS, 'metadata.name%3De');
    const created = await api.create(NEW_EVENTS, sent);
    assert.deepEqual([created.status, created.body.note], [201, 'hello']);
    assert.equal(created.body.apiVersion, 'events.k8s.io/v1');
    const { body: core } = await api.get(`${EVENTS}/e`);
    assert.deepEqual(
      [core.apiVersion, core.message, core.involvedObject, core.reportingComponent],
      ['v1', 'hello', regarding, 'example.test/x'],
    );
    await api.patch(`${NEW_EVENTS}/e`, { note: 'bye' });
    await api.patch(`${EVENTS}/e`, { reason: 'Ended' });
    const { body: seen } = await api.get(`${NEW_EVENTS}/e`);
    assert.deepEqual([seen.note, seen.reason], ['bye', 'Ended']);
    const mine = '?fieldSelector=regarding.name%3Dw,reportingController%3Dexample.test/x';
    assert.deepEqual(await names(`${NEW_EVENTS}${mine}`), ['e']);
    const wrong = await api.get(`${NEW_EVENTS}?fieldSelector=involvedObject.name%3Dw`);
    assert.equal(wrong.status, 400);
    assert.deepEqual(
      (await watching.until(3)).map(({ object }) => object.message),
      ['hello', 'bye', 'bye'],
    );
    watching.stop();
    const strict = await api.create(`${NEW_EVENTS}?fieldValidation=Strict`, {
      ...sent,
      metadata: { name: 'f' },
      message: 'x',
    });
    assert.match(strict.body.message, /strict decoding error: unknown field "message"$/);
    const { body: document } = await api.get('/openapi/v3/apis/events.k8s.io/v1');
    assert.ok(document.components.schemas['io.k8s.events.v1.Event'].properties.regarding);
    assert.equal((await api.ask('DELETE', `${NEW_EVENTS}/e`)).status, 200);
    assert.equal((await api.get(`${EVENTS}/e`)).status, 404);
  });

  it('tell of what a body says twice, or refuse it', async () => {
    const body = (name: string): string =>
      `{"metadata":{"name":"${name}"},"data":{"a":"1","a":"2"},"colour":"red"}`;
    const strict = await api.create(`${MAPS}?fieldValidation=Strict`, body('strict'));
    assert.deepEqual(
      [strict.status, strict.body.message],
      [
        400,
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: duplicate field "data.a", unknown field "colour"',
      ],
    );
    const warned = await api.create(`${MAPS}?fieldValidation=Warn`, body('warned'));
    assert.equal(warned.status, 201);
    assert.equal(warned.body.data.a, '2', 'the last one counts');
    assert.equal(
      warned.headers['warning'],
      '299 - "duplicate field \\"data.a\\"", 299 - "unknown field \\"colour\\""',
    );
    const silent = await api.create(`${MAPS}?fieldValidation=Ignore`, body('silent'));
    assert.deepEqual([silent.status, silent.headers['warning']], [201, undefined]);
    const patch = (text: string, type: string) =>
      api.ask('PATCH', `${MAPS}/silent?fieldValidation=Strict`, { body: text, type });
    const merged = await patch('{"data":{"b":"1","b":"2"}}', 'application/merge-patch+json');
    assert.equal(merged.status, 422);
    assert.match(merged.body.message, /patch: Invalid value: .*duplicate field "data\.b"$/);
    const operations = '[{"op":"add","path":"/data/c","path":"/data/d","value":"1"}]';
    const json = await patch(operations, 'application/json-patch+json');
    assert.match(json.body.message, /json patch duplicate field "\[0\]\.path"$/);
    const applied = (text: string) =>
      api.ask('PATCH', `${MAPS}/silent?fieldValidation=Strict&fieldManager=x&force=true`, {
        body: text,
        type: 'application/apply-patch+yaml',
      });
    const head = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: silent\n';
    const yaml = await applied(`${head}data:\n  a: "1"\n  a: "2"\n`);
    assert.equal(yaml.status, 400);
    assert.match(
      yaml.body.message,
      /^error strict decoding YAML: .*line 7: key "a" already set in map$/,
    );
    assert.equal((await applied(`${head}data:\n  a: "1"\n`)).status, 200);
    assert.equal((await applied(`${head}data: {a: "1"`)).status, 400);
  });

  it('are sent by gzip where they are large and the client takes that', async () => {
    const large = 'x'.repeat(200_000);
    await api.create(MAPS, { metadata: { name: 'large' }, data: { large } });
    const headers = { 'accept-encoding': 'gzip' };
    const one = await api.ask('GET', `${MAPS}/large`, { headers });
    assert.equal(one.headers['content-encoding'], 'gzip');
    const plain = await api.get(`${MAPS}/large`);
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.equal(plain.body.data.large, large);
  });
});
