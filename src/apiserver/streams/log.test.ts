import assert from 'node:assert/strict';
import { PassThrough, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../runtime/testing.ts';
import { parseLogOptions, writeLog } from './log.ts';

const never = new AbortController().signal;

test('every option of the query is read', () => {
  const query = new URLSearchParams(
    'container=main&follow=true&previous=1&timestamps&limitBytes=10&stream=Stderr&sinceSeconds=5',
  );
  assert.deepEqual(parseLogOptions(query, 'web'), {
    ok: true,
    options: {
      container: 'main',
      follow: true,
      previous: true,
      timestamps: true,
      tailLines: undefined,
      limitBytes: 10,
      stream: 'stderr',
      sinceSeconds: 5,
      sinceTime: undefined,
    },
  });
});

test('what is wrong with a query is said, each thing', () => {
  const told = (query: string): string => {
    const parsed = parseLogOptions(new URLSearchParams(query), 'web');
    assert.ok(!parsed.ok);
    return `${parsed.status.code} ${parsed.status.message}`;
  };
  assert.equal(
    told('tailLines=-1&limitBytes=0'),
    '422 PodLogOptions "web" is invalid: [tailLines: Invalid value: -1: must be greater than or equal to 0, ' +
      'limitBytes: Invalid value: 0: must be greater than 0]',
  );
  assert.match(told('sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z'), /^422 .*at most one of/);
  assert.match(
    told('tailLines=ten&follow=perhaps'),
    /^400 follow: "perhaps".*; tailLines: "ten" is not/,
  );
  assert.match(told('sinceTime=yesterday'), /^400 sinceTime: "yesterday" is not a time/);
  assert.match(told('stream=Stdout&tailLines=1'), /^422 .*leave it out/);
  assert.match(told('stream=stdout'), /^422 .*must be All, Stdout or Stderr/);
});

async function* lines(...all: readonly string[]): AsyncGenerator<string, void> {
  yield* all;
}

test('lines get their breaks back, and the limit counts bytes', async () => {
  const all = new PassThrough();
  await writeLog(lines('one', 'zwölf', ''), all, never);
  assert.equal(await text(all), 'one\nzwölf\n\n');
  const some = new PassThrough();
  await writeLog(lines('one', 'zwölf', 'three'), some, never, 6);
  assert.equal(await text(some), 'one\nzw');
  const endless = new PassThrough();
  await writeLog(
    (async function* () {
      for (;;) {
        yield 'again';
        await delay(0);
      }
    })(),
    endless,
    never,
    100,
  );
  assert.equal((await text(endless)).length, 100);
});

test('a line that was written goes out although no other follows', async () => {
  const sink = new PassThrough();
  const stop = new AbortController();
  const done = writeLog(
    (async function* () {
      yield 'only';
      await delay(60_000, undefined, { signal: stop.signal }).catch(() => {});
    })(),
    sink,
    stop.signal,
  );
  await until('it is there', () => sink.readableLength === 5);
  stop.abort();
  await done;
});

test('a client that does not read holds up the reading of the log', async () => {
  let read = 0;
  let released = false;
  let held = (): void => {};
  const slow = new Writable({
    highWaterMark: 1000,
    write: (_chunk, _encoding, done) => {
      if (released) done();
      else held = done;
    },
  });
  const done = writeLog(
    (async function* () {
      for (; read < 100_000; read++) yield 'x'.repeat(100);
    })(),
    slow,
    never,
  );
  await delay(200);
  assert.ok(read < 2000, `${read} lines were read`);
  released = true;
  held();
  await done;
  assert.equal(read, 100_000);
});

test('a log that breaks does not look whole', async () => {
  const sink = new PassThrough();
  const failed = new Promise((resolve) => sink.once('error', resolve));
  await writeLog(
    (async function* () {
      yield 'one';
      throw new Error('disk on fire');
    })(),
    sink,
    never,
  );
  assert.match(String(await failed), /disk on fire/);
});
