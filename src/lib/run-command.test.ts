import assert from 'node:assert/strict';
import { it } from 'node:test';
import { runCommand } from './run-command.ts';

it('gives what a command says, and what it complains about', async () => {
  assert.deepEqual(await runCommand(['cat'], 'text'), { output: 'text', problem: null });
  const { problem } = await runCommand(['sh', '-c', 'echo no >&2; exit 3'], '');
  assert.equal(problem, 'no');
});

it('kills a command that hangs, and says which', async () => {
  // Also one whose child holds its output open.
  for (const script of ['exec sleep 30', 'sleep 30 & wait']) {
    await assert.rejects(runCommand(['sh', '-c', script], '', 50), {
      code: 'FW_COMMAND_HANGS',
      message: /^sh was killed: it has not ended within 0.05 s$/,
    });
  }
});
