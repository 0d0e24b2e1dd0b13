// Every limit of the streaming subresources, by name. What a client could make grow without end has one
// here; tests pass smaller ones.

export interface StreamLimits {
  /** Payload of a SPDY control frame. Header blocks are the only large ones. */
  readonly controlBytesMax: number;
  /** A SPDY header block after it was inflated. */
  readonly headerBytesMax: number;
  /** Headers in one block. */
  readonly headersMax: number;
  /** Open streams of one SPDY connection. A forwarded TCP connection takes two. */
  readonly streamsMax: number;
  /** Bytes received and not yet taken by whoever they are for; beyond it the socket is not read. */
  readonly bufferedBytesMax: number;
  /** Bytes written and not yet taken by the client; beyond it the socket is not read either. */
  readonly outputBytesMax: number;
  /** Payload of one data frame or message that is sent. */
  readonly chunkBytesMax: number;
  /** One WebSocket message that is received. */
  readonly messageBytesMax: number;
  /** How long nothing but pings may go over a connection. */
  readonly idleMs: number;
  /** How often the client is pinged: a write is how a socket that is not read notices its end. */
  readonly keepAliveMs: number;
  /** How long a client has to open the streams that belong together. */
  readonly streamCreationMs: number;
  /** How long a connection that we have ended is still read, so that no reset eats our last words. */
  readonly lingerMs: number;
  /** How long a connection to a pod may take to come about. */
  readonly connectMs: number;
}

export const STREAM_LIMITS: StreamLimits = {
  controlBytesMax: 16 * 1024,
  headerBytesMax: 16 * 1024,
  headersMax: 64,
  streamsMax: 1024,
  bufferedBytesMax: 1024 * 1024,
  outputBytesMax: 1024 * 1024,
  chunkBytesMax: 32 * 1024,
  messageBytesMax: 4 * 1024 * 1024,
  // As kubelet's streamingConnectionIdleTimeout.
  idleMs: 4 * 3600 * 1000,
  keepAliveMs: 30_000,
  streamCreationMs: 30_000,
  lingerMs: 2000,
  connectMs: 10_000,
};
