// Hostnames and the patterns that take them: an exact name, `*.suffix` (one or more labels before the
// suffix), `?.suffix` (exactly one label), or the empty pattern, which takes every host.

/** The host of an authority in the form patterns are compared in: lower case, no port, no final dot. */
export function normalizeHost(authority: string): string {
  let end = authority.length;
  if (authority.charCodeAt(0) === 0x5b /* [ */) {
    end = authority.indexOf(']') + 1;
  } else {
    const colon = authority.indexOf(':');
    if (colon !== -1) end = colon;
    if (end > 0 && authority.charCodeAt(end - 1) === 0x2e /* . */) end--;
  }
  return authority.slice(0, end).toLowerCase();
}

/** True when `pattern` takes `host`, which is normalized. */
export function hostMatches(pattern: string, host: string): boolean {
  if (pattern === '') return true;
  if (pattern.startsWith('?.')) return host.slice(host.indexOf('.', 1)) === pattern.slice(1);
  if (!pattern.startsWith('*.')) return pattern === host;
  return host.length > pattern.length - 1 && host.endsWith(pattern.slice(1));
}

/**
 * What both patterns take, or undefined when nothing: `*.example.com` and `a.example.com` meet in
 * `a.example.com`.
 */
export function intersectHostnames(a: string, b: string): string | undefined {
  if (a === '' || a === b) return b;
  if (b === '') return a;
  const aWild = a.startsWith('*.');
  const bWild = b.startsWith('*.');
  if (!aWild && !bWild) return undefined;
  if (aWild && bWild) {
    // The longer of two nested wildcards is the narrower one.
    if (a.endsWith(b.slice(1))) return a;
    return b.endsWith(a.slice(1)) ? b : undefined;
  }
  const [wild, exact] = aWild ? [a, b] : [b, a];
  return hostMatches(wild, exact) ? exact : undefined;
}

/** Orders patterns by specificity: exact names, then wildcards by length, then the empty one. */
export function compareHostnames(a: string, b: string): number {
  return rank(a) - rank(b) || b.length - a.length || (a < b ? -1 : a > b ? 1 : 0);
}

function rank(pattern: string): number {
  if (pattern === '') return 2;
  return pattern.startsWith('*.') || pattern.startsWith('?.') ? 1 : 0;
}
