// What is told of requests: lines of the access log, ids and traces, records of diagnostics channels.

import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Clock } from '../clock.ts';
import { newCounters } from '../counters.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import type { Receiver, RequestHead, ServerStream } from '../stream.ts';
import { Durations, newTallyMemory, readTally, tallyIn } from '../tally.ts';
import { AccessLog } from './access-log.ts';
import { formatRecord } from './log-line.ts';
import { NO_OBSERVATION, Observer } from './observer.ts';
import type { Observation } from './observer.ts';
import type { RequestRecord } from './record.ts';
import { withRequestId, withTrace } from './trace-context.ts';

const RECORD: RequestRecord = {
  startedMs: Date.UTC(2026, 1, 3, 4, 5, 6, 789),
  client: '127.0.0.1',
  protocol: 'HTTP/1.1',
  scheme: 'http',
  method: 'GET',
  authority: 'shop.example',
  target: '/a?b=c',
  requestId: 'id',
  userAgent: 'curl',
  referer: '',
  rule: 'HTTPRoute shop/storefront rule 0',
  backend: 'Service shop/cart:80',
  endpoint: '127.0.0.1:8080',
  attempts: 1,
  status: 200,
  bytesIn: 0,
  bytesOut: 12,
  durationMs: 1.23456,
  end: 'done',
};

const GET: RequestHead = {
  method: 'GET',
  target: '/x',
  authority: 'a',
  scheme: 'http',
  fields: ['user-agent', 'u'],
  contentLength: 0,
  protocol: '',
  expectContinue: false,
};

describe('the access log', () => {
  it('has the Common Log Format', () => {
    assert.equal(
      formatRecord(RECORD, 'common'),
      '127.0.0.1 - - [03/Feb/2026:04:05:06 +0000] "GET /a?b=c HTTP/1.1" 200 12\n',
    );
  });

  it('has one JSON object for each line', () => {
    const line = JSON.parse(formatRecord(RECORD, 'json')) as Record<string, unknown>;
    assert.equal(line['time'], '2026-02-03T04:05:06.789Z');
    assert.equal(line['durationMs'], 1.235);
    assert.equal(line['endpoint'], '127.0.0.1:8080');
  });

  it('lets nothing a client sends end a line, or a quoted part of it', () => {
    const byte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
    const latin1 = fc.array(byte, { maxLength: 40 }).map((chars) => chars.join(''));
    fc.assert(
      fc.property(latin1, latin1, (target, userAgent) => {
        const record = { ...RECORD, target, userAgent };
        assert.match(formatRecord(record, 'common'), /^[^"\n]*"[\x20\x21\x23-\x7e]*" 200 12\n$/);
        const json = formatRecord(record, 'json');
        assert.equal(json.indexOf('\n'), json.length - 1);
        assert.equal((JSON.parse(json) as RequestRecord).target, target);
      }),
    );
  });

  it('is written to a file, and drops what it cannot hold', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fairway-log-'));
    const counters = newCounters();
    const clock = new Clock();
    const limits = { ...DEFAULT_LIMITS, logBytesMax: 10 };
    const log = new AccessLog({ path: join(folder, 'log'), limits, clock, counters });
    log.add('one\n');
    log.add('two\n');
    log.add('too much\n');
    await log.flush();
    log.add('three\n');
    await log.flush();
    assert.equal(readFileSync(join(folder, 'log'), 'utf8'), 'one\ntwo\nthree\n');
    assert.equal(counters.logLinesDropped, 1);
    const nowhere = new AccessLog({ path: join(folder, 'no/such/log'), limits, clock, counters });
    nowhere.add('x\n');
    await nowhere.flush();
    assert.equal(counters.logLinesDropped, 2);
    rmSync(folder, { recursive: true });
  });
});

describe('ids', () => {
  it('are passed on when they can be written anywhere, and made when they cannot', () => {
    assert.deepEqual(withRequestId(['X-Request-Id', 'a-1']), {
      fields: ['X-Request-Id', 'a-1'],
      id: 'a-1',
    });
    for (const bad of ['', 'a b', 'a"', 'x'.repeat(129)]) {
      const { fields, id } = withRequestId(['x-request-id', bad, 'a', 'b']);
      assert.match(id, /^[0-9a-f]{32}$/);
      assert.deepEqual(fields, ['a', 'b', 'x-request-id', id]);
    }
    assert.notEqual(withRequestId([]).id, withRequestId([]).id);
  });

  it('of a valid trace are passed on untouched, with its state', () => {
    const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    for (const valid of [trace, `01${trace.slice(2)}`, `cc${trace.slice(2)}-future`]) {
      const fields = ['traceparent', valid, 'tracestate', 'a=b'];
      assert.equal(withTrace(fields), fields);
    }
    for (const bad of [
      'x',
      `ff${trace.slice(2)}`,
      `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
      `00-4bf92f3577b34da6a3ce929d0e0e4736-${'0'.repeat(16)}-01`,
      trace.toUpperCase(),
    ]) {
      const fields = withTrace(['TraceParent', bad, 'tracestate', 'a=b', 'c', 'd']);
      assert.deepEqual(fields.slice(0, 3), ['c', 'd', 'traceparent']);
      assert.match(fields[3]!, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    }
  });
});

describe('an observer', () => {
  class Sent {
    readonly record = null;
    readonly fields: string[] = [];
    sendInterim(): void {}
    sendHead(head: { readonly fields: readonly string[] }): void {
      this.fields.push(...head.fields);
    }
    sendBody(): boolean {
      return true;
    }
    sendEnd(): void {}
    startTunnel(): void {}
    reset(): void {}
    pause(): void {}
    resume(): void {}
  }

  const receiver: Receiver = {
    onBody: () => undefined,
    onEnd: () => undefined,
    onReset: () => undefined,
    onDrain: () => undefined,
  };

  function make(observation: Partial<Observation> = {}) {
    const memory = newTallyMemory();
    const { counters, durations } = tallyIn(memory);
    const observer = new Observer({
      observation: { ...NO_OBSERVATION, ...observation },
      durations,
      limits: DEFAULT_LIMITS,
      clock: new Clock(),
      counters,
    });
    const stream = new Sent();
    let inner: ServerStream | undefined;
    let told: RequestHead | undefined;
    const start = (): Receiver =>
      observer.observe(stream, GET, { address: 'c', protocol: 'HTTP/2.0' }, (s, head) => {
        inner = s;
        told = head;
        return receiver;
      });
    return { observer, memory, stream, start, inner: () => inner!, told: () => told! };
  }

  it('looks only when somebody asks', () => {
    const { observer } = make();
    assert.equal(observer.looks, false);
    const listener = (): void => undefined;
    subscribe('fairway:request', listener);
    assert.equal(observer.looks, true);
    unsubscribe('fairway:request', listener);
    assert.equal(observer.looks, false);
    assert.equal(make({ measures: true }).observer.looks, true);
  });

  it('tells subscribers of each request once, when it is over', () => {
    const seen: RequestRecord[] = [];
    const listener = (record: unknown): void => void seen.push(record as RequestRecord);
    subscribe('fairway:request', listener);
    const one = make();
    const body = one.start();
    body.onBody(Buffer.from('abc'));
    one.inner().record!.rule = 'r';
    one.inner().sendHead({ status: 200, fields: [], contentLength: -1 }, false);
    one.inner().sendBody(Buffer.from('hello'));
    assert.equal(seen.length, 0);
    one.inner().sendEnd(null);
    body.onReset('closed');
    const other = make();
    other.start().onReset('closed');
    other.observer.refused('c', 'http', 400);
    unsubscribe('fairway:request', listener);
    const parts = seen.map(({ status, bytesIn, bytesOut, rule, end }) => [
      status,
      bytesIn,
      bytesOut,
      rule,
      end,
    ]);
    assert.deepEqual(parts, [
      [200, 3, 5, 'r', 'done'],
      [0, 0, 0, '', 'reset'],
      [400, 0, 0, '', 'done'],
    ]);
  });

  it('gives the backend and the client the same id', () => {
    const { start, inner, told, stream } = make({ requestIds: true, beginsTraces: true });
    start();
    const { fields } = told();
    const id = fields[fields.indexOf('x-request-id') + 1]!;
    assert.ok(fields.includes('traceparent'));
    inner().sendHead({ status: 204, fields: [], contentLength: 0 }, true);
    assert.deepEqual(stream.fields, ['x-request-id', id]);
    assert.deepEqual(GET.fields, ['user-agent', 'u']);
  });

  it('counts durations and statuses', () => {
    const { start, inner, memory } = make({ measures: true });
    start();
    inner().sendHead({ status: 404, fields: [], contentLength: 0 }, true);
    const { buckets, statuses, seconds } = readTally(memory);
    assert.equal(
      buckets.reduce((a, b) => a + b),
      1,
    );
    assert.deepEqual(statuses, [0, 0, 0, 1, 0]);
    assert.ok(seconds > 0);
    const durations = new Durations(new Float64Array(30));
    durations.add(1e6, 999);
  });
});
