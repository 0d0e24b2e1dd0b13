// What the control plane may know of what the data path sees: the names of its counters, the numbers
// themselves, and what is to be told of requests. Nothing that runs for a request.

export { COUNTERS, GAUGES } from './datapath/counters.ts';
export { H2_COUNTERS } from './datapath/h2/shared.ts';
export type { Observation } from './datapath/observe/observer.ts';
export { DURATION_BUCKETS } from './datapath/tally.ts';
export type { TallyRead } from './datapath/tally.ts';
