// How requests are spread over endpoints: by what is outstanding, in turn, by source; and what becomes of
// endpoints that fail, are new, or are all bad.

import assert from 'node:assert/strict';
import { beforeEach, describe, it, mock } from 'node:test';
import { Backend } from './backend.ts';
import { newCounters } from './counters.ts';
import type { Counters } from './counters.ts';
import type { Endpoint } from './endpoint.ts';
import { Health } from './health.ts';
import { DEFAULT_LIMITS } from './limits.ts';

interface Fake {
  readonly address: string;
  readonly port: number;
  outstanding: number;
  readonly health: Health;
}

describe('a backend', () => {
  let counters: Counters;
  let nowMs = 0;
  mock.method(performance, 'now', () => nowMs);

  beforeEach(() => {
    counters = newCounters();
    nowMs = 1000;
  });

  function make(count: number, balance: Backend['balance'] = 'leastRequests') {
    const endpoints = Array.from({ length: count }, (_, i): Fake => ({
      address: `10.0.0.${i}`,
      port: 80,
      outstanding: 0,
      health: new Health(DEFAULT_LIMITS, counters),
    }));
    const backend = new Backend('b');
    backend.balance = balance;
    backend.endpoints = endpoints as unknown as Endpoint[];
    const pick = (tried: readonly Fake[] = [], client = ''): Fake | null =>
      backend.pick(tried as unknown as Endpoint[], client) as unknown as Fake | null;
    /** How many of `requests` each endpoint gets. */
    const spread = (requests: number, client = ''): number[] => {
      const counts = endpoints.map(() => 0);
      for (let i = 0; i < requests; i++) counts[endpoints.indexOf(pick([], client)!)]!++;
      return counts;
    };
    return { backend, endpoints, pick, spread };
  }

  const fail = ({ health }: Fake, times: number): void => {
    for (let i = 0; i < times; i++) health.failed();
  };

  it('without endpoints gives none', () => {
    assert.equal(make(0).pick(), null);
    assert.equal(make(0, 'sourceHash').pick(), null);
  });

  it('prefers the endpoint with fewer requests outstanding', () => {
    const { endpoints, spread } = make(2);
    endpoints[0]!.outstanding = 3;
    assert.deepEqual(spread(50), [0, 50]);
  });

  it('spreads evenly over endpoints with as many outstanding', () => {
    for (const count of make(4).spread(4000)) assert.ok(count > 800 && count < 1200);
  });

  it('gives each its turn with round robin, and passes over what was tried', () => {
    const { endpoints, pick, spread } = make(3, 'roundRobin');
    assert.deepEqual(spread(30), [10, 10, 10]);
    for (let i = 0; i < 6; i++) assert.notEqual(pick([endpoints[1]!]), endpoints[1]);
    assert.equal(pick(endpoints), null);
  });

  it('sends a client to the same endpoint with source hash, whatever the worker', () => {
    const [one, other] = [make(5, 'sourceHash'), make(5, 'sourceHash')];
    const chosen = new Set<string>();
    for (let i = 0; i < 200; i++) {
      const client = `192.0.2.${i}`;
      const first = one.pick([], client)!;
      assert.equal(first, one.pick([], client));
      assert.equal(first.address, other.pick([], client)?.address);
      chosen.add(first.address);
    }
    assert.equal(chosen.size, 5);
  });

  it('sends the clients of an ejected endpoint to the others, and back when it is well', () => {
    const { endpoints, pick } = make(4, 'sourceHash');
    const clients = Array.from({ length: 400 }, (_, i) => `192.0.2.${i}`);
    const before = clients.map((client) => pick([], client)!);
    fail(endpoints[0]!, DEFAULT_LIMITS.ejectAfterFailures);
    const during = clients.map((client) => pick([], client)!);
    const others = new Set<Fake>();
    clients.forEach((_, i) => {
      if (before[i] !== endpoints[0]) assert.equal(during[i], before[i]);
      else others.add(during[i]!);
    });
    assert.deepEqual(others.size, 3);
    endpoints[0]!.health.succeeded();
    assert.deepEqual(
      clients.map((client) => pick([], client)),
      before,
    );
  });

  it('passes over an endpoint that failed five times in a row, for half a second', () => {
    const { endpoints, spread } = make(3);
    fail(endpoints[0]!, 4);
    endpoints[0]!.health.succeeded();
    fail(endpoints[0]!, 4);
    assert.ok(spread(100)[0]! > 0);
    fail(endpoints[0]!, 1);
    assert.equal(spread(100)[0], 0);
    assert.equal(counters.ejections, 1);
    nowMs += DEFAULT_LIMITS.ejectionMs;
    assert.ok(spread(100)[0]! > 0);
  });

  it('tries an endpoint that comes back with one request, and longer ejections follow failures', () => {
    const { endpoints, spread } = make(3);
    const bad = endpoints[0]!;
    fail(bad, 5);
    nowMs += DEFAULT_LIMITS.ejectionMs;
    bad.outstanding = 1;
    assert.equal(spread(100)[0], 0, 'its one request is under way');
    fail(bad, 1);
    bad.outstanding = 0;
    nowMs += DEFAULT_LIMITS.ejectionMs;
    assert.equal(spread(100)[0], 0, 'twice as long');
    nowMs += DEFAULT_LIMITS.ejectionMs;
    assert.ok(spread(100)[0]! > 0);
    for (let i = 0; i < 5; i++) {
      fail(bad, 1);
      nowMs += DEFAULT_LIMITS.ejectionMsMax;
      assert.ok(spread(100)[0]! > 0, 'never longer than the limit');
    }
    bad.health.succeeded();
    bad.outstanding = 1;
    assert.equal(bad.health.impaired, false);
  });

  it('uses all endpoints when more than half are ejected', () => {
    const { endpoints, spread } = make(4);
    for (const endpoint of endpoints.slice(0, 2)) fail(endpoint, 5);
    assert.deepEqual(spread(100).slice(0, 2), [0, 0]);
    fail(endpoints[2]!, 5);
    for (const count of spread(400)) assert.ok(count > 0);
    assert.ok(counters.panics > 0);
  });

  it('gives a new endpoint its share little by little', () => {
    const { endpoints, spread } = make(2);
    endpoints[1]!.health.warm();
    const early = spread(2000)[1]!;
    nowMs += DEFAULT_LIMITS.slowStartMs / 2;
    const half = spread(2000)[1]!;
    nowMs += DEFAULT_LIMITS.slowStartMs;
    const late = spread(2000)[1]!;
    assert.ok(early > 0 && early < half && half < late, `${early} ${half} ${late}`);
    assert.ok(late > 850);
    assert.equal(endpoints[1]!.health.impaired, false);
  });
});
