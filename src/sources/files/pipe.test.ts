import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { openPipe } from './pipe.ts';
import { readStream } from './read.ts';
import { testFolder } from './testing.ts';

const never = new AbortController().signal;

function pipeIn(t: TestContext): string {
  const path = join(testFolder(t), 'pipe');
  execFileSync('mkfifo', [path]);
  return path;
}

describe('a named pipe', () => {
  it('that nobody writes to is given up', async (t) => {
    assert.equal(await openPipe(pipeIn(t), never, 100), undefined);
  });

  it('is read to its end, however late its writer comes', async (t) => {
    const path = pipeIn(t);
    const writer = spawn('sh', ['-c', 'sleep 0.2; (echo one; sleep 0.2; echo two) > "$0"', path]);
    t.after(() => writer.kill());
    const stream = await openPipe(path, never, 60_000);
    assert.ok(stream);
    const contents = await readStream(stream, 1000, never);
    assert.equal('bytes' in contents ? contents.bytes.toString() : '', 'one\ntwo\n');
  });

  it('waits for a writer that has opened it and says nothing yet', async (t) => {
    const path = pipeIn(t);
    const writer = spawn('sh', ['-c', 'exec 3> "$0"; sleep 0.6; echo late >&3', path]);
    t.after(() => writer.kill());
    const stream = await openPipe(path, never, 60_000);
    assert.ok(stream);
    const contents = await readStream(stream, 1000, never);
    assert.equal('bytes' in contents ? contents.bytes.toString() : '', 'late\n');
  });
});
