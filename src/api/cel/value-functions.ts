// The functions on quantities, named formats, lists, sets, patterns and optional values that
// Kubernetes adds to CEL.

import {
  celFunc,
  celList,
  celMethod,
  CelScalar,
  isCelList,
  listType,
  mapType,
} from '@bufbuild/cel';
import type { CelFunc, CelList, CelValue } from '@bufbuild/cel';
import {
  dns1035Label,
  dns1123Label,
  dns1123Subdomain,
  labelKey,
  labelValue,
} from '../core/names.ts';
import type { NameForm } from '../core/names.ts';
import { compareQuantities, formatQuantity, isWhole, parseQuantity } from '../core/quantity.ts';
import type { Quantity } from '../core/quantity.ts';
import { isDateTime } from '../schema/formats.ts';
import { meter } from './meter.ts';
import { isOpaque, NONE, textIn, unwrap, wrap } from './opaque.ts';
import { compilePattern } from './patterns.ts';

const { STRING, BOOL, INT, DOUBLE, DYN } = CelScalar;
const OPAQUE = mapType(DYN, DYN);
const LIST = listType(DYN);

function quantityOf(text: string): Quantity {
  const quantity = parseQuantity(text);
  if (quantity === undefined) throw new Error(`quantity parse error: ${JSON.stringify(text)}`);
  return quantity;
}

const quantityIn = (value: unknown): Quantity => quantityOf(textIn('quantity', value));

/** As a whole number and a power of ten. */
function scaled({ unscaled, scale }: Quantity): number {
  return Number(unscaled) * 10 ** scale;
}

function wholeIn(value: unknown): bigint {
  const quantity = quantityIn(value);
  if (!isWhole(quantity)) throw new Error('cannot convert value to integer');
  const { unscaled, scale } = quantity;
  return scale >= 0 ? unscaled * 10n ** BigInt(scale) : unscaled / 10n ** BigInt(-scale);
}

function compareMethod(name: string, test: (order: number) => boolean): CelFunc {
  return celMethod(name, OPAQUE, [OPAQUE], BOOL, function (other) {
    return test(compareQuantities(quantityIn(this), quantityIn(other)));
  });
}

function sumMethod(name: string, sign: 1n | -1n): CelFunc {
  return celMethod(name, OPAQUE, [DYN], DYN, function (other) {
    const a = quantityIn(this);
    const b: Quantity =
      typeof other === 'bigint'
        ? { unscaled: other, scale: 0, format: 'decimal' }
        : quantityIn(other);
    const scale = Math.min(a.scale, b.scale);
    const at = ({ unscaled, scale: own }: Quantity) => unscaled * 10n ** BigInt(own - scale);
    const sum: Quantity = { ...a, unscaled: at(a) + sign * at(b), scale };
    return wrap('quantity', formatQuantity(sum));
  });
}

const quantityFunctions: readonly CelFunc[] = [
  celFunc('isQuantity', [STRING], BOOL, (text) => parseQuantity(text) !== undefined),
  celFunc('quantity', [STRING], DYN, (text) => wrap('quantity', formatQuantity(quantityOf(text)))),
  celMethod('isInteger', OPAQUE, [], BOOL, function () {
    return isWhole(quantityIn(this));
  }),
  celMethod('asInteger', OPAQUE, [], INT, function () {
    return wholeIn(this);
  }),
  celMethod('asApproximateFloat', OPAQUE, [], DOUBLE, function () {
    return scaled(quantityIn(this));
  }),
  celMethod('sign', OPAQUE, [], INT, function () {
    const { unscaled } = quantityIn(this);
    return unscaled > 0n ? 1n : unscaled < 0n ? -1n : 0n;
  }),
  celMethod('compareTo', OPAQUE, [OPAQUE], INT, function (other) {
    return BigInt(Math.sign(compareQuantities(quantityIn(this), quantityIn(other))));
  }),
  compareMethod('isGreaterThan', (order) => order > 0),
  compareMethod('isLessThan', (order) => order < 0),
  sumMethod('add', 1n),
  sumMethod('sub', -1n),
];

const asPrefix =
  (form: NameForm): NameForm =>
  (value) =>
    form(/.-$/.test(value) ? `${value.slice(0, -2)}a` : value);

function matchesOr(test: (value: string) => boolean, detail: string): NameForm {
  return (value) => (test(value) ? [] : [detail]);
}

/** Named formats: what is wrong with a text. */
const FORMATS: ReadonlyMap<string, NameForm> = new Map<string, NameForm>([
  ['dns1123Label', dns1123Label],
  ['dns1123Subdomain', dns1123Subdomain],
  ['dns1035Label', dns1035Label],
  ['dns1123LabelPrefix', asPrefix(dns1123Label)],
  ['dns1123SubdomainPrefix', asPrefix(dns1123Subdomain)],
  ['dns1035LabelPrefix', asPrefix(dns1035Label)],
  ['qualifiedName', labelKey],
  ['labelValue', labelValue],
  ['uri', matchesOr((text) => URL.canParse(text), 'invalid URI')],
  [
    'uuid',
    matchesOr(
      (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text),
      'does not match the UUID format',
    ),
  ],
  [
    'byte',
    matchesOr(
      (text) => /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0,
      'invalid base64',
    ),
  ],
  ['date', matchesOr((text) => isDateTime(`${text}T00:00:00Z`), 'invalid date')],
  ['datetime', matchesOr(isDateTime, 'invalid datetime')],
]);

const formatFunctions: readonly CelFunc[] = [
  ...[...FORMATS.keys()].map((name) =>
    celFunc(`format.${name}`, [], DYN, () => wrap('format', name)),
  ),
  celFunc('format.named', [STRING], DYN, (name) =>
    FORMATS.has(name) ? wrap('optional', wrap('format', name)) : NONE,
  ),
  celMethod('validate', OPAQUE, [STRING], DYN, function (text) {
    const errors = FORMATS.get(textIn('format', this))?.(text) ?? [];
    return errors.length === 0 ? NONE : wrap('optional', celList(errors));
  }),
];

const optionalFunctions: readonly CelFunc[] = [
  celFunc('optional.of', [DYN], DYN, (value) => wrap('optional', value)),
  celFunc('optional.none', [], DYN, () => NONE),
  celMethod('hasValue', OPAQUE, [], BOOL, function () {
    return !isNone(this);
  }),
  celMethod('value', OPAQUE, [], DYN, function (): CelValue {
    if (isNone(this)) throw new Error('optional.none() dereference');
    return unwrap('optional', this) ?? null;
  }),
  celMethod('orValue', OPAQUE, [DYN], DYN, function (other): CelValue {
    return isNone(this) ? other : (unwrap('optional', this) ?? null);
  }),
];

function isNone(value: unknown): boolean {
  if (isOpaque('none', value)) return true;
  if (isOpaque('optional', value)) return false;
  throw new Error('no such overload: not an optional value');
}

function compare(a: CelValue, b: CelValue): number {
  const known =
    (typeof a === 'string' && typeof b === 'string') ||
    (typeof a === 'boolean' && typeof b === 'boolean') ||
    ((typeof a === 'bigint' || typeof a === 'number') &&
      (typeof b === 'bigint' || typeof b === 'number'));
  if (!known) throw new Error('no such overload: the items of the list cannot be compared');
  return a < b ? -1 : a > b ? 1 : 0;
}

function extreme(list: CelList, sign: 1 | -1): CelValue {
  const items = [...list];
  const [first] = items;
  if (first === undefined) throw new Error('min or max called on empty list');
  return items.reduce((best, item) => (sign * compare(item, best) > 0 ? item : best), first);
}

function sum(list: CelList): CelValue {
  let total: bigint | number = 0n;
  for (const item of list) {
    if (typeof item === 'bigint' && typeof total === 'bigint') total += item;
    else if (typeof item === 'number') total = Number(total) + item;
    else throw new Error('no such overload: only numbers have a sum');
  }
  return total;
}

/** Every item is compared with every other. */
function payForPairs(a: number, b: number): void {
  meter.take(Math.trunc((a * b) / PAIRS_PER_STEP));
}

const PAIRS_PER_STEP = 16;

const sameItem = (a: CelValue, b: CelValue) =>
  a === b || (typeof a === typeof b && typeof a !== 'object' && a === b);

function indexIn(list: CelList, wanted: CelValue): bigint {
  return BigInt([...list].findIndex((item) => sameItem(item, wanted)));
}

function flatten(list: CelList): CelValue[] {
  return [...list].flatMap((item) => (isCelList(item) ? [...item] : [item]));
}

const listFunctions: readonly CelFunc[] = [
  celMethod('isSorted', LIST, [], BOOL, function () {
    const items = [...this];
    return items.every((item, i) => i === 0 || compare(items[i - 1] ?? null, item) <= 0);
  }),
  celMethod('sum', LIST, [], DYN, function () {
    return sum(this);
  }),
  celMethod('min', LIST, [], DYN, function () {
    return extreme(this, -1);
  }),
  celMethod('max', LIST, [], DYN, function () {
    return extreme(this, 1);
  }),
  celMethod('indexOf', LIST, [DYN], INT, function (item) {
    return indexIn(this, item);
  }),
  celMethod('lastIndexOf', LIST, [DYN], INT, function (item) {
    return BigInt([...this].findLastIndex((other) => sameItem(other, item)));
  }),
  celMethod('sort', LIST, [], LIST, function () {
    return [...this].toSorted(compare);
  }),
  celMethod('distinct', LIST, [], LIST, function () {
    payForPairs(this.size, this.size);
    return [...this].filter((item, i, all) => all.findIndex((o) => sameItem(o, item)) === i);
  }),
  celMethod('reverse', LIST, [], LIST, function () {
    return [...this].toReversed();
  }),
  celMethod('flatten', LIST, [], LIST, function () {
    return flatten(this);
  }),
  celMethod('slice', LIST, [INT, INT], LIST, function (from, to) {
    if (from < 0n || to > BigInt(this.size) || from > to) throw new Error('index out of bounds');
    return [...this].slice(Number(from), Number(to));
  }),
];

function includesAll(outer: CelList, inner: CelList): boolean {
  payForPairs(outer.size, inner.size);
  return [...inner].every((item) => indexIn(outer, item) !== -1n);
}

function intersect(a: CelList, b: CelList): boolean {
  payForPairs(a.size, b.size);
  return [...a].some((item) => indexIn(b, item) !== -1n);
}

const setFunctions: readonly CelFunc[] = [
  celFunc('sets.contains', [LIST, LIST], BOOL, includesAll),
  celFunc('sets.equivalent', [LIST, LIST], BOOL, (a, b) => includesAll(a, b) && includesAll(b, a)),
  celFunc('sets.intersects', [LIST, LIST], BOOL, intersect),
];

function findAll(text: string, pattern: string, limit = -1): string[] {
  const matcher = compilePattern(pattern).matcher(text);
  const found: string[] = [];
  while ((limit < 0 || found.length < limit) && matcher.find()) found.push(matcher.group() ?? '');
  return found;
}

/** Characters of a result that cost one step: what is put together may be far longer than its parts. */
const CHARS_PER_STEP = 64;

/** The evaluator's own is slow on long texts, and takes no account of what it makes. */
function replace(text: string, from: string, to: string, limit = -1): string {
  if (limit === 0) return text;
  // An empty text is found before every character and at the end, as in Go.
  const parts = from === '' ? ['', ...Array.from(text), ''] : text.split(from);
  const count = limit < 0 ? parts.length - 1 : Math.min(limit, parts.length - 1);
  meter.take(parts.length + Math.trunc((text.length + count * to.length) / CHARS_PER_STEP));
  return parts.slice(0, count + 1).join(to) + restOf(parts.slice(count + 1), from);
}

function restOf(parts: readonly string[], separator: string): string {
  return parts.length === 0 ? '' : separator + parts.join(separator);
}

function join(list: CelList, separator: string): string {
  const items = [...list].map((item) => {
    if (typeof item !== 'string') throw new Error('no such overload: only texts can be joined');
    return item;
  });
  const chars = items.reduce((sum, item) => sum + item.length + separator.length, 0);
  meter.take(Math.trunc(chars / CHARS_PER_STEP));
  return items.join(separator);
}

const textFunctions: readonly CelFunc[] = [
  celMethod('replace', STRING, [STRING, STRING], STRING, function (from, to) {
    return replace(this, from, to);
  }),
  celMethod('replace', STRING, [STRING, STRING, INT], STRING, function (from, to, limit) {
    return replace(this, from, to, Number(limit));
  }),
  celMethod('join', LIST, [], STRING, function () {
    return join(this, '');
  }),
  celMethod('join', LIST, [STRING], STRING, function (separator) {
    return join(this, separator);
  }),
];

const patternFunctions: readonly CelFunc[] = [
  celFunc('matches', [STRING, STRING], BOOL, (text, pattern) => compilePattern(pattern).test(text)),
  celMethod('find', STRING, [STRING], STRING, function (pattern) {
    return findAll(this, pattern, 1)[0] ?? '';
  }),
  celMethod('findAll', STRING, [STRING], LIST, function (pattern) {
    return findAll(this, pattern);
  }),
  celMethod('findAll', STRING, [STRING, INT], LIST, function (pattern, limit) {
    return findAll(this, pattern, Number(limit));
  }),
];

export const valueFunctions: readonly CelFunc[] = [
  ...quantityFunctions,
  ...formatFunctions,
  ...optionalFunctions,
  ...listFunctions,
  ...setFunctions,
  ...patternFunctions,
  ...textFunctions,
];
