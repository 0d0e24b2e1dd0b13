import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../failure.ts';
import { checkListOptions, checkWatchOptions } from './list-options.ts';

const NOW = 100;

/** The code and the message of a refusal; undefined when there is none. */
function refusal(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof Failure);
    return `${error.status.code} ${error.status.message}`;
  }
}

const INVALID = '422 ListOptions.meta.k8s.io "" is invalid:';

const LISTS: Readonly<Record<string, string | undefined>> = {
  '': undefined,
  'resourceVersion=0': undefined,
  'resourceVersion=50': undefined,
  'resourceVersion=50&resourceVersionMatch=NotOlderThan': undefined,
  'resourceVersion=100&resourceVersionMatch=Exact': undefined,
  'resourceVersion=50&resourceVersionMatch=Exact':
    '410 The resourceVersion for the provided list is too old.',
  'resourceVersion=101': '504 Timeout: Too large resource version: 101, current: 100',
  'resourceVersion=-1':
    '400 resourceVersion: Invalid value: "-1": strconv.ParseUint: parsing "-1": invalid syntax',
  'resourceVersion=50&continue=x':
    '400 specifying resource version is not allowed when using continue',
  'resourceVersionMatch=Exact': `${INVALID} resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided`,
  'resourceVersion=1&resourceVersionMatch=Other': `${INVALID} resourceVersionMatch: Unsupported value: "Other": supported values: "Exact", "NotOlderThan", ""`,
  'resourceVersion=0&resourceVersionMatch=Exact': `${INVALID} resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"`,
  'sendInitialEvents=true': `${INVALID} sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list`,
};

const WATCHES: Readonly<Record<string, string | undefined>> = {
  'resourceVersion=101': undefined,
  'sendInitialEvents=true&resourceVersionMatch=NotOlderThan': undefined,
  'sendInitialEvents=false': `${INVALID} resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan`,
  'resourceVersionMatch=NotOlderThan': `${INVALID} resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided`,
};

for (const [query, expected] of Object.entries(LISTS)) {
  test(`a list with ${query === '' ? 'nothing' : query}`, () => {
    assert.equal(
      refusal(() => checkListOptions(new URLSearchParams(query), NOW)),
      expected,
    );
  });
}

for (const [query, expected] of Object.entries(WATCHES)) {
  test(`a watch with ${query}`, () => {
    assert.equal(
      refusal(() => checkWatchOptions(new URLSearchParams(query))),
      expected,
    );
  });
}
