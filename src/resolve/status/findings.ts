// What resolvers found wrong with a part of an object → what people are told of it.

import type { Finding, Origin } from '../../api/finding.ts';
import type { Problem } from './conditions.ts';

export function toFinding(problem: Problem, origin: Origin): Finding {
  const { severity = 'error', reason, message, hint, field } = problem;
  return {
    severity,
    reason,
    message,
    ...(hint === undefined ? {} : { hint }),
    origin: { ...origin, field },
  };
}
