import assert from 'node:assert/strict';
import { mkdirSync, appendFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import fc from 'fast-check';
import { temporaryFolder, until } from '../testing.ts';
import { formatRecord } from './cri.ts';
import type { LogStream } from './cri.ts';
import { currentLog, previousLog, rotatedLog } from './paths.ts';
import type { LogName } from './paths.ts';
import { readLog } from './read-log.ts';
import type { ReadLogOptions } from './read-log.ts';

function nameIn(t: TestContext): LogName {
  const name = { stateDir: temporaryFolder(t), namespace: 'shop', pod: 'web', container: 'main' };
  mkdirSync(dirname(currentLog(name)), { recursive: true });
  return name;
}

function record(text: string, seconds = 0, stream: LogStream = 'stdout', partial = false): Buffer {
  const time = new Date(Date.UTC(2026, 4, 4, 10, 0, seconds));
  return formatRecord(time, stream, partial, Buffer.from(text));
}

const numbered = (from: number, to: number): Buffer =>
  Buffer.concat(Array.from({ length: to - from }, (_, i) => record(`line ${from + i}`, from + i)));

async function read(options: ReadLogOptions): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const line of readLog(options)) lines.push(line);
  return lines;
}

const texts = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from }, (_, i) => `line ${from + i}`);

test('a container that never wrote has no lines', async (t) => {
  assert.deepEqual(await read(nameIn(t)), []);
});

test('the rotated file comes before the current one, and tail reaches into it', async (t) => {
  const name = nameIn(t);
  writeFileSync(rotatedLog(currentLog(name)), numbered(0, 10));
  writeFileSync(currentLog(name), numbered(10, 15));
  assert.deepEqual(await read(name), texts(0, 15));
  assert.deepEqual(await read({ ...name, tail: 3 }), texts(12, 15));
  assert.deepEqual(await read({ ...name, tail: 5 }), texts(10, 15));
  assert.deepEqual(await read({ ...name, tail: 8 }), texts(7, 15));
  assert.deepEqual(await read({ ...name, tail: 99 }), texts(0, 15));
  assert.deepEqual(await read({ ...name, tail: 0 }), []);
});

test('lines since a time, as seconds or as a time', async (t) => {
  const name = nameIn(t);
  writeFileSync(currentLog(name), numbered(0, 10));
  const now = (): Date => new Date(Date.UTC(2026, 4, 4, 10, 0, 10));
  assert.deepEqual(await read({ ...name, sinceSeconds: 3, now }), texts(7, 10));
  assert.deepEqual(await read({ ...name, sinceTime: '2026-05-04T12:00:08+02:00' }), texts(8, 10));
  assert.deepEqual(await read({ ...name, sinceSeconds: 5, tail: 2, now }), texts(8, 10));
});

test('timestamps are put before the lines', async (t) => {
  const name = nameIn(t);
  writeFileSync(currentLog(name), record('hello', 7));
  assert.deepEqual(await read({ ...name, timestamps: true }), [
    '2026-05-04T10:00:07.000000000Z hello',
  ]);
});

test('parts of a line are joined though the other stream writes in between, and count as one', async (t) => {
  const name = nameIn(t);
  writeFileSync(
    currentLog(name),
    Buffer.concat([
      record('before'),
      record('a', 1, 'stdout', true),
      record('error', 1, 'stderr'),
      record('b', 2, 'stdout', true),
      record('c', 2, 'stdout'),
    ]),
  );
  assert.deepEqual(await read(name), ['before', 'error', 'abc']);
  assert.deepEqual(await read({ ...name, tail: 2 }), ['error', 'abc']);
});

test('what is no record, as after a crash of the machine, is skipped', async (t) => {
  const name = nameIn(t);
  writeFileSync(
    currentLog(name),
    Buffer.concat([
      Buffer.from('garbage\n\0\0\0\n'),
      record('good'),
      record('torn').subarray(0, 20),
    ]),
  );
  assert.deepEqual(await read(name), ['good']);
});

test('the previous container’s log is read alone', async (t) => {
  const name = nameIn(t);
  writeFileSync(previousLog(name), numbered(0, 3));
  writeFileSync(currentLog(name), numbered(3, 6));
  assert.deepEqual(await read({ ...name, previous: true }), texts(0, 3));
});

test('tail gives the last lines of any file, however long they are', async (t) => {
  const name = nameIn(t);
  const lengths = fc.array(fc.integer({ min: 0, max: 30_000 }), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(lengths, fc.nat(35), async (sizes, tail) => {
      const all = sizes.map((size, i) => `${i}:${'x'.repeat(size)}`);
      writeFileSync(currentLog(name), Buffer.concat(all.map((text) => record(text))));
      assert.deepEqual(await read({ ...name, tail }), tail === 0 ? [] : all.slice(-tail));
    }),
    { numRuns: 60 },
  );
});

test('a followed log goes on over rotation and restart until it is told to end', async (t) => {
  const name = nameIn(t);
  const path = currentLog(name);
  writeFileSync(path, numbered(0, 5));
  const lines: string[] = [];
  const end = new AbortController();
  const following = (async () => {
    for await (const line of readLog({ ...name, follow: true, tail: 2 }, end.signal))
      lines.push(line);
  })();
  await until('it has begun', () => lines.length === 2);
  appendFileSync(path, numbered(5, 7));
  appendFileSync(path, record('half').subarray(0, 30));
  await until('what was appended is there', () => lines.length === 4);
  appendFileSync(path, record('half').subarray(30));
  await until('the half line is whole', () => lines.at(-1) === 'half');
  appendFileSync(path, numbered(7, 8));
  renameSync(path, rotatedLog(path));
  writeFileSync(path, numbered(8, 9));
  await until('the rotated file was read to its end', () => lines.at(-1) === 'line 8');
  renameSync(path, previousLog(name));
  writeFileSync(path, numbered(9, 10));
  await until('the restarted container is followed', () => lines.at(-1) === 'line 9');
  appendFileSync(path, numbered(10, 11));
  end.abort();
  await following;
  assert.deepEqual(lines, [...texts(3, 7), 'half', ...texts(7, 11)]);
});

test('a log can be followed before there is one, and after it is gone', async (t) => {
  const name = nameIn(t);
  const end = new AbortController();
  const lines: string[] = [];
  const following = (async () => {
    for await (const line of readLog({ ...name, follow: true }, end.signal)) lines.push(line);
  })();
  writeFileSync(currentLog(name), numbered(0, 1));
  await until('it is there', () => lines.length === 1);
  rmSync(dirname(currentLog(name)), { recursive: true });
  end.abort();
  await following;
  assert.deepEqual(lines, texts(0, 1));
});

test('one of the two outputs can be read alone, with its own long lines', async (t) => {
  const name = nameIn(t);
  const records = [
    record('out 1'),
    record('err ', 0, 'stderr', true),
    record('out 2'),
    record('whole', 0, 'stderr'),
  ];
  writeFileSync(currentLog(name), Buffer.concat(records));
  assert.deepEqual(await read({ ...name, stream: 'stdout' }), ['out 1', 'out 2']);
  assert.deepEqual(await read({ ...name, stream: 'stderr' }), ['err whole']);
});
