// docs/ingress-nginx.md lists every annotation as the code has it. FAIRWAY_WRITE_DOCS=1 writes it anew.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { ANNOTATIONS } from '../src/api/ingress-nginx/annotations.ts';

const path = join(import.meta.dirname, '..', 'docs', 'ingress-nginx.md');
const WORDS = {
  works: 'works',
  differs: 'works, with a difference',
  none: 'no effect',
  unsupported: 'does not work',
};

it('docs/ingress-nginx.md has every annotation', () => {
  const text = readFileSync(path, 'utf8');
  const [before = '', rest = ''] = text.split('<!-- annotations -->\n');
  const after = rest.slice(rest.indexOf('<!-- end -->'));
  const rows = ANNOTATIONS.map(
    ({ name, verdict, note }) => `| ${name} | ${WORDS[verdict]} | ${note} |`,
  );
  const table = ['| Annotation | | |', '|---|---|---|', ...rows, ''].join('\n');
  const wanted = `${before}<!-- annotations -->\n${table}${after}`;
  if (process.env['FAIRWAY_WRITE_DOCS'] === '1') writeFileSync(path, wanted);
  else
    assert.equal(
      text,
      wanted,
      'FAIRWAY_WRITE_DOCS=1 npm test -- test/ingress-docs.test.ts writes it anew',
    );
});

it('there are 138, each once', () => {
  assert.equal(new Set(ANNOTATIONS.map(({ name }) => name)).size, 138);
});

it('what does not work as it does there says why, or what to do', () => {
  for (const { name, verdict, note } of ANNOTATIONS) {
    assert.equal(note === '', verdict === 'works', name);
  }
});
