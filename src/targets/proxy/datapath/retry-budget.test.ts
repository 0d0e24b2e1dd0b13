import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RetryMeter } from './retry-budget.ts';

const BUDGET = { percent: 20, intervalMs: 10_000, minRetries: 0, minIntervalMs: 1000 };

function retries(meter: RetryMeter, nowMs: number, tries: number): number {
  let made = 0;
  for (let i = 0; i < tries; i++) if (meter.mayRetry(nowMs)) made++;
  return made;
}

describe('a budget of retries', () => {
  it('lets a fifth of all requests be retries', () => {
    const meter = new RetryMeter(BUDGET);
    for (let i = 0; i < 800; i++) meter.request(i);
    assert.equal(retries(meter, 900, 1000), 200);
  });

  it('forgets requests when their time is over', () => {
    const meter = new RetryMeter(BUDGET);
    for (let i = 0; i < 800; i++) meter.request(0);
    assert.equal(retries(meter, 12_000, 10), 0);
  });

  it('gives retries back when their time is over', () => {
    const meter = new RetryMeter(BUDGET);
    for (let i = 0; i < 80; i++) meter.request(0);
    assert.equal(retries(meter, 0, 100), 20);
    for (let i = 0; i < 80; i++) meter.request(12_000);
    assert.equal(retries(meter, 12_000, 100), 20);
  });

  it('lets some be made however few requests there are', () => {
    const meter = new RetryMeter({ ...BUDGET, minRetries: 3 });
    meter.request(0);
    assert.equal(retries(meter, 0, 10), 3);
    assert.equal(retries(meter, 500, 10), 0);
    assert.equal(retries(meter, 1200, 10), 3);
  });

  it('lets none be made with 0 percent, and all with 100', () => {
    const none = new RetryMeter({ ...BUDGET, percent: 0 });
    none.request(0);
    assert.equal(retries(none, 0, 10), 0);
    const all = new RetryMeter({ ...BUDGET, percent: 100 });
    assert.equal(retries(all, 0, 10), 10);
  });

  it('never lets more be made than a count of everything would', () => {
    const event = fc.record({ isRetry: fc.boolean(), waitMs: fc.nat(3000) });
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 200 }),
        fc.integer({ min: 0, max: 100 }),
        (events, percent) => {
          const meter = new RetryMeter({ ...BUDGET, percent });
          const requests: number[] = [];
          const made: number[] = [];
          let nowMs = 0;
          for (const { isRetry, waitMs } of events) {
            nowMs += waitMs;
            if (!isRetry) {
              meter.request(nowMs);
              requests.push(nowMs);
            } else if (meter.mayRetry(nowMs)) {
              made.push(nowMs);
              const within = (times: number[], spanMs: number) =>
                times.filter((time) => time > nowMs - spanMs).length;
              // Steps of a tenth: what is counted is at least what nine tenths of the time had.
              const recent = within(made, (BUDGET.intervalMs * 9) / 10);
              const all = within(requests, BUDGET.intervalMs) + within(made, BUDGET.intervalMs);
              assert.ok(recent * 100 <= percent * all, `${recent} of ${all} at ${nowMs}`);
            }
          }
        },
      ),
    );
  });
});
