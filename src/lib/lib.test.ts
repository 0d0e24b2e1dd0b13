import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { lockAddress } from './address-lock.ts';
import { deepEqual } from './equal.ts';
import { formatIPv4, parseIPv4, parseRange, rangeHas } from './ipv4.ts';
import { nearest } from './nearest.ts';
import { portOwner } from './port-owner.ts';
import { formatTable } from './table.ts';

describe('equality', () => {
  it('is of content, whatever the order of keys', () => {
    assert.ok(deepEqual({ a: 1, b: [{ c: null }] }, { b: [{ c: null }], a: 1 }));
    assert.ok(deepEqual({ a: undefined }, {}));
    for (const [a, b] of [
      [{ a: 1 }, { a: 2 }],
      [{ a: 1 }, { a: 1, b: 2 }],
      [
        [1, 2],
        [2, 1],
      ],
      [[], {}],
      [null, {}],
      ['1', 1],
    ]) {
      assert.ok(!deepEqual(a, b), JSON.stringify([a, b]));
    }
  });
});

describe('the nearest word', () => {
  it('is the one it was most likely meant to be, or none', () => {
    assert.equal(nearest('backendRef', ['matches', 'backendRefs', 'filters']), 'backendRefs');
    assert.equal(nearest('Hostnames', ['hostnames']), 'hostnames');
    assert.equal(nearest('xyz', ['matches', 'name']), undefined);
    assert.equal(nearest('a', []), undefined);
  });
});

describe('an IPv4 range', () => {
  it('has its addresses', () => {
    const range = parseRange('127.96.7.0/16');
    assert.ok(range);
    assert.equal(formatIPv4(range.first), '127.96.0.0');
    assert.equal(formatIPv4(range.last), '127.96.255.255');
    assert.ok(rangeHas(range, parseIPv4('127.96.3.4') ?? 0));
    assert.ok(!rangeHas(range, parseIPv4('127.97.0.0') ?? 0));
  });

  it('is none of these', () => {
    for (const text of ['', '10.0.0.0', '10.0.0/8', '10.0.0.0/33', '10.0.0.256/8', '010.0.0.0/8']) {
      assert.equal(parseRange(text), undefined, text);
    }
  });
});

describe('a table', () => {
  it('aligns its columns as kubectl does', () => {
    assert.deepEqual(
      formatTable(
        ['NAME', 'READY'],
        [
          ['a-long-name', '1/1'],
          ['b', ''],
        ],
      ),
      ['NAME          READY', 'a-long-name   1/1', 'b             <none>'],
    );
  });
});

describe('a lock on an address', () => {
  it('is had by one at a time', async () => {
    const address = '127.80.250.250';
    const first = await lockAddress(address);
    assert.ok(first);
    assert.equal(await lockAddress(address), undefined);
    first.release();
    const second = await lockAddress(address);
    assert.ok(second);
    second.release();
  });
});

describe('the owner of a port', () => {
  it(
    'is found by its sockets',
    { skip: process.platform !== 'linux' && 'needs /proc' },
    async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      assert.equal((await portOwner('127.0.0.1', port))?.pid, process.pid);
      await new Promise((resolve) => server.close(resolve));
      assert.equal(await portOwner('127.0.0.1', port), undefined);
    },
  );
});
