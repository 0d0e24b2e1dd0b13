// Header names that some backends take for another one: whoever hands fields to programs as variables
// (CGI, WSGI and their kin) writes X_Forwarded_For and X-Forwarded-For the same way.

/** Names said by a proxy alone, or that frame a message. Those without a dash cannot be disguised. */
const OURS =
  /^(?:x-forwarded-.*|x-fairway-.*|x-real-ip|content-length|transfer-encoding|keep-alive|proxy-connection|http2-settings)$/;

/** True for a name with an underscore that, read with dashes instead, is `name` (in lower case). */
export function isAlias(given: string, name: string): boolean {
  if (given.length !== name.length || !given.includes('_')) return false;
  return given.toLowerCase().replaceAll('_', '-') === name.replaceAll('_', '-');
}

/**
 * True for a name with an underscore that, read with dashes instead, is one that proxies set or trust.
 * Clients may not send such fields; any other name with an underscore is as good as any.
 */
export function isDisguised(name: string): boolean {
  return name.includes('_') && OURS.test(name.toLowerCase().replaceAll('_', '-'));
}
