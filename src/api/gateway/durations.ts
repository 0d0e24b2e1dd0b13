// Durations as Gateway API writes them (GEP-2257): `1h30m`, `500ms`.

import { string } from '../schema/schema.ts';
import type { Rule } from '../schema/schema.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;
const WHOLE = new RegExp(`^[+-]?(?:0|(?:${PART.source})+)$`);

/** A duration field; `rules` add limits of its own. */
export function duration(doc: string, rules?: readonly Rule[]) {
  return string({
    pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$',
    doc,
    ...(rules === undefined ? {} : { rules }),
  });
}

/**
 * The length of a duration in milliseconds. Reads every duration that Go reads, of which Gateway API
 * admits a part: rules are evaluated on the rest as well. NaN when it is none.
 */
export function durationMs(text: string): number {
  if (!WHOLE.test(text)) return Number.NaN;
  let sum = 0;
  for (const [, amount, unit] of text.matchAll(PART)) {
    sum += Number(amount) * (UNIT_MS[unit ?? ''] ?? Number.NaN);
  }
  return text.startsWith('-') ? -sum : sum;
}
