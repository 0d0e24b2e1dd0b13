// What the data path counts: plain numbers in one object for each worker, read by the control plane.

export interface Counters {
  connectionsAccepted: number;
  connectionsOpen: number;
  requests: number;
  /** Answered by us because the client's bytes were not a valid request, by a limit or a timeout. */
  badRequests: number;
  /** No listener, host or rule took the request. */
  notFound: number;
  /** No endpoint could be reached. */
  backendUnavailable: number;
  /** A connect that failed and was tried on the next endpoint. */
  connectRetries: number;
  /** A backend broke off, or answered what is no valid response. */
  backendErrors: number;
  /** A request tried again because its rule says so. */
  retries: number;
  /** A time that a rule sets ran out. */
  timeouts: number;
  /** Copies of requests: under way, sent, and given up or not made. */
  mirrorsOpen: number;
  mirrorsSent: number;
  mirrorsDropped: number;
  /** Questions to services about requests, those that were answered with no, and that got no answer. */
  authAsked: number;
  authDenied: number;
  authFailed: number;
  tunnels: number;
  relayedConnections: number;
  relayedDatagrams: number;
}

export function newCounters(): Counters {
  return {
    connectionsAccepted: 0,
    connectionsOpen: 0,
    requests: 0,
    badRequests: 0,
    notFound: 0,
    backendUnavailable: 0,
    connectRetries: 0,
    backendErrors: 0,
    retries: 0,
    timeouts: 0,
    mirrorsOpen: 0,
    mirrorsSent: 0,
    mirrorsDropped: 0,
    authAsked: 0,
    authDenied: 0,
    authFailed: 0,
    tunnels: 0,
    relayedConnections: 0,
    relayedDatagrams: 0,
  };
}
