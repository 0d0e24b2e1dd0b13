// Quantities of resources: `500m`, `1.5`, `64Mi`, `12e6`. Exact, because a limit is compared with a
// request and because a stored quantity has one canonical text.

/** `unscaled × 10^scale`; binary quantities are whole numbers and keep their family of suffixes. */
export interface Quantity {
  readonly unscaled: bigint;
  readonly scale: number;
  readonly format: 'decimal' | 'binary' | 'exponent';
}

/** What the decoder of the API server says of any other text. */
export const QUANTITY_ERROR =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

const QUANTITY = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))([numkMGTPE]?|[KMGTPE]i|[eE][+-]?\d{1,3})$/;

const DECIMAL_SUFFIXES = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const BINARY_SUFFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

/** Nothing finer than this is kept: resources are rounded up to thousandths. */
const SCALE_MIN = -3;

/** Digits a quantity may be written with; more is never meant. */
const DIGITS_MAX = 64;

/** Reads a quantity; undefined when the text is none. */
export function parseQuantity(text: string): Quantity | undefined {
  if (text.length > DIGITS_MAX) return undefined;
  const match = QUANTITY.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = match[4] ?? '', , suffix = ''] = match;
  const digits = BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction}`);
  const scale = -fraction.length;
  const binary = BINARY_SUFFIXES.indexOf(suffix);
  if (binary > 0) {
    return roundUp({ unscaled: digits << BigInt(10 * binary), scale, format: 'binary' });
  }
  const decimal = DECIMAL_SUFFIXES.indexOf(suffix);
  if (decimal !== -1) {
    return roundUp({ unscaled: digits, scale: scale + 3 * (decimal - 3), format: 'decimal' });
  }
  return roundUp({ unscaled: digits, scale: scale + Number(suffix.slice(1)), format: 'exponent' });
}

/** Negative when `a` is less than `b`, 0 when they are equal. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  const scale = Math.min(a.scale, b.scale);
  const left = rescale(a, scale);
  const right = rescale(b, scale);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** True for `2` and `2000m`, false for `1500m`. */
export function isWhole(quantity: Quantity): boolean {
  return quantity.scale >= 0 || quantity.unscaled % 10n ** BigInt(-quantity.scale) === 0n;
}

/** The text Kubernetes stores: no fraction, the largest suffix that loses nothing. */
export function formatQuantity(quantity: Quantity): string {
  if (quantity.unscaled === 0n) return '0';
  if (quantity.format === 'binary' && isWhole(quantity)) {
    const value = rescale(quantity, 0);
    // Below 1024 a binary suffix says nothing, and Kubernetes writes the number plainly.
    if (value >= 1024n || value <= -1024n) return formatBinary(value);
  }
  return formatDecimal(quantity);
}

function formatBinary(value: bigint): string {
  let rest = value;
  let suffix = 0;
  while (rest % 1024n === 0n && suffix < BINARY_SUFFIXES.length - 1) {
    rest /= 1024n;
    suffix++;
  }
  return `${rest}${BINARY_SUFFIXES[suffix]}`;
}

function formatDecimal(quantity: Quantity): string {
  let { unscaled, scale } = quantity;
  while (unscaled % 10n === 0n) {
    unscaled /= 10n;
    scale++;
  }
  while (scale % 3 !== 0) {
    unscaled *= 10n;
    scale--;
  }
  if (quantity.format === 'exponent') return scale === 0 ? `${unscaled}` : `${unscaled}e${scale}`;
  const largest = 3 * (DECIMAL_SUFFIXES.length - 4);
  if (scale > largest) {
    unscaled *= 10n ** BigInt(scale - largest);
    scale = largest;
  }
  return `${unscaled}${DECIMAL_SUFFIXES[scale / 3 + 3]}`;
}

/** Rounds away from zero to thousandths, as the API server does with every resource. */
function roundUp(quantity: Quantity): Quantity {
  if (quantity.scale >= SCALE_MIN) return quantity;
  const factor = 10n ** BigInt(SCALE_MIN - quantity.scale);
  const remainder = quantity.unscaled % factor;
  const away = remainder === 0n ? 0n : quantity.unscaled < 0n ? -1n : 1n;
  return { ...quantity, unscaled: quantity.unscaled / factor + away, scale: SCALE_MIN };
}

/** The number of units of 10^scale, where scale is at most the quantity's own. */
function rescale(quantity: Quantity, scale: number): bigint {
  if (quantity.scale >= scale) return quantity.unscaled * 10n ** BigInt(quantity.scale - scale);
  return quantity.unscaled / 10n ** BigInt(scale - quantity.scale);
}
