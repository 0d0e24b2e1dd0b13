import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { allocatePodAddresses } from './addresses.ts';
import { pod } from './testing.ts';

const CIDR = '127.244.0.0/16';

function allocate(
  pods: Parameters<typeof allocatePodAddresses>[0],
  cidr = CIDR,
  held: Record<string, string> = {},
): Record<string, string> {
  return Object.fromEntries(allocatePodAddresses(pods, cidr, new Map(Object.entries(held))));
}

test('pods get the lowest addresses in the order of namespace and name', () => {
  const pods = [
    pod({ name: 'b', namespace: 'shop' }),
    pod({ name: 'a', namespace: 'shop' }),
    pod({ name: 'z', namespace: 'auth' }),
  ];
  assert.deepEqual(allocate(pods), {
    'auth/z': '127.244.0.1',
    'shop/a': '127.244.0.2',
    'shop/b': '127.244.0.3',
  });
});

test('a pod keeps the address it has, and the others go around it', () => {
  const pods = [pod({ name: 'a' }), pod({ name: 'b', status: { podIP: '127.244.0.1' } })];
  assert.deepEqual(allocate(pods), { 'default/a': '127.244.0.2', 'default/b': '127.244.0.1' });
});

test('of two pods with one address the first keeps it', () => {
  const status = { podIP: '127.244.0.9' };
  const pods = [pod({ name: 'b', status }), pod({ name: 'a', status })];
  assert.deepEqual(allocate(pods), { 'default/a': '127.244.0.9', 'default/b': '127.244.0.1' });
});

test('an address from another cluster is not kept', () => {
  const pods = ['10.244.1.5', '127.244.0.0', '127.244.255.255', 'fd00::1', 'nonsense'].map(
    (podIP, i) => pod({ name: `p${i}`, status: { podIP } }),
  );
  assert.deepEqual(Object.values(allocate(pods)), [
    '127.244.0.1',
    '127.244.0.2',
    '127.244.0.3',
    '127.244.0.4',
    '127.244.0.5',
  ]);
});

test('what a running pod holds wins over what a status says, also when the pod is gone', () => {
  const pods = [
    pod({ name: 'a', uid: 'u1', status: { podIP: '127.244.0.7' } }),
    pod({ name: 'b' }),
  ];
  const held = { u1: '127.244.0.2', u9: '127.244.0.1' };
  assert.deepEqual(allocate(pods, CIDR, held), {
    'default/a': '127.244.0.2',
    'default/b': '127.244.0.3',
  });
});

test('a pod with hostNetwork is at 127.0.0.1', () => {
  const pods = [pod({ name: 'a', spec: { hostNetwork: true } }), pod({ name: 'b' })];
  assert.deepEqual(allocate(pods), { 'default/a': '127.0.0.1', 'default/b': '127.244.0.1' });
});

test('a pod that has ended needs no address', () => {
  const pods = [pod({ name: 'a', status: { phase: 'Succeeded', podIP: '127.244.0.1' } })];
  assert.deepEqual(allocate([...pods, pod({ name: 'b' })]), { 'default/b': '127.244.0.1' });
});

test('addresses that end in 0, the network and the broadcast address are not given', () => {
  const many = Array.from({ length: 300 }, (_, i) =>
    pod({ name: `p${String(i).padStart(4, '0')}` }),
  );
  const addresses = Object.values(allocate(many));
  assert.equal(addresses.length, 300);
  assert.ok(!addresses.some((address) => address.endsWith('.0')));
  const few = allocate(many.slice(0, 9), '127.244.3.8/29');
  assert.deepEqual(
    Object.values(few),
    [9, 10, 11, 12, 13, 14].map((last) => `127.244.3.${last}`),
  );
});

test('in a range of one address all pods share it', () => {
  const pods = [pod({ name: 'a' }), pod({ name: 'b' })];
  assert.deepEqual(allocate(pods, '127.0.0.1/32'), {
    'default/a': '127.0.0.1',
    'default/b': '127.0.0.1',
  });
});

test('what is no range is refused', () => {
  for (const cidr of ['', '127.244.0.0', '127.244.0.0/33', 'fd00::/64', '1.2.3/8']) {
    assert.throws(() => allocate([], cidr), { code: 'FW_BAD_RANGE' }, cidr);
  }
});

test('no two pods ever share an address, and one more pod moves nobody', () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,4}$/), { maxLength: 40 });
  fc.assert(
    fc.property(names, fc.stringMatching(/^[a-z]{5}$/), (all, extra) => {
      const pods = all.map((name) => pod({ name, uid: `uid-${name}` }));
      const first = allocate(pods);
      assert.equal(new Set(Object.values(first)).size, all.length);
      const held = Object.fromEntries(
        Object.entries(first).map(([key, ip]) => [`uid-${key.split('/')[1]}`, ip]),
      );
      const second = allocate([...pods, pod({ name: extra })], CIDR, held);
      for (const [key, ip] of Object.entries(first)) assert.equal(second[key], ip);
      assert.equal(new Set(Object.values(second)).size, all.length + 1);
    }),
    { numRuns: 50 },
  );
});
