// Operational errors: something outside the program prevents what was asked for. What is wrong with
// the user's objects is a finding instead, and what is wrong with the program is an assertion.

export interface FairwayErrorOptions {
  /** What to do about it, as a sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
}

export class FairwayError extends Error {
  override readonly name = 'FairwayError';
  /** Stable and documented, as FW_PATH_NOT_FOUND. */
  readonly code: string;
  readonly hint: string | undefined;

  constructor(code: string, message: string, { hint, cause }: FairwayErrorOptions = {}) {
    super(message, { cause });
    this.code = code;
    this.hint = hint;
  }
}
