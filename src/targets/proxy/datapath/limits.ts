// Every limit of the data path, by name, with its default. A limit that is passed is answered as its
// comment says and counted under its own name.
//
// Not hot: read once for each connection, or as a field.

export interface Limits {
  /** Bytes of a request target; more is 414. */
  readonly targetBytesMax: number;
  /** Bytes of a head (request line or status line and all fields); more is 431 (502 from a backend). */
  readonly headBytesMax: number;
  /** Bytes of a request's body; more is 413. 0: as many as come. Policies of rules may say less. */
  readonly bodyBytesMax: number;
  /** Header fields in a head; more is 431 (502 from a backend). */
  readonly headFieldsMax: number;
  /** Time from a request's first byte to the end of its head; then 408. */
  readonly headTimeoutMs: number;
  /** Time without a byte of a body in either direction; then the stream is reset. */
  readonly bodyIdleTimeoutMs: number;
  /** Time for a whole request and its response, where its rule says nothing; then 504. 0: no limit. */
  readonly requestTimeoutMs: number;
  /** Time without a byte on an upgraded connection; then it is closed. */
  readonly tunnelIdleTimeoutMs: number;
  /** Time without a byte on a connection that is handed on whole; then it is closed. */
  readonly relayIdleTimeoutMs: number;
  /** Time without a datagram after which a UDP client is forgotten. */
  readonly udpIdleTimeoutMs: number;
  /** UDP clients of one address of a Service or, in each worker, of a Gateway; datagrams of more are dropped. */
  readonly udpFlowsMax: number;
  /** Time a client connection may wait for its next request; then it is closed. */
  readonly keepAliveTimeoutMs: number;
  /** Time an unused connection to a backend is kept. */
  readonly backendIdleTimeoutMs: number;
  /** Time without a byte from a backend that has a request; then 504. */
  readonly backendResponseTimeoutMs: number;
  /** Interim responses (1xx) to one request; with one more the backend is cut, and it is 502. */
  readonly interimsMax: number;
  /** Time to connect to a backend; then the next endpoint is tried. */
  readonly connectTimeoutMs: number;
  /** Endpoints one request may be tried on when connecting fails; then 503. */
  readonly connectAttemptsMax: number;
  /** Connections of one worker; one more is closed at once. 0: 0.4 of the descriptors there are, shared by the workers. */
  readonly connectionsMax: number;
  /** Places, an address and a port each, that Gateways are served on; those that came last are not opened. 0: 0.15 of the descriptors there are, shared by the workers. */
  readonly placesMax: number;
  /** Connections on one listening port, in each worker; one more is closed at once. 0: no limit. */
  readonly connectionsPerListenerMax: number;
  /** Connections from one client address, in each worker; one more is closed at once. 0: no limit. */
  readonly connectionsPerAddressMax: number;
  /** Requests a worker has under way; one more is 503 with Retry-After. */
  readonly requestsMax: number;
  /** Connections a worker has to one endpoint; requests beyond wait for one. */
  readonly backendConnectionsMax: number;
  /** Requests of a worker that wait for a connection to their endpoint; one more is 503 with Retry-After. */
  readonly pendingRequestsMax: number;
  /** Time a request waits so; then the next endpoint is tried. */
  readonly pendingTimeoutMs: number;
  /** Memory of the process, in bytes, of which 80 % are used before requests are refused with 503. 0: all there is. */
  readonly memoryBytesMax: number;
  /** Requests to an endpoint that fail in a row before it is passed over. */
  readonly ejectAfterFailures: number;
  /** Time an endpoint is passed over first; twice as long each time it fails again. */
  readonly ejectionMs: number;
  /** Longest time an endpoint is passed over. */
  readonly ejectionMsMax: number;
  /** Percent of a backend's endpoints that may be passed over; with more, all are used. */
  readonly ejectedPercentMax: number;
  /** Time in which a new endpoint comes to its full share. 0: at once. */
  readonly slowStartMs: number;
  /** Bytes of the access log waiting to be written, in each worker; lines beyond are dropped. */
  readonly logBytesMax: number;
  /** Time for a TLS handshake; then the connection is closed. */
  readonly handshakeTimeoutMs: number;
  /** Bytes of one chunk-size line of a chunked body, extensions included; more is 400. */
  readonly chunkLineBytesMax: number;
  /** Bytes of trailers; more is 400. */
  readonly trailerBytesMax: number;
  /** Bytes waiting to be written to one peer before the other side is paused. */
  readonly bufferedBytesMax: number;
  /** Times a request is sent again because its rule says so, however often that may be. */
  readonly retriesMax: number;
  /** Bytes of a request's body that are kept to send it again; a longer one is not tried again. */
  readonly retryBytesMax: number;
  /** Copies of requests (RequestMirror) a worker has under way; more are not made. */
  readonly mirrorsMax: number;
  /** Time for a service to say whether a request may go on (ExternalAuth); then 403. */
  readonly authTimeoutMs: number;
  /** Bytes of a request's body that are held to ask about it, whatever a filter allows; more is 413. */
  readonly authBodyBytesMax: number;
  /** Bytes of a good answer of such a service; more is 403. */
  readonly authAnswerBytesMax: number;
  /** Names of hosts outside (XBackend, ExternalName) that are looked up; more have no addresses. */
  readonly hostsMax: number;
  /** Addresses of one such host that requests go to. */
  readonly hostAddressesMax: number;
  /** Time for one try of a lookup; there are two. */
  readonly hostLookupTimeoutMs: number;
  /** Least and most time before a name is looked up again, whatever the answer's time to live says. */
  readonly hostTtlMsMin: number;
  readonly hostTtlMsMax: number;
  /** Time for which addresses are still used when nobody answers any more. */
  readonly hostStaleMs: number;
  /** Time a new program waits for the addresses of its new hosts. */
  readonly hostWaitMs: number;
  /** HTTP/2: streams a client may have open on a connection; more are refused. */
  readonly streamsMax: number;
  /** HTTP/2: what we let a peer send on one stream, and on a connection, before we have passed it on. */
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
  /** HTTP/2: resets (ours or theirs) in a burst and then per second; more is GOAWAY ENHANCE_YOUR_CALM. */
  readonly resetsBurst: number;
  readonly resetsPerSecond: number;
  /** HTTP/2: control frames (SETTINGS, PING, PRIORITY, empty DATA) in a burst and then per second. */
  readonly controlFramesBurst: number;
  readonly controlFramesPerSecond: number;
  /** HTTP/2: frames of one header block (HEADERS and its CONTINUATIONs); more is GOAWAY. */
  readonly headerFramesMax: number;
}

export const DEFAULT_LIMITS: Limits = {
  targetBytesMax: 8 * 1024,
  headBytesMax: 32 * 1024,
  bodyBytesMax: 0,
  headFieldsMax: 100,
  headTimeoutMs: 10_000,
  bodyIdleTimeoutMs: 60_000,
  requestTimeoutMs: 0,
  tunnelIdleTimeoutMs: 3_600_000,
  relayIdleTimeoutMs: 3_600_000,
  udpIdleTimeoutMs: 120_000,
  udpFlowsMax: 10_000,
  keepAliveTimeoutMs: 75_000,
  backendIdleTimeoutMs: 60_000,
  backendResponseTimeoutMs: 300_000,
  interimsMax: 32,
  connectTimeoutMs: 5_000,
  connectAttemptsMax: 3,
  connectionsMax: 0,
  placesMax: 0,
  connectionsPerListenerMax: 0,
  connectionsPerAddressMax: 0,
  requestsMax: 20_000,
  backendConnectionsMax: 4_096,
  pendingRequestsMax: 1_024,
  pendingTimeoutMs: 5_000,
  memoryBytesMax: 0,
  ejectAfterFailures: 5,
  ejectionMs: 500,
  ejectionMsMax: 2_000,
  ejectedPercentMax: 50,
  slowStartMs: 5_000,
  logBytesMax: 1024 * 1024,
  handshakeTimeoutMs: 10_000,
  chunkLineBytesMax: 4 * 1024,
  trailerBytesMax: 8 * 1024,
  bufferedBytesMax: 64 * 1024,
  retriesMax: 100,
  retryBytesMax: 64 * 1024,
  mirrorsMax: 1_000,
  authTimeoutMs: 10_000,
  authBodyBytesMax: 1024 * 1024,
  authAnswerBytesMax: 256 * 1024,
  hostsMax: 1_000,
  hostAddressesMax: 64,
  hostLookupTimeoutMs: 2_000,
  hostTtlMsMin: 5_000,
  hostTtlMsMax: 300_000,
  hostStaleMs: 600_000,
  hostWaitMs: 1_000,
  streamsMax: 100,
  streamWindowBytes: 64 * 1024,
  connectionWindowBytes: 1024 * 1024,
  resetsBurst: 200,
  resetsPerSecond: 33,
  controlFramesBurst: 1000,
  controlFramesPerSecond: 100,
  headerFramesMax: 8,
};
