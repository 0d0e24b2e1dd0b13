import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { temporaryFolder, until } from '../testing.ts';
import { LineSplitter, RECORD_BYTES_MAX } from './line-splitter.ts';
import { LogWriter } from './log-writer.ts';
import { currentLog, podLogDirectory, previousLog, rotatedLog } from './paths.ts';
import { readLog } from './read-log.ts';
import type { ReadLogOptions } from './read-log.ts';

const NOW = new Date('2026-05-04T10:00:00.123Z');

function writerIn(t: TestContext, fileBytesMax?: number) {
  const name = { stateDir: temporaryFolder(t), namespace: 'shop', pod: 'web-0', container: 'main' };
  const errors: unknown[] = [];
  const writer = new LogWriter({
    name,
    now: () => NOW,
    onError: (error) => errors.push(error),
    ...(fileBytesMax === undefined ? {} : { fileBytesMax }),
  });
  t.after(() => writer.close());
  return { name, writer, errors };
}

async function linesOf(options: ReadLogOptions): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const line of readLog(options)) lines.push(line);
  return lines;
}

test('output becomes records of the container runtime interface, for the user alone', async (t) => {
  const { name, writer, errors } = writerIn(t);
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  writer.attach(stdout, 'stdout');
  writer.attach(stderr, 'stderr');
  stdout.write('hello\nwor');
  stdout.end('ld\n\nlast');
  await until('stdout was read', () => stdout.closed);
  stderr.end('oops\n');
  await until('stderr was read', () => stderr.closed);
  await writer.close();
  assert.equal(
    readFileSync(currentLog(name), 'utf8'),
    [
      '2026-05-04T10:00:00.123000000Z stdout F hello',
      '2026-05-04T10:00:00.123000000Z stdout F world',
      '2026-05-04T10:00:00.123000000Z stdout F ',
      '2026-05-04T10:00:00.123000000Z stdout F last',
      '2026-05-04T10:00:00.123000000Z stderr F oops',
      '',
    ].join('\n'),
  );
  assert.equal(statSync(currentLog(name)).mode & 0o777, 0o600);
  assert.equal(statSync(podLogDirectory(name)).mode & 0o777, 0o700);
  assert.equal(writer.tail(), 'hello\nworld\n\nlast\noops');
  assert.deepEqual(errors, []);
});

test('however output is cut into chunks, the same lines come out, none too long', () => {
  const text = fc.array(
    fc.constantFrom('a', 'bc', '\n', '\n\n', 'x'.repeat(RECORD_BYTES_MAX), 'é'),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(
      text,
      fc.array(fc.integer({ min: 1, max: 40_000 }), { maxLength: 8 }),
      (parts, cuts) => {
        const all = Buffer.from(parts.join(''));
        const lines: string[] = [];
        let line = Buffer.alloc(0);
        const splitter = new LineSplitter((piece, partial) => {
          assert.ok(piece.length <= RECORD_BYTES_MAX);
          line = Buffer.concat([line, piece]);
          if (partial) return;
          lines.push(line.toString());
          line = Buffer.alloc(0);
        });
        let at = 0;
        for (const cut of [...cuts, all.length]) {
          splitter.push(all.subarray(at, at + cut));
          at += cut;
        }
        splitter.flush();
        const wanted = all.toString().split('\n');
        if (wanted.at(-1) === '') wanted.pop();
        assert.deepEqual(lines, wanted);
      },
    ),
  );
});

test('a line that is too long is written in parts and read as one', async (t) => {
  const { name, writer } = writerIn(t);
  const long = 'é'.repeat(RECORD_BYTES_MAX);
  writer.line('stdout', long);
  writer.line('stdout', 'short');
  await writer.close();
  const tags = readFileSync(currentLog(name), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ')[2]);
  assert.deepEqual(tags, ['P', 'F', 'F']);
  assert.deepEqual(await linesOf(name), [long, 'short']);
});

test('a full file is moved aside, and only one old file is kept', async (t) => {
  const { name, writer } = writerIn(t, 2000);
  for (let i = 0; i < 100; i++) {
    writer.line('stdout', `line ${i}`);
    if (i % 10 === 9) await writer.close();
    // Closing forgets the file; what is counted must be its size on disk.
    if (i === 49) assert.ok(statSync(currentLog(name)).size <= 2600);
  }
  await writer.close();
  writer.line('stdout', 'after');
  await writer.close();
  const files = readdirSync(podLogDirectory(name)).toSorted();
  assert.ok(files.length <= 2);
  assert.equal((await linesOf(name)).at(-1), 'after');
});

test('rotation in the middle of a busy container loses no line between the two files', async (t) => {
  const { name, writer, errors } = writerIn(t, 4000);
  const source = new PassThrough();
  writer.attach(source, 'stdout');
  for (let i = 0; i < 70; i++) {
    source.write(`line ${i}\n`);
    if (i % 20 === 19) await delay(60);
  }
  source.end();
  await until('all was read', () => source.closed);
  await writer.close();
  assert.ok(existsSync(rotatedLog(currentLog(name))) || statSync(currentLog(name)).size <= 4000);
  const lines = await linesOf(name);
  const first = Number(lines[0]?.split(' ')[1]);
  assert.deepEqual(
    lines,
    Array.from({ length: 70 - first }, (_, i) => `line ${first + i}`),
  );
  assert.deepEqual(errors, []);
});

test('a restarted container has an empty log, and its previous one is kept', async (t) => {
  const { name, writer } = writerIn(t);
  writer.line('stdout', 'first run');
  await writer.startOver();
  assert.equal(writer.tail(), '');
  writer.line('stdout', 'second run');
  await writer.startOver();
  writer.line('stdout', 'third run');
  await writer.close();
  assert.deepEqual(await linesOf(name), ['third run']);
  assert.deepEqual(await linesOf({ ...name, previous: true }), ['second run']);
});

test('a program that writes faster than the disk is made to wait, and nothing is lost', async (t) => {
  const { name, writer } = writerIn(t);
  const source = new PassThrough();
  writer.attach(source, 'stdout');
  const line = `${'x'.repeat(1000)}\n`;
  let waited = 0;
  for (let i = 0; i < 3000; i++) {
    if (!source.write(line)) {
      waited++;
      await new Promise((resolve) => source.once('drain', resolve));
    }
  }
  source.end();
  await until('all was read', () => source.closed);
  await writer.close();
  assert.ok(waited > 0);
  assert.equal((await linesOf(name)).length, 3000);
});

test('when the disk refuses, it is said once and the program goes on', async (t) => {
  const { name, writer, errors } = writerIn(t);
  mkdirSync(join(name.stateDir, 'logs'));
  writeFileSync(join(name.stateDir, 'logs', 'shop'), 'in the way');
  writer.line('stdout', 'one');
  await writer.close();
  writer.line('stdout', 'two');
  await writer.close();
  assert.equal(errors.length, 1);
  assert.equal(writer.tail(), 'one\ntwo');
});

test('names that are no names of objects do not become paths', async (t) => {
  const stateDir = temporaryFolder(t);
  const good = { stateDir, namespace: 'shop', pod: 'web', container: 'main' };
  for (const bad of [
    { namespace: '..' },
    { pod: '../../etc' },
    { container: '' },
    { container: 'a/b' },
    { pod: 'a..b' },
  ]) {
    assert.throws(() => currentLog({ ...good, ...bad }), RangeError);
    await assert.rejects(linesOf({ ...good, ...bad }), RangeError);
  }
  assert.equal(previousLog(good), join(stateDir, 'logs/shop/web/main.previous.log'));
});
