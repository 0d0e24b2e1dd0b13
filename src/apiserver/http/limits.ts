// How much of anything a client may ask of the API.

export const API_LIMITS = {
  /** Bytes of a request's body, as kube-apiserver allows. */
  bodyBytesMax: 3 * 1024 * 1024,
  /** Bytes of a refused body that are read and thrown away, so that the client sees the answer. */
  discardBytesMax: 16 * 1024 * 1024,
  /** Bytes of a request's head. */
  headBytesMax: 64 * 1024,
  /** Watches at once. */
  watchesMax: 2_000,
  /** Bytes a watch may be behind; a client that reads more slowly is cut off and lists again. */
  watchBehindBytesMax: 16 * 1024 * 1024,
  /** Connections at once. */
  connectionsMax: 4_000,
  /** A head has to be there after this long, and the whole request after that. */
  headMs: 10_000,
  requestMs: 60_000,
  /** How deep JSON may be. */
  depthMax: 200,
} as const;
