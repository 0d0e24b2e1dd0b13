// Which fields may stand in trailers, in either version of HTTP.
//
// Budget: one look into a Set for each trailer. Allocates nothing.

/** Fields that frame, route, authenticate or describe the message, and so come too late (RFC 9110 6.5.1). */
const FORBIDDEN: ReadonlySet<string> = new Set([
  'authorization',
  'cache-control',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'max-forwards',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'range',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'www-authenticate',
]);

/** Whether a trailer of that name, in lower case, goes on. Some backends read underscores as dashes. */
export function isTrailerAllowed(name: string): boolean {
  return !FORBIDDEN.has(name) && !FORBIDDEN.has(name.replaceAll('_', '-'));
}
