// Durations in Go's notation ("300ms", "1h2m0.5s"), because ?delay= and the flags of the images use it. The error
// texts are Go's: echo-basic sends them to the client.

export type ParsedDuration =
  | { readonly ok: true; readonly durationMs: number }
  | { readonly ok: false; readonly error: string };

const UNIT_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  // Both micro signs: U+00B5 and the Greek letter U+03BC.
  '\u00b5s': 1e3,
  '\u03bcs': 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Go keeps a duration in 64 bits of nanoseconds; what does not fit is invalid. */
const DURATION_NS_MAX = 2 ** 63;

/** Reads a Go duration. Any sign, decimal fractions and sums are allowed; a unit is required except for "0". */
export function parseDuration(text: string): ParsedDuration {
  const unsigned = text.replace(/^[+-]/, '');
  if (unsigned === '0') return { ok: true, durationMs: 0 };
  if (unsigned === '') return invalid(text);
  let totalNs = 0;
  for (let at = 0; at < unsigned.length;) {
    const term = /^(\d*)(?:\.(\d*))?([^\d.]*)/.exec(unsigned.slice(at));
    const [whole = '', decimals = '', unit = ''] = term?.slice(1) ?? [];
    if (term === null || whole + decimals === '') return invalid(text);
    if (unit === '') return { ok: false, error: `time: missing unit in duration ${quote(text)}` };
    const unitNs = Object.hasOwn(UNIT_NS, unit) ? UNIT_NS[unit] : undefined;
    if (unitNs === undefined) {
      return { ok: false, error: `time: unknown unit ${quote(unit)} in duration ${quote(text)}` };
    }
    totalNs += Number(whole) * unitNs + decimalsNs(decimals, unitNs);
    if (totalNs >= DURATION_NS_MAX) return invalid(text);
    at += term[0].length;
  }
  return { ok: true, durationMs: (text.startsWith('-') ? -totalNs : totalNs) / 1e6 };
}

/** Scaled before multiplied, as Go does it: 1.054s is then not a nanosecond short. */
function decimalsNs(decimals: string, unitNs: number): number {
  const digits = decimals.slice(0, DECIMALS_MAX);
  return Math.trunc(Number(digits) * (unitNs / 10 ** digits.length));
}

/** More digits than a nanosecond of an hour has, and few enough for a number. */
const DECIMALS_MAX = 15;

/** Writes a duration as Go prints it: "0s", "250ns", "1.5ms", "2m0.5s", "1h0m0s". */
export function formatDuration(durationMs: number): string {
  const ns = Math.round(Math.abs(durationMs) * 1e6);
  const sign = durationMs < 0 ? '-' : '';
  if (ns === 0) return '0s';
  if (ns < 1e3) return `${sign}${ns}ns`;
  if (ns < 1e6) return `${sign}${fraction(ns, 1e3)}\u00b5s`;
  if (ns < 1e9) return `${sign}${fraction(ns, 1e6)}ms`;
  const minutes = Math.floor(ns / 60e9);
  const seconds = `${fraction(ns - minutes * 60e9, 1e9)}s`;
  if (minutes === 0) return sign + seconds;
  if (minutes < 60) return `${sign}${minutes}m${seconds}`;
  return `${sign}${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`;
}

function fraction(ns: number, unitNs: number): string {
  const digits = Math.log10(unitNs);
  const rest = String(ns % unitNs)
    .padStart(digits, '0')
    .replace(/0+$/, '');
  return rest === '' ? String(Math.floor(ns / unitNs)) : `${Math.floor(ns / unitNs)}.${rest}`;
}

function invalid(text: string): ParsedDuration {
  return { ok: false, error: `time: invalid duration ${quote(text)}` };
}

/** Go's own quoting for these messages: everything outside printable ASCII byte by byte as \xNN. */
function quote(text: string): string {
  let out = '"';
  for (const byte of Buffer.from(text)) {
    if (byte === 0x22 || byte === 0x5c) out += `\\${String.fromCharCode(byte)}`;
    else if (byte < 0x20 || byte >= 0x80) out += `\\x${byte.toString(16).padStart(2, '0')}`;
    else out += String.fromCharCode(byte);
  }
  return `${out}"`;
}
