import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Pod } from '../../api/core/pod.ts';
import { Service } from '../../api/core/service.ts';
import { CustomResourceDefinition } from '../../api/apiextensions/crd.ts';
import { HTTPRoute } from '../../api/gateway/httproute.ts';
import {
  APPLY_PATCH,
  JSON_PATCH,
  MERGE_PATCH,
  STRATEGIC_MERGE_PATCH,
  applyPatch,
  patchTypes,
} from './patch.ts';
import { DEPTH_MAX } from './values.ts';

const TYPES = [JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH];

/** Any JSON, but often with what means something to a patch. */
const words = [
  '$patch',
  '$retainKeys',
  '$setElementOrder/ports',
  '$deleteFromPrimitiveList/finalizers',
  '__proto__',
  'constructor',
  'spec',
  'ports',
  'port',
  'metadata',
  'finalizers',
  'replace',
  'delete',
];
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(...words, 1, null, true),
    fc.array(tie('json'), { maxLength: 4 }),
    fc
      .array(fc.tuple(fc.constantFrom(...words), tie('json')), { maxLength: 4 })
      .map((entries) => Object.fromEntries(entries) as unknown),
  ),
}));
const place = fc.array(fc.constantFrom('', ...words, '0', '-', '~1'), { maxLength: 3 });
const path = place.map((tokens) => tokens.map((token) => `/${token}`).join(''));
const operation = fc.record({
  op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'),
  path,
  from: path,
  value: json,
});

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const target = json.filter(isObject);

describe('any patch', () => {
  const patch = fc.oneof(json, fc.array(operation, { maxLength: 6 }));

  it('gives an object or an error, and leaves what it was given alone', () => {
    fc.assert(
      fc.property(fc.constantFrom(...TYPES), target, patch, (type, object, body) => {
        const before = JSON.stringify([object, body]);
        const result = applyPatch(type, object, body, Service);
        assert.ok('error' in result ? result.error.message !== '' : isObject(result.object));
        // Fails as well when the result contains itself.
        JSON.stringify(result);
        assert.equal(JSON.stringify([object, body]), before);
        assert.equal(Object.getPrototypeOf({}), Object.prototype);
        assert.deepEqual(Object.keys(Object.prototype), []);
      }),
      { numRuns: 2000 },
    );
  });

  it('of nothing changes nothing', () => {
    fc.assert(
      fc.property(target, (object) => {
        assert.deepEqual(applyPatch(JSON_PATCH, object, [], Pod), { object });
        assert.deepEqual(applyPatch(MERGE_PATCH, object, {}, Pod), { object });
        assert.deepEqual(applyPatch(STRATEGIC_MERGE_PATCH, object, {}, Pod), { object });
      }),
    );
  });

  for (const type of TYPES) {
    it(`may not nest without end: ${type}`, () => {
      let body: unknown = 1;
      for (let i = 0; i < 100_000; i++) body = { spec: body };
      const patches = type === JSON_PATCH ? [{ op: 'add', path: '/x', value: body }] : body;
      assert.deepEqual(applyPatch(type, {}, patches, Service), {
        error: { status: 400, message: `the patch nests deeper than ${DEPTH_MAX} levels` },
      });
    });
  }
});

describe('the type of a patch', () => {
  it('may come with parameters', () => {
    const type = 'application/merge-patch+json; charset=utf-8';
    assert.deepEqual(applyPatch(type, {}, { a: 1 }, Service), { object: { a: 1 } });
  });

  it('is refused when it is unknown, or none for custom resources', () => {
    const prefix =
      'the body of the request was in an unknown format - accepted media types include: ';
    const rows = [
      { type: 'application/json', kind: Service },
      { type: APPLY_PATCH, kind: Service },
      { type: STRATEGIC_MERGE_PATCH, kind: HTTPRoute },
    ];
    for (const { type, kind } of rows) {
      const message = prefix + patchTypes(kind).join(', ');
      assert.deepEqual(applyPatch(type, {}, {}, kind), { error: { status: 415, message } });
    }
    assert.ok(patchTypes(Service).includes(STRATEGIC_MERGE_PATCH));
    assert.ok(!patchTypes(HTTPRoute).includes(STRATEGIC_MERGE_PATCH));
  });

  it('may be strategic for CustomResourceDefinitions, as kubectl apply sends them', () => {
    const crd = { spec: { versions: [{ name: 'v1', served: true }] } };
    const patch = { spec: { versions: [{ name: 'v1', served: false }] } };
    const outcome = applyPatch(STRATEGIC_MERGE_PATCH, crd, patch, CustomResourceDefinition);
    assert.deepEqual(outcome, { object: patch });
  });
});
