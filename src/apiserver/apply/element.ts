// The steps of a field path, as fieldsV1 writes them: `f:name` is a field or the key of a map,
// `k:{"name":"http"}` an item of a keyed list, `v:"a"` a value in a set, `i:0` a place in a list (read,
// never written by us). A step is kept as its text; two steps are the same when their texts are, so
// the text has one canonical form.

/** The fields that name an item of a keyed list, sorted by name. */
export type ItemKey = readonly (readonly [name: string, value: unknown])[];

/** `f:replicas` */
export function fieldElement(name: string): string {
  return `f:${name}`;
}

/** `k:{"port":80,"protocol":"TCP"}`; `key` must be sorted by name. */
export function keyElement(key: ItemKey): string {
  return `k:{${key.map(([name, value]) => `${encode(name)}:${encode(value)}`).join(',')}}`;
}

/** `v:"10.0.0.1"` */
export function valueElement(value: unknown): string {
  return `v:${encode(value)}`;
}

/**
 * The canonical form of a step a client wrote. `unknown` steps are of a kind we do not know: upstream
 * drops them, as a newer server may have written them. `malformed` says what is wrong with others.
 */
export function canonicalElement(
  text: string,
): { readonly element: string } | { readonly unknown: true } | { readonly malformed: string } {
  if (text.length < 2 || text[1] !== ':') {
    return { malformed: 'must begin with f:, k:, v: or i:' };
  }
  const rest = text.slice(2);
  switch (text[0]) {
    case 'f':
      return { element: text };
    case 'i':
      return /^[+-]?\d+$/.test(rest)
        ? { element: `i:${Number(rest)}` }
        : { malformed: 'must have a whole number after i:' };
    case 'v': {
      const value = decode(rest);
      return value === undefined
        ? { malformed: 'must have a JSON value after v:' }
        : { element: valueElement(value) };
    }
    case 'k': {
      const key = decodeKey(rest);
      return key === undefined
        ? { malformed: 'must have a JSON object after k:' }
        : { element: keyElement(key) };
    }
    default:
      return { unknown: true };
  }
}

/**
 * The order upstream writes steps in: fields by name, then keys field by field, then values, then
 * places. Numbers count by size, not by their digits.
 */
export function compareElements(a: string, b: string): number {
  const kind = ORDER.indexOf(a[0] ?? '') - ORDER.indexOf(b[0] ?? '');
  if (kind !== 0) return kind;
  switch (a[0]) {
    case 'k':
      return compareKeys(decodeKey(a.slice(2)) ?? [], decodeKey(b.slice(2)) ?? []);
    case 'v':
      return compareValues(decode(a.slice(2)), decode(b.slice(2)));
    case 'i':
      return Number(a.slice(2)) - Number(b.slice(2));
    default:
      return compareText(a, b);
  }
}

const ORDER = 'fkvi';

/** Orders text by code points, as Go does by bytes of UTF-8; `<` goes by UTF-16 units. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return lift(x) - lift(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all others, but lie below U+E000 themselves. */
function lift(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}

function compareKeys(a: ItemKey, b: ItemKey): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const [nameA, valueA] = a[i] as ItemKey[number];
    const [nameB, valueB] = b[i] as ItemKey[number];
    const order = compareText(nameA, nameB) || compareValues(valueA, valueB);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareValues(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  return rank(a) - rank(b) || compareText(encode(a), encode(b));
}

function rank(value: unknown): number {
  const at = ['number', 'string', 'boolean'].indexOf(typeof value);
  return at === -1 ? 3 : at;
}

/** A step as conflicts print it: `.name`, `[name="http"]`, `[="a"]`, `[0]`. */
export function printElement(element: string): string {
  const rest = element.slice(2);
  switch (element[0]) {
    case 'k':
      return `[${(decodeKey(rest) ?? []).map(([n, v]) => `${n}=${JSON.stringify(v)}`).join(',')}]`;
    case 'v':
      return `[=${JSON.stringify(decode(rest))}]`;
    case 'i':
      return `[${rest}]`;
    default:
      return `.${rest}`;
  }
}

function decodeKey(text: string): ItemKey | undefined {
  const value = decode(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.entries(value).toSorted(([a], [b]) => compareText(a, b));
}

function decode(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const NOT_PLAIN = /[<>&\u2028\u2029]/;
const EVERY_NOT_PLAIN = /[<>&\u2028\u2029]/g;

/** JSON as Go's encoder writes it, which escapes what HTML and JavaScript could misread. */
function encode(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  if (!NOT_PLAIN.test(text)) return text;
  return text.replace(
    EVERY_NOT_PLAIN,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
