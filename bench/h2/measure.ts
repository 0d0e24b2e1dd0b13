// Times a function: warms it up, then takes the best of several rounds, which on a shared machine is the
// steadiest number there is.

const ROUNDS = 7;
const ROUND_MS = 150;

/** Nanoseconds one call takes. `operations` is how many one call stands for. */
export function nanosecondsPer(operations: number, call: () => void): number {
  return Math.min(...nanosecondsOfRounds(operations, call));
}

/** Nanoseconds one call took in each of the rounds, for those who want to know how steady they were. */
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

/** Prints one line: what, the time, and what else there is to say. */
export function report(what: string, nanoseconds: number, more = ''): void {
  const time =
    nanoseconds < 10_000 ? `${nanoseconds.toFixed(0)} ns` : `${(nanoseconds / 1000).toFixed(1)} µs`;
  process.stdout.write(`${what.padEnd(64)} ${time.padStart(10)}  ${more}\n`);
}
