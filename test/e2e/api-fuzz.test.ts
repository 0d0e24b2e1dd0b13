// Requests that make no sense: whatever comes in, the answer is a refusal with a Status, never a fault of
// the server's own, and the next request is answered as ever.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { ApiClient } from '../support/api-client.ts';
import type { Asked } from '../support/api-client.ts';
import { folder, startFairway } from '../support/fairway.ts';
import type { Fairway } from '../support/fairway.ts';
import { kubeconfigIn } from '../support/kubectl.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const ROUTES = '/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes';
const EVENTS = '/api/v1/namespaces/default/events';
const NEW_EVENTS = '/apis/events.k8s.io/v1/namespaces/default/events';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const REVIEWS = [
  '/apis/authentication.k8s.io/v1/tokenreviews',
  '/apis/authentication.k8s.io/v1/selfsubjectreviews',
  '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
  '/apis/authorization.k8s.io/v1/subjectaccessreviews',
  '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
];
const DEPLOYMENT = {
  spec: {
    replicas: 0,
    selector: { matchLabels: { a: 'b' } },
    template: {
      metadata: { labels: { a: 'b' } },
      spec: { containers: [{ name: 'c', image: 'x' }] },
    },
  },
};
const RUNS = { numRuns: 150, seed: 20_251 };
/** The client library gives up on these before they are sent. */
const SENDABLE = /^[\u0021-\u007e]*$/;

const home = folder({});
let fairway: Fairway;
let api: ApiClient;

async function answers(method: string, path: string, asked: Asked = {}): Promise<void> {
  const { status, text } = await api.ask(method, path, asked);
  // 504 is said of revisions that have not been yet.
  const isRefusal = status < 500 || status === 504;
  assert.ok(status >= 200 && isRefusal, `${method} ${path}: ${status} ${text}`);
}

const json = fc.jsonValue({ maxDepth: 4 });
const odd = fc.oneof(json, fc.record({ apiVersion: json, kind: json, metadata: json }));
const metadata = fc.record(
  {
    name: fc.oneof(fc.string(), json),
    namespace: json,
    labels: json,
    annotations: json,
    finalizers: json,
    ownerReferences: json,
    managedFields: json,
    resourceVersion: json,
    generateName: json,
    creationTimestamp: json,
  },
  { requiredKeys: [] },
);
const object = fc.record({ metadata, data: json, spec: json, status: json }, { requiredKeys: [] });
const body = fc.oneof(odd, object);

describe('the API withstands', { timeout: 170_000 }, () => {
  before(async () => {
    fairway = await startFairway(['--no-pods'], { home: home.path });
    api = new ApiClient(await kubeconfigIn(home.path));
    for (const [path, spec] of [
      [MAPS, { data: { a: 'b' } }],
      [ROUTES, { spec: {} }],
      [DEPLOYMENTS, DEPLOYMENT],
      [EVENTS, { involvedObject: { namespace: 'default' } }],
    ] as const) {
      const { status } = await api.create(path, { metadata: { name: 'target' }, ...spec });
      assert.equal(status, 201);
    }
  });

  after(async () => {
    assert.equal((await api.get(MAPS)).status, 200);
    assert.equal(fairway.process.exitCode, null);
    api.close();
    await fairway.stop();
    home.remove();
  });

  it('bodies that are no objects', () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom(MAPS, ROUTES, EVENTS, NEW_EVENTS, ...REVIEWS),
        body,
        (path, value) => answers('POST', path, { body: JSON.stringify(value) }),
      ),
      RUNS,
    ));

  it('bodies that are no JSON, YAML or protobuf', () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom(
          'application/json',
          'application/yaml',
          'application/vnd.kubernetes.protobuf',
        ),
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          fc.uint8Array({ maxLength: 200 }).map((b) => Buffer.concat([Buffer.from('k8s\0'), b])),
          fc.string().map((text) => Buffer.from(text)),
        ),
        (type, bytes) => answers('POST', MAPS, { type, body: Buffer.from(bytes) }),
      ),
      RUNS,
    ));

  it('patches of every type', () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom(
          `${MAPS}/target`,
          `${ROUTES}/target`,
          `${ROUTES}/target/status`,
          `${EVENTS}/target`,
          `${NEW_EVENTS}/target`,
          `${DEPLOYMENTS}/target/scale`,
        ),
        fc.constantFrom(
          'json-patch+json',
          'merge-patch+json',
          'strategic-merge-patch+json',
          'apply-patch+yaml',
          'nonsense',
        ),
        fc.oneof(
          body,
          fc.array(
            fc.record({
              op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'none'),
              path: fc.constantFrom(
                '',
                '/',
                '/data/a',
                '/spec/x/-',
                '/metadata/name',
                '/a~2',
                '/data/-1',
              ),
              from: fc.constantFrom('', '/data', '/metadata', '/none'),
              value: json,
            }),
            { maxLength: 4 },
          ),
        ),
        (path, type, patch) =>
          answers('PATCH', `${path}?fieldManager=fuzz&force=true&dryRun=All`, {
            type: `application/${type}`,
            body: JSON.stringify(patch),
          }),
      ),
      RUNS,
    ));

  it('paths and queries of any kind', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.constantFrom(
              'api',
              'apis',
              'v1',
              'namespaces',
              'default',
              'configmaps',
              'pods',
              'status',
              'scale',
              '..',
              '%',
              '%00',
              '%2f',
            ),
            fc.string({ maxLength: 8 }).map(encodeURIComponent),
          ),
          { maxLength: 8 },
        ),
        fc.array(
          fc.tuple(
            fc.constantFrom(
              'limit',
              'continue',
              'labelSelector',
              'fieldSelector',
              'resourceVersion',
              'timeoutSeconds',
              'dryRun',
              'propagationPolicy',
              'pretty',
            ),
            fc.string({ maxLength: 12 }),
          ),
          { maxLength: 4 },
        ),
        fc.constantFrom('GET', 'PUT', 'POST', 'PATCH', 'OPTIONS'),
        (segments, query, method) => {
          const path = `/${segments.join('/')}?${new URLSearchParams(query).toString()}`;
          return SENDABLE.test(path) ? answers(method, path) : Promise.resolve();
        },
      ),
      RUNS,
    ));

  it('queries of lists and watches', () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom('labelSelector', 'fieldSelector', 'continue', 'limit', 'resourceVersion'),
        fc.oneof(fc.string(), fc.stringMatching(/^[a-z=!,() <>]{0,20}$/), fc.base64String()),
        fc.boolean(),
        (name, value, watches) =>
          answers(
            'GET',
            `${MAPS}?${name}=${encodeURIComponent(value.toWellFormed())}${watches ? '&watch=true&timeoutSeconds=0' : ''}`,
          ),
      ),
      RUNS,
    ));

  it('headers that ask for anything', () =>
    fc.assert(
      fc.asyncProperty(
        fc.stringMatching(/^[\x20-\x7e]{0,60}$/),
        fc.stringMatching(/^[\x20-\x7e]{0,60}$/),
        (accept, type) => answers('POST', MAPS, { accept, type, body: '{}' }),
      ),
      RUNS,
    ));

  it('options of deletions', () =>
    fc.assert(
      fc.asyncProperty(odd, (options) =>
        answers('DELETE', `${MAPS}/target?dryRun=All`, { body: JSON.stringify(options) }),
      ),
      RUNS,
    ));
});
