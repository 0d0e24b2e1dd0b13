// Every condition Fairway writes: type, status, reason and words in one place, so that they read alike
// and a newcomer finds who says what. Times are added when a status is written (pipeline/).

/** A condition without the time of its last change. */
export interface Verdict {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

export function verdict(
  type: string,
  status: Verdict['status'],
  reason: string,
  message: string,
): Verdict {
  return { type, status, reason, message };
}

/** Something is wrong with a part of an object: the word for programs, the sentence for people. */
export interface Problem {
  readonly reason: string;
  readonly message: string;
  /** Where in the object: `spec.listeners[0].tls.certificateRefs[0]`. */
  readonly field: string;
  readonly hint?: string;
  readonly severity?: 'error' | 'warning' | 'info';
}

export function problem(reason: string, field: string, message: string, hint?: string): Problem {
  return hint === undefined ? { reason, field, message } : { reason, field, message, hint };
}

/** The condition that says there is no problem, or names all there are. */
export function verdictOf(
  type: string,
  problems: readonly Problem[],
  whenGood: { readonly reason: string; readonly message: string },
): Verdict {
  const [first] = problems;
  if (first === undefined) return verdict(type, 'True', whenGood.reason, whenGood.message);
  return verdict(type, 'False', first.reason, problems.map((p) => p.message).join('; '));
}
