import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../../api/core/service.ts';
import { BALANCE_ANNOTATION, balanceFindings, balanceOf } from './balance.ts';

const service = (written?: string): Service =>
  ({
    metadata: {
      namespace: 'shop',
      name: 'cart',
      ...(written === undefined ? {} : { annotations: { [BALANCE_ANNOTATION]: written } }),
    },
    spec: {},
  }) as Service;

test('the annotation says how a Service is balanced', () => {
  assert.equal(balanceOf(undefined), undefined);
  assert.equal(balanceOf(service()), undefined);
  assert.equal(balanceOf(service('least-requests')), undefined);
  assert.equal(balanceOf(service('round-robin')), 'roundRobin');
  assert.equal(balanceOf(service('source-hash')), 'sourceHash');
  assert.equal(balanceOf(service('constructor')), undefined);
});

test('what is no way to balance is told of', () => {
  assert.deepEqual(balanceFindings([service(), service('round-robin')]), []);
  const [finding] = balanceFindings([service('random')]);
  assert.equal(finding?.reason, 'InvalidBalance');
  assert.match(finding.message, /"random"/);
  assert.match(finding.hint ?? '', /least-requests, round-robin, source-hash/);
});
