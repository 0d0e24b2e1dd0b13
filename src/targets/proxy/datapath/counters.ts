// What the data path counts, each under one name: violations of limits, answers of our own, work done.
//
// Numbers lie in one typed array for each worker, in memory the control plane shares: to count is one
// addition, and to read costs the worker nothing. What a worker counted outlives its crash.
//
// Budget: 1 ns for each count. Allocates nothing. Guarded by bench/proxy.ts.

/** Each counter with what it says, as /metrics has it. */
export const COUNTERS = {
  connectionsAccepted: 'Connections taken from clients',
  connectionsRefused: 'Connections over connectionsMax, closed at once',
  connectionsOverAddress: 'Connections over connectionsPerAddressMax, closed at once',
  requests: 'Requests read, valid or not',
  badRequests: 'Requests refused for what they were, or for a limit or time they passed',
  headsTooLarge: 'Heads over headBytesMax, headFieldsMax or targetBytesMax: 431 or 414',
  bodiesTooLarge: 'Requests over bodyBytesMax: 413',
  requestTimeouts: 'Requests whose head or body did not come in time: 408, or a reset',
  idleTimeouts: 'Client connections closed because nothing came, or nothing was read, for too long',
  notFound: 'Requests that no listener, host or rule took: 404',
  shedRequests: 'Requests refused for load, by requestsMax or memory: 503 with Retry-After',
  pendingOverflows:
    'Requests refused because too many waited for a connection to their endpoint: 503',
  pendingTimeouts: 'Requests that waited too long for a connection to their endpoint',
  backendUnavailable: 'Requests for which no endpoint could be reached: 503',
  connectRetries: 'Connects that failed and were tried on the next endpoint',
  resetRetries: 'Requests sent again because their connection broke off before any answer',
  backendErrors: 'Backends that broke off, or whose answer was not valid',
  ejections: 'Endpoints passed over for a while, because requests to them failed one after another',
  panics: 'Choices among all endpoints, because too many of them were ejected',
  retries: 'Requests tried again because their rule says so',
  timeouts: 'Times of rules that ran out: 504, or a reset',
  mirrorsSent: 'Copies of requests sent',
  mirrorsDropped: 'Copies of requests given up or not made',
  authAsked: 'Questions to services whether a request may go on',
  authDenied: 'Such questions that were answered with no',
  authFailed: 'Such questions that got no answer, which is a no: 403',
  budgetRefusals:
    'Requests not tried again because their backend has had its share of retries: 503',
  hostLookups: 'Names of hosts outside that were looked up',
  hostLookupsFailed: 'Such names for which nobody answered',
  hostsForbidden: 'Addresses of such hosts that requests may not be sent to',
  hostsDropped: 'Hosts outside beyond hostsMax',
  tunnels: 'Upgraded connections and extended CONNECTs',
  relayedConnections: 'Connections handed on whole',
  relayTimeouts: 'Connections handed on whole that were idle for too long',
  relayedDatagrams: 'Datagrams handed on',
  datagramsDropped: 'Datagrams of clients beyond udpFlowsMax',
  logLinesDropped: 'Lines of the access log that came faster than they could be written',
} as const;

/** What goes up and down: begins at zero with every worker. */
export const GAUGES = {
  connectionsOpen: 'Client connections open',
  requestsOpen: 'Requests under way to backends',
  pendingOpen: 'Requests waiting for a connection to their endpoint',
  mirrorsOpen: 'Copies of requests under way',
  underPressure:
    '1 while new requests are refused for want of memory, 2 while idle connections are closed',
} as const;

export type CounterName = keyof typeof COUNTERS | keyof typeof GAUGES;
export type Counters = Record<CounterName, number>;

const NAMES = [...Object.keys(COUNTERS), ...Object.keys(GAUGES)] as CounterName[];

/** How many numbers there are. */
export const COUNTER_COUNT = NAMES.length;

/** Counters over `values`, which hold one number for each name. */
export const newCounters: (values?: Float64Array) => Counters = namedNumbers(NAMES);

/** Sets to zero what the worker before had under way. */
export function resetGauges(counters: Counters): void {
  for (const name of Object.keys(GAUGES) as CounterName[]) counters[name] = 0;
}

/** The counters as they are now, as plain data. */
export function readCounters(values: Float64Array): Counters {
  return Object.fromEntries(NAMES.map((name, i) => [name, values[i] ?? 0])) as Counters;
}

/**
 * Makes objects whose properties are the numbers of an array: as quick as a field, since accessors of a
 * prototype are inlined.
 */
export function namedNumbers<N extends string>(
  names: readonly N[],
): (values?: Float64Array) => Record<N, number> {
  class Numbers {
    readonly values: Float64Array;

    constructor(values: Float64Array) {
      this.values = values;
    }
  }
  names.forEach((name, i) => {
    Object.defineProperty(Numbers.prototype, name, {
      get(this: Numbers) {
        return this.values[i];
      },
      set(this: Numbers, value: number) {
        this.values[i] = value;
      },
    });
  });
  return (values = new Float64Array(names.length)) =>
    new Numbers(values) as unknown as Record<N, number>;
}
