import assert from 'node:assert/strict';
import { chmodSync, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../testing.ts';
import { writeFiles } from './atomic-writer.ts';

function file(
  path: string,
  text: string,
  mode = 0o644,
): { path: string; data: Buffer; mode: number } {
  return { path, data: Buffer.from(text), mode };
}

const visible = (directory: string): string[] =>
  readdirSync(directory)
    .filter((name) => !name.startsWith('..'))
    .toSorted();

test('files are links through ..data to one folder, with their modes, and nobody else can look in', async (t) => {
  const directory = join(temporaryFolder(t), 'volume');
  await writeFiles(directory, [file('a.txt', 'A'), file('sub/deep/b.txt', 'B', 0o400)]);
  assert.deepEqual(visible(directory), ['a.txt', 'sub']);
  assert.equal(readFileSync(join(directory, 'a.txt'), 'utf8'), 'A');
  assert.equal(readFileSync(join(directory, 'sub/deep/b.txt'), 'utf8'), 'B');
  assert.equal(readlinkSync(join(directory, 'a.txt')), '..data/a.txt');
  assert.ok(lstatSync(join(directory, '..data')).isSymbolicLink());
  const modes = ['.', 'a.txt', 'sub', 'sub/deep/b.txt'].map(
    (path) => statSync(join(directory, path)).mode & 0o777,
  );
  assert.deepEqual(modes, [0o700, 0o644, 0o700, 0o400]);
});

test('modes are what was asked for, whatever the umask', async (t) => {
  const directory = join(temporaryFolder(t), 'volume');
  const before = process.umask(0o077);
  t.after(() => process.umask(before));
  await writeFiles(directory, [file('a', 'A', 0o755)]);
  assert.equal(statSync(join(directory, 'a')).mode & 0o777, 0o755);
});

test('a second write changes all files at once and leaves nothing of the first', async (t) => {
  const directory = join(temporaryFolder(t), 'volume');
  await writeFiles(directory, [file('keep', '1'), file('gone', '1'), file('sub/x', '1')]);
  const first = readlinkSync(join(directory, '..data'));
  await writeFiles(directory, [file('keep', '2'), file('new', '2'), file('sub/y', '2')]);
  assert.notEqual(readlinkSync(join(directory, '..data')), first);
  assert.deepEqual(visible(directory), ['keep', 'new', 'sub']);
  assert.deepEqual(readdirSync(join(directory, 'sub')), ['y']);
  assert.equal(readFileSync(join(directory, 'keep'), 'utf8'), '2');
  assert.equal(readdirSync(directory).length, 3 + 2);
});

test('a reader never sees one file of the new content and one of the old', async (t) => {
  const directory = join(temporaryFolder(t), 'volume');
  const version = (i: number): ReturnType<typeof file>[] => [file('a', `${i}`), file('b', `${i}`)];
  await writeFiles(directory, version(0));
  let done = false;
  const writing = (async () => {
    for (let i = 1; i < 60; i++) await writeFiles(directory, version(i));
    done = true;
  })();
  let looks = 0;
  while (!done) {
    // Through one resolved ..data, as a program that follows the link once.
    const content = readlinkSync(join(directory, '..data'));
    try {
      const [a, b] = ['a', 'b'].map((name) => readFileSync(join(directory, content, name), 'utf8'));
      assert.equal(a, b);
      looks++;
    } catch (error) {
      // That version was removed between two reads.
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOENT');
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  await writing;
  assert.ok(looks > 0);
});

test('what a half-done write has left behind is in nobody’s way', async (t) => {
  const directory = join(temporaryFolder(t), 'volume');
  await writeFiles(directory, [file('a', '1')]);
  const { symlinkSync } = await import('node:fs');
  symlinkSync('nowhere', join(directory, '..data_tmp'));
  await writeFiles(directory, [file('a', '2')]);
  assert.equal(readFileSync(join(directory, 'a'), 'utf8'), '2');
});

test('a path that leads out of the folder is refused before anything is written', async (t) => {
  const folder = temporaryFolder(t);
  for (const path of ['../x', '/x', 'a/../../x', '..x', 'a//b', '', '.', 'a\0b']) {
    await assert.rejects(
      writeFiles(join(folder, 'volume'), [file(path, 'x')]),
      /cannot be at path/,
    );
  }
  assert.deepEqual(readdirSync(folder), []);
});

test('read-only content can be replaced', async (t) => {
  const directory = join(temporaryFolder(t), 'volume');
  await writeFiles(directory, [file('a', '1', 0o400)]);
  chmodSync(join(directory, 'a'), 0o400);
  await writeFiles(directory, [file('a', '2', 0o400)]);
  assert.equal(readFileSync(join(directory, 'a'), 'utf8'), '2');
});
