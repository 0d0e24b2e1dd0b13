// Every feature that GatewayClasses are said to support has a case with probes that shows it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { SUPPORTED_FEATURES } from '../src/resolve/gateway/features.ts';
import { casesRoot, listCases } from './support/cases.ts';

interface Shown {
  readonly case: string;
  readonly with: string;
}

const shown = parse(readFileSync(join(casesRoot, 'features.yaml'), 'utf8')) as Record<
  string,
  Shown
>;
const cases = new Map(listCases().map((testCase) => [testCase.name, testCase]));

describe('each supported feature has a case', () => {
  it('and no other name has one', () => {
    assert.deepEqual(Object.keys(shown), [...SUPPORTED_FEATURES]);
  });

  for (const [feature, { case: name, with: words }] of Object.entries(shown)) {
    it(`${feature} has ${name}`, () => {
      const found = cases.get(name);
      assert.ok(found, `there is no case ${name}`);
      assert.ok(found.probes.length > 0, `${name} has no probes`);
      const text = readFileSync(join(found.directory, 'in.yaml'), 'utf8');
      assert.ok(text.includes(words), `${name} does not have ${words}`);
    });
  }
});
