import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expandVariables } from './expand.ts';

const VALUES = new Map([
  ['NAME', 'web'],
  ['EMPTY', ''],
  ['NESTED', '$(NAME)'],
]);

const CASES: readonly (readonly [name: string, text: string, expanded: string])[] = [
  ['a reference is replaced', '$(NAME)', 'web'],
  ['references inside a text are replaced', 'a-$(NAME)-$(NAME)-b', 'a-web-web-b'],
  ['a variable may be empty', '[$(EMPTY)]', '[]'],
  ['an unknown reference stays', '$(OTHER)', '$(OTHER)'],
  ['a doubled dollar escapes a reference', '$$(NAME)', '$(NAME)'],
  ['a doubled dollar is one dollar', '100$$', '100$'],
  ['three dollars are an escaped one and a reference', '$$$(NAME)', '$web'],
  ['a lone dollar stays', '$', '$'],
  ['a reference of a shell stays', '${NAME} $NAME', '${NAME} $NAME'],
  ['a reference without end stays', '$(NAME', '$(NAME'],
  ['an empty reference stays', '$()', '$()'],
  ['what was put in is not looked at again', '$(NESTED)', '$(NAME)'],
  ['a reference begun twice is the text up to the first bracket', '$(NA$(NAME)', '$(NA$(NAME)'],
];

for (const [name, text, expanded] of CASES) {
  test(name, () =>
    assert.equal(
      expandVariables(text, (key) => VALUES.get(key)),
      expanded,
    ),
  );
}
