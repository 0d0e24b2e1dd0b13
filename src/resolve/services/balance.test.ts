import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../../api/core/service.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { BALANCE_ANNOTATION, balanceOf, createBalanceFinder } from './balance.ts';

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

/** A snapshot of Services alone. */
function findings(
  services: readonly Service[],
): ReturnType<ReturnType<typeof createBalanceFinder>> {
  const snapshot = { table: () => services, list: () => services };
  return createBalanceFinder()(snapshot as unknown as Snapshot);
}

test('what is no way to balance is told of', () => {
  assert.deepEqual(findings([service(), service('round-robin')]), []);
  const [finding] = findings([service('random')]);
  assert.equal(finding?.reason, 'InvalidBalance');
  assert.match(finding.message, /"random"/);
  assert.match(finding.hint ?? '', /least-requests, round-robin, source-hash/);
});
