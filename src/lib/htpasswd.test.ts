import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { basicCredentials, checkPassword, isKnownHash, parseHtpasswd } from './htpasswd.ts';

describe('passwords of htpasswd', () => {
  const rows = [
    // openssl passwd -apr1 -salt abcdefgh secret
    ['$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/', 'secret', true],
    ['$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/', 'Secret', false],
    ['{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=', 'secret', true],
    ['{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=', '', false],
    ['{PLAIN}secret', 'secret', true],
    ['secret', 'secret', false],
    ['$2y$05$abc', 'secret', false],
  ] as const;
  for (const [hash, password, isRight] of rows) {
    it(`${hash} and "${password}"`, () => assert.equal(checkPassword(password, hash), isRight));
  }

  it('knows which kinds of hashes it can check', () => {
    assert.deepEqual(['$apr1$a$b', '{SHA}x', '$2y$05$a', '$6$a$b'].map(isKnownHash), [
      true,
      true,
      false,
      false,
    ]);
  });

  it('reads a file', () => {
    const text = '# people\njoe:{PLAIN}a\r\nann:{PLAIN}b:comment\n\nnobody\n';
    assert.deepEqual(parseHtpasswd(text), [
      ['joe', '{PLAIN}a'],
      ['ann', '{PLAIN}b'],
    ]);
  });

  it('reads credentials, whose password may have colons', () => {
    const field = `Basic ${Buffer.from('joe:a:b').toString('base64')}`;
    assert.deepEqual(basicCredentials(field), { name: 'joe', password: 'a:b' });
    assert.equal(basicCredentials('Bearer x'), null);
    assert.equal(basicCredentials(undefined), null);
  });
});
