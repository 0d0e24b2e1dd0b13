// The text of a YAML scalar → its value, as kubectl reads it: YAML 1.1 the way go-yaml v2 resolves it
// (sigs.k8s.io/yaml). So `yes`, `on` and `y` are true, 0644 is octal, 1_000 is a thousand; 12:30 and
// dates stay text. Used by value.ts; checked against the Go library's own answers in scalar.test.ts.

export type Scalar = string | number | boolean | null;

/** What a scalar with an explicit tag or in the place of a key comes to, or why it cannot be. */
export type Resolved<T> = { readonly value: T } | { readonly error: string };

const WORDS: ReadonlyMap<string, Scalar> = new Map([
  ...words(true, ['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON']),
  ...words(false, ['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF']),
  ...words(null, ['', '~', 'null', 'Null', 'NULL']),
  ...words(NaN, ['.nan', '.NaN', '.NAN']),
  ...words(Infinity, ['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF']),
  ...words(-Infinity, ['-.inf', '-.Inf', '-.INF']),
]);
const WORD_CHARS_MAX = 5;

const DECIMAL = /^[-+]?(?:0|[1-9][0-9]{0,14})$/;
const INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
/** Longer digits are out of every range; parsing them would only cost time. */
const INTEGER_CHARS_MAX = 80;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;

const STANDARD_TAG = 'tag:yaml.org,2002:';

/** Resolves a plain scalar: one without quotes and without a tag. */
export function resolvePlain(text: string): Scalar {
  const first = text.charCodeAt(0);
  const isNumeric = (first >= 0x30 && first <= 0x39) || first === 0x2b || first === 0x2d;
  const isDotted = first === 0x2e;
  // Most scalars are ordinary words, and most numbers plain decimals.
  if (text.length > WORD_CHARS_MAX && !isNumeric) return isDotted ? dotted(text) : text;
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  if (isNumeric) return DECIMAL.test(text) ? Number(text) || 0 : number(text);
  return isDotted ? dotted(text) : text;
}

/** Resolves a scalar with an explicit tag, given in its long form. Tags of others make text. */
export function resolveTagged(tag: string, text: string): Resolved<Scalar> {
  const name = tag.startsWith(STANDARD_TAG) ? tag.slice(STANDARD_TAG.length) : '';
  switch (name) {
    case 'bool':
    case 'int':
    case 'float':
    case 'null': {
      const value = resolvePlain(text);
      const type = typeOf(value, text);
      const fits = type === name || (name === 'float' && type === 'int');
      return fits ? { value } : { error: `!!${name} does not go with a ${type}` };
    }
    case 'binary':
      return decodeBinary(text);
    default:
      return { value: text };
  }
}

/**
 * Resolves a plain scalar in the place of a key. JSON has text keys only: `1.10` becomes "1.1",
 * `0644` "420" and `y` "true".
 */
export function resolveKey(text: string): Resolved<string> {
  const value = resolvePlain(text);
  if (typeof value === 'string') return { value };
  if (value === null) return { error: 'a key must not be empty or null' };
  if (typeof value === 'boolean') return { value: String(value) };
  const integer = parseInteger(text.replaceAll('_', ''));
  if (integer === undefined) return { value: formatFloat32(value) };
  return integer > INT64_MAX
    ? { error: 'a number used as a key must be below 2^63' }
    : { value: String(integer) };
}

function words(value: Scalar, list: readonly string[]): (readonly [string, Scalar])[] {
  return list.map((word) => [word, value] as const);
}

/** What begins with a digit or a sign, and is no plain decimal. */
function number(text: string): string | number {
  const plain = text.replaceAll('_', '');
  const integer = parseInteger(plain);
  return integer === undefined ? (float(plain) ?? text) : Number(integer);
}

/** What begins with a dot: here underscores may only stand between digits. */
function dotted(text: string): string | number {
  return float(text.replaceAll(/(?<=[0-9])_(?=[0-9])/g, '')) ?? text;
}

/** A number too large for a float64 is text, as Go's ParseFloat refuses it. */
function float(text: string): number | undefined {
  if (!FLOAT.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** An integer of at most 64 bits; a leading zero means octal. */
function parseInteger(text: string): bigint | undefined {
  if (text.length > INTEGER_CHARS_MAX) return undefined;
  const match = INTEGER.exec(text);
  if (match === null) return undefined;
  const [, sign, hex, binary, octal, decimal = ''] = match;
  const magnitude =
    hex !== undefined
      ? BigInt(`0x${hex}`)
      : binary !== undefined
        ? BigInt(`0b${binary}`)
        : BigInt(octal === undefined ? decimal : `0o${octal}`);
  const value = sign === '-' ? -magnitude : magnitude;
  const max = sign === '' ? UINT64_MAX : INT64_MAX;
  return value >= INT64_MIN && value <= max ? value : undefined;
}

function typeOf(value: Scalar, text: string): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'text';
  return parseInteger(text.replaceAll('_', '')) === undefined ? 'float' : 'int';
}

function decodeBinary(text: string): Resolved<string> {
  const compact = text.replaceAll(/[\r\n]/g, '');
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(compact)) {
    return { error: '!!binary does not go with text that is not base64' };
  }
  return { value: Buffer.from(compact, 'base64').toString('utf8') };
}

/**
 * Shortest text that reads back as the same float32, in the form of C's %g: sigs.k8s.io/yaml formats
 * float keys with 32 bits.
 */
function formatFloat32(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(Math.fround(value))) return value > 0 ? '.inf' : '-.inf';
  const wanted = Math.fround(value);
  if (Object.is(wanted, -0)) return '-0';
  let precision = 1;
  while (precision < 9 && Math.fround(Number(wanted.toPrecision(precision))) !== wanted)
    precision++;
  const [mantissa = '', exponentText = '0'] = wanted.toExponential(precision - 1).split('e');
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 6) return String(Number(`${mantissa}e${exponentText}`));
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}
