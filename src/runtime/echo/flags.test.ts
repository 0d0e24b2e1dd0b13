// Command lines in both of Go’s styles.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EchoStartError } from './errors.ts';
import { parseFlags } from './flags.ts';

const SET = {
  flags: { port: 'value', text: 'value', verbose: 'switch', header: 'value' },
  letters: { H: 'header', v: 'verbose' },
} as const;

test('every way to write a value', () => {
  const flags = parseFlags(
    ['--port=1', '--port', '2', '-port=3', '-H', 'a:b', '-Hc:d', '-H=e=f'],
    SET,
  );
  assert.deepEqual(flags.all('port'), ['1', '2', '3']);
  assert.equal(flags.last('port'), '3');
  assert.deepEqual(flags.all('header'), ['a:b', 'c:d', 'e=f']);
});

test('a switch takes no following word', () => {
  const flags = parseFlags(['--verbose', 'word', '-v', '--text', ''], SET);
  assert.equal(flags.isOn('verbose'), true);
  assert.deepEqual(flags.words, ['word']);
  assert.equal(flags.last('text'), '');
});

test('switches can be turned off and have a default', () => {
  assert.equal(parseFlags(['--verbose=false'], SET).isOn('verbose', true), false);
  assert.equal(parseFlags([], SET).isOn('verbose', true), true);
});

test('a list comes from commas and repetition; using the flag replaces the default', () => {
  assert.deepEqual(parseFlags(['--port=1,2', '--port=3'], SET).list('port', ['9']), [
    '1',
    '2',
    '3',
  ]);
  assert.deepEqual(parseFlags([], SET).list('port', ['9']), ['9']);
});

test('two dashes end the flags', () => {
  assert.deepEqual(parseFlags(['a', '--', '--port', '-'], SET).words, ['a', '--port', '-']);
});

const REFUSED: readonly [args: readonly string[], message: string][] = [
  [['--nope=1'], 'unknown flag: --nope'],
  [['-x'], 'unknown flag: -x'],
  [['--toString'], 'unknown flag: --toString'],
  [['--port'], 'flag needs an argument: --port'],
];

for (const [args, message] of REFUSED) {
  test(`${args.join(' ')} is refused`, () => {
    assert.throws(
      () => parseFlags(args, SET),
      (error) =>
        error instanceof EchoStartError &&
        error.code === 'FW_ECHO_CONFIG' &&
        error.message === message,
    );
  });
}
