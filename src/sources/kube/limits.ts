// How long and how large what an API server says may be, and how it is asked.

export const KUBE_LIMITS = {
  /** Objects on one page of a list. */
  pageObjects: 500,
  /** Lists whose pages run out under us are begun anew so often; then they are asked for whole. */
  pagedListsMax: 2,
  /** Until an answer begins. */
  headMs: 30_000,
  /** Until a list or an object is there. */
  bodyMs: 120_000,
  bodyBytesMax: 512 * 1024 * 1024,
  /** One event of a watch. */
  lineCharsMax: 16 * 1024 * 1024,
  messageCharsMax: 300,
  /** Watches end by themselves after this time, and up to twice that, so that not all come back at once. */
  watchSecondsMin: 300,
  /** A watch that is not ended by then is broken. */
  watchGraceMs: 30_000,
  /** A watch that ends sooner than this counts as a failure: it is not begun again at once. */
  watchShortMs: 1000,
  backoffMinMs: 200,
  backoffMaxMs: 10_000,
  /** Changes that come within this time are one update. */
  batchMs: 20,
} as const;
