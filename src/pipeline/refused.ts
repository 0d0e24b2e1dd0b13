// A reference to an object that is written down, but was refused: to say that it does not exist would send
// people looking for what they have before their eyes. Says instead that it was refused, where and why.

import { formatRef } from '../api/finding.ts';
import type { Finding } from '../api/finding.ts';
import { formatPosition } from './locate.ts';

/** `Secret shop/tls does not exist`, or `GatewayClass "edge" does not exist`. */
const MISSING = /\b([A-Z][A-Za-z]+) (?:([-.a-z0-9]+\/[-.a-z0-9]+)|"([-.a-z0-9]+)") does not exist/;

/** Findings, of which those of sources have refused the objects that others miss. */
export function tellRefused(
  ofSources: readonly Finding[],
  others: readonly Finding[],
): readonly Finding[] {
  const refusals = new Map<string, Finding>();
  for (const finding of ofSources) {
    const { object } = finding.origin;
    if (finding.severity !== 'error' || object === undefined) continue;
    const ref = formatRef(object);
    if (!refusals.has(ref)) refusals.set(ref, finding);
  }
  if (refusals.size === 0) return others;
  return others.map((finding) => {
    const [whole, kind = '', key, name = ''] = MISSING.exec(finding.message) ?? [];
    if (whole === undefined) return finding;
    const ref = `${kind} ${key ?? name}`;
    const refusal = refusals.get(ref);
    return refusal === undefined ? finding : toRefused(finding, whole, ref, refusal);
  });
}

function toRefused(finding: Finding, whole: string, ref: string, refusal: Finding): Finding {
  const { position } = refusal.origin;
  const where = position === undefined ? '' : ` at ${formatPosition(position)}`;
  return {
    ...finding,
    message: finding.message.replace(whole, () => `${ref} was refused${where}`),
    hint: `it is there, and not valid: ${refusal.message}`,
  };
}
