// Services of both address families: what each ipFamilyPolicy gives, and the API server's words for what
// it does not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Service } from '../../api/core/service.ts';
import { objectOf } from '../testing/lab.ts';
import { allocateService, settleService } from './allocate.ts';
import { Allocations } from './allocations.ts';
import { formatAllocationError } from './refusal.ts';

type Spec = Readonly<Record<string, unknown>>;

const DUAL = '10.96.0.0/16,fd00:96::/112';

function service(spec: Spec, name = 'web'): Service {
  // The API server wants the first address in both fields.
  const [clusterIP] = (spec.clusterIPs ?? [spec.clusterIP]) as readonly (string | undefined)[];
  const first = clusterIP === undefined ? {} : { clusterIP };
  return objectOf(Service, {
    metadata: { name },
    spec: { ports: [{ port: 80 }], ...spec, ...first },
  });
}

function shown({ clusterIPs, ipFamilies, ipFamilyPolicy }: Service['spec']): readonly unknown[] {
  return [clusterIPs?.join(), ipFamilies?.join(), ipFamilyPolicy];
}

function given(spec: Spec, serviceCidr = DUAL): readonly unknown[] {
  const result = allocateService(service(spec), new Allocations({ serviceCidr }));
  return 'service' in result ? shown(result.service.spec) : [formatError(result.error)];
}

function formatError(error: Parameters<typeof formatAllocationError>[1]): string {
  return formatAllocationError('web', error);
}

const V4 = '10.96.1.1';
const V6 = 'fd00:96::101';
const wishes: readonly (readonly [Spec, readonly unknown[]])[] = [
  [{}, [V4, 'IPv4', 'SingleStack']],
  [{ ipFamilies: ['IPv6'] }, [V6, 'IPv6', 'SingleStack']],
  [{ clusterIP: 'fd00:96::1' }, ['fd00:96::1', 'IPv6', 'SingleStack']],
  [{ ipFamilyPolicy: 'PreferDualStack' }, [`${V4},${V6}`, 'IPv4,IPv6', 'PreferDualStack']],
  [{ ipFamilyPolicy: 'RequireDualStack' }, [`${V4},${V6}`, 'IPv4,IPv6', 'RequireDualStack']],
  [
    { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6'] },
    [`${V6},${V4}`, 'IPv6,IPv4', 'RequireDualStack'],
  ],
  [
    { ipFamilyPolicy: 'PreferDualStack', clusterIP: 'fd00:96::1' },
    [`fd00:96::1,${V4}`, 'IPv6,IPv4', 'PreferDualStack'],
  ],
  [
    { ipFamilyPolicy: 'RequireDualStack', clusterIPs: ['fd00:96::1', '10.96.0.9'] },
    ['fd00:96::1,10.96.0.9', 'IPv6,IPv4', 'RequireDualStack'],
  ],
  [{ clusterIP: 'None', selector: { a: 'b' } }, ['None', 'IPv4', 'SingleStack']],
  [
    { clusterIP: 'None', selector: { a: 'b' }, ipFamilyPolicy: 'PreferDualStack' },
    ['None', 'IPv4,IPv6', 'PreferDualStack'],
  ],
];
for (const [spec, wanted] of wishes) {
  test(`of both families, ${JSON.stringify(spec)} gets ${String(wanted[0])}`, () => {
    assert.deepEqual(given(spec), wanted);
  });
}

test('the first range is that of Services which do not say a family', () => {
  const turned = 'fd00:96::/112,10.96.0.0/16';
  assert.deepEqual(given({}, turned), [V6, 'IPv6', 'SingleStack']);
  const both = given({ ipFamilyPolicy: 'PreferDualStack' }, turned);
  assert.deepEqual(both, [`${V6},${V4}`, 'IPv6,IPv4', 'PreferDualStack']);
});

test('with IPv6 alone, what needs IPv4 is refused', () => {
  const alone = 'fd00:96::/112';
  assert.deepEqual(given({ ipFamilyPolicy: 'PreferDualStack' }, alone), [
    V6,
    'IPv6',
    'PreferDualStack',
  ]);
  assert.match(String(given({ ipFamilies: ['IPv4'] }, alone)), /"IPv4": not configured on this/);
  const required = String(given({ ipFamilyPolicy: 'RequireDualStack' }, alone));
  assert.match(required, /this cluster is not configured for dual-stack services/);
  assert.match(String(given({ clusterIP: '10.96.0.9' }, alone)), /IPv4 is not configured on this/);
});

test('several addresses or families need a policy that has several', () => {
  const must = /must be 'RequireDualStack' or 'PreferDualStack' when multiple/;
  assert.match(String(given({ clusterIPs: [V4, V6] })), must);
  assert.match(String(given({ ipFamilies: ['IPv4', 'IPv6'] })), must);
});

test('an address of IPv6 outside of the range, or taken, is refused', () => {
  assert.match(
    String(given({ clusterIP: 'fd00:97::1' })),
    /failed to allocate IP fd00:97::1: the provided IP \(fd00:97::1\) is not in the valid range. The range of valid IPs is fd00:96::\/112/,
  );
  const all = new Allocations({ serviceCidr: DUAL });
  all.claim(service({ clusterIP: 'fd00:96::1' }, 'first'));
  const second = allocateService(service({ clusterIP: 'fd00:96:0::1' }), all);
  assert.ok('error' in second);
  assert.match(formatError(second.error), /provided IP is already allocated/);
});

test('from files, a Service whose second address is taken is served by its first', () => {
  const all = new Allocations({ serviceCidr: DUAL });
  all.claim(service({ clusterIP: 'fd00:96::1' }, 'first'));
  const asked = service({ ipFamilyPolicy: 'PreferDualStack', clusterIPs: [V4, 'fd00:96::1'] });
  const { service: settled, isSatisfied } = settleService(asked, asked, all);
  assert.deepEqual([...shown(settled.spec), isSatisfied], [V4, 'IPv4', 'PreferDualStack', false]);
});

test('who prefers two families and has one keeps it when there come to be two', () => {
  const spec = { ipFamilyPolicy: 'PreferDualStack', clusterIPs: [V4], ipFamilies: ['IPv4'] };
  const stored = service(spec);
  const all = new Allocations({ serviceCidr: DUAL });
  all.claim(stored);
  const result = allocateService(stored, all, stored);
  assert.ok('service' in result);
  assert.deepEqual(shown(result.service.spec), [V4, 'IPv4', 'PreferDualStack']);
});

test('ranges of one family, and ones too large to count, are refused', () => {
  for (const serviceCidr of [
    '10.96.0.0/16,10.97.0.0/16',
    'fd00::/64',
    'fd00::/127',
    'fd00::g/112',
  ]) {
    assert.throws(() => new Allocations({ serviceCidr }), { code: 'FW_BAD_RANGE' }, serviceCidr);
  }
});
