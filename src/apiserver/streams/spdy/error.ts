// What a peer does that no SPDY peer may do. It ends the connection, never the program.

export class SpdyError extends Error {
  override readonly name = 'SpdyError';
}
