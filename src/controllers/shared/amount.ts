// A number of pods, or a share of them such as `25%`.

/** Resolves an amount against the whole; a share is rounded up or down to whole pods. */
export function resolveAmount(
  amount: number | string,
  total: number,
  round: 'up' | 'down',
): number {
  if (typeof amount === 'number') return amount;
  const share = (Number.parseInt(amount, 10) || 0) * total;
  return round === 'up' ? Math.ceil(share / 100) : Math.floor(share / 100);
}
