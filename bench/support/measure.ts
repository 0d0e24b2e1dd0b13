// Times a function: warms it up, then takes the best of several rounds, which on a shared machine is the
// steadiest number there is.

const ROUNDS = 7;
const ROUND_MS = 150;

/** Nanoseconds one call took in each of the rounds, the first after a warm-up. `operations` is how many one call stands for. */
export function nanosecondsOfRounds(operations: number, call: () => void): readonly number[] {
  const calls = callsIn(call);
  return Array.from({ length: ROUNDS }, () => {
    const start = process.hrtime.bigint();
    for (let at = 0; at < calls; at++) call();
    return Number(process.hrtime.bigint() - start) / calls / operations;
  });
}

/** How many calls fill a round; finding out is the warm-up. */
function callsIn(call: () => void): number {
  const end = performance.now() + ROUND_MS * 2;
  let calls = 0;
  while (performance.now() < end) {
    call();
    calls++;
  }
  return Math.max(1, Math.round(calls / 2));
}
