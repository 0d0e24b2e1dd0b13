// The functions an expression may call, each of them metered: what it looks through is taken from the
// meter before it runs.

import {
  celEnv,
  celError,
  celFunc,
  celList,
  CelScalar,
  isCelList,
  isCelMap,
  listType,
} from '@bufbuild/cel';
import type { CelEnv, CelFunc, CelList, CelValue } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { meter } from './meter.ts';
import { networkFunctions } from './network-functions.ts';
import { compilePattern } from './patterns.ts';
import { valueFunctions } from './value-functions.ts';

/** Called on every turn of a loop; compile.ts puts it there. No expression of a user may name it. */
export const TURN_FUNCTION = 'fairway_turn';

/** Characters, or items, that cost one step. */
const CHARS_PER_STEP = 64;
const ITEMS_PER_STEP = 8;

/** Items copied by one step: copying is far cheaper than looking. */
const COPIED_PER_STEP = 256;

/** Functions that do not look at every item of the lists and maps they get. */
const SHALLOW = new Set(['size', 'dyn', 'type', '_+_', TURN_FUNCTION]);

/** Matching a pattern costs more for each character than looking at it. */
const MATCHING = new Set(['matches', 'find', 'findAll']);
const MATCHING_FACTOR = 16;

function costOf(value: CelValue | undefined, deep: boolean): number {
  if (typeof value === 'string') return Math.trunc(value.length / CHARS_PER_STEP);
  if (!deep) return 0;
  let steps = 0;
  if (isCelList(value)) {
    steps = value.size / ITEMS_PER_STEP;
    for (const item of value) if (typeof item === 'object') steps += costOf(item, true);
  } else if (isCelMap(value)) {
    steps = value.size / ITEMS_PER_STEP;
    for (const item of value.values()) if (typeof item === 'object') steps += costOf(item, true);
  }
  return Math.trunc(steps);
}

/** The same function, which first takes from the meter what it will look through. */
function metered(func: CelFunc): CelFunc {
  const deep = !SHALLOW.has(func.name);
  const factor = MATCHING.has(func.name) ? MATCHING_FACTOR : 1;
  const call: CelFunc['call'] = (id, target, args) => {
    let steps = costOf(target, deep);
    for (const arg of args) steps += costOf(arg, deep);
    try {
      if (steps > 0) meter.take(steps * factor);
    } catch (error) {
      return celError(error, id);
    }
    return func.call(id, target, args);
  };
  return Object.create(func, { call: { value: call } }) as CelFunc;
}

/** Items of lists that were put together here, or from; the evaluator's own chain would be walked link by link. */
const joined = new WeakMap<CelList, readonly CelValue[]>();

function itemsOf(list: CelList): readonly CelValue[] {
  const known = joined.get(list);
  if (known !== undefined) return known;
  const items = [...list];
  joined.set(list, items);
  return items;
}

function concat(a: CelList, b: CelList): CelList {
  const items = itemsOf(a).concat(itemsOf(b));
  meter.take(Math.trunc(items.length / COPIED_PER_STEP));
  const list = celList(items);
  joined.set(list, items);
  return list;
}

const LIST = listType(CelScalar.DYN);

const own: CelFunc[] = [
  celFunc(TURN_FUNCTION, [], CelScalar.BOOL, () => {
    meter.take(1);
    return true;
  }),
  celFunc('_+_', [LIST, LIST], LIST, concat),
];

const re2 = { compile: (pattern: string) => compilePattern(pattern) };

const functions = celEnv({
  funcs: [...strings, ...networkFunctions, ...valueFunctions, ...own],
}).funcs;

/** What every expression is planned in. */
export const environment: CelEnv = celEnv({
  re2,
  funcs: [...functions]
    .filter(({ name }) => name !== TURN_FUNCTION)
    .map(metered)
    .concat(own),
});

/** Names of functions, with their namespaces: `size`, `sets.contains`. */
export const FUNCTION_NAMES: ReadonlySet<string> = new Set([
  ...[...environment.funcs].map(({ name }) => name).filter((name) => name !== TURN_FUNCTION),
  // Planned without a function of that name.
  '_&&_',
  '_||_',
  '_?_:_',
  '_[_]',
  '@not_strictly_false',
  '__not_strictly_false__',
  '@in',
]);
