import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { whyNotRun } from './why-not-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairway-not-run-'));
after(() => rmSync(folder, { recursive: true }));

async function tryToRun(program: string): Promise<string> {
  const [error] = (await once(spawn(program), 'error')) as [NodeJS.ErrnoException];
  const { reason, hint } = whyNotRun(program, error);
  return `${reason}: ${hint}`;
}

function file(name: string, text: string, mode: number): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

test('a program that is not there', async () => {
  assert.match(await tryToRun('no-such-program-here'), /^no such command: install it/);
  assert.match(await tryToRun('./no-such-program-here'), /^no such command: the path is relative/);
});

test('a file that is not executable', async () => {
  const path = file('plain', '#!/bin/sh\n', 0o644);
  assert.equal(await tryToRun(path), `it is not executable: make it so: chmod +x ${path}`);
});

test('a folder', async () => {
  assert.match(await tryToRun(folder), /^it is a folder/);
});

test('a script whose interpreter is missing', async () => {
  const path = file('script', '#!/no/such/shell\n', 0o755);
  assert.match(await tryToRun(path), /^its interpreter does not exist/);
});
