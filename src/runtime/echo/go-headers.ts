// Request headers as Go's net/http presents them to a handler: canonical names, repeated lines kept apart, Host and
// the framing headers taken out. Works on Node's rawHeaders, because `headers` joins and drops repeated lines.

/** Canonical-Name → values in the order received. Names are in alphabetical order. */
export type GoHeaders = Readonly<Record<string, readonly string[]>>;

/** Bounded so that a client inventing names cannot grow it: beyond this, names are computed each time. */
const CANONICAL_NAMES_MAX = 1_024;
const canonicalNames = new Map<string, string>();
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** `x-echo-SET-header` → `X-Echo-Set-Header`. A name that is no token (RFC 9110 §5.6.2) is left alone. */
export function canonicalName(name: string): string {
  const known = canonicalNames.get(name);
  if (known !== undefined) return known;
  const canonical = TOKEN.test(name)
    ? name
        .toLowerCase()
        .replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase())
    : name;
  if (canonicalNames.size < CANONICAL_NAMES_MAX) canonicalNames.set(name, canonical);
  return canonical;
}

/** Whether a name may be sent as a header field name. */
export function isToken(name: string): boolean {
  return TOKEN.test(name);
}

/** Never shown to a Go handler: Host has its own field, the others describe the message's framing. */
const HIDDEN = new Set(['Host', 'Transfer-Encoding', 'Trailer']);

/** Turns Node's flat list (name, value, name, value …) of either HTTP version into what a Go handler sees. */
export function goHeaders(rawHeaders: readonly string[], isHttp2: boolean): GoHeaders {
  const seen = new Map<string, string[]>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const raw = rawHeaders[at] ?? '';
    if (raw.startsWith(':')) continue;
    const name = canonicalName(raw);
    if (HIDDEN.has(name) && !(isHttp2 && name !== 'Trailer')) continue;
    const values = seen.get(name);
    const value = utf8(rawHeaders[at + 1] ?? '');
    if (values === undefined) seen.set(name, [value]);
    else values.push(value);
  }
  applyGoQuirks(seen, isHttp2);
  const out: Record<string, readonly string[]> = Object.create(null);
  for (const name of [...seen.keys()].toSorted()) out[name] = seen.get(name) ?? [];
  return out;
}

function applyGoQuirks(seen: Map<string, string[]>, isHttp2: boolean): void {
  if (!isHttp2) {
    // RFC 9111 §5.4: an old client's `Pragma: no-cache` counts as Cache-Control, and Go adds it.
    if (seen.get('Pragma')?.[0] === 'no-cache' && !seen.has('Cache-Control'))
      seen.set('Cache-Control', ['no-cache']);
    return;
  }
  // RFC 9113 §8.2.3: a client may split Cookie for better compression; it is put together again.
  const cookies = seen.get('Cookie');
  if (cookies !== undefined) seen.set('Cookie', [cookies.join('; ')]);
  if (seen.get('Expect')?.some((value) => /(^|,)\s*100-continue\s*(,|$)/i.test(value)))
    seen.delete('Expect');
}

const NOT_ASCII = /[\u0080-\u00ff]/;

/** Node hands out header bytes as Latin-1; Go reads the same bytes as UTF-8. */
function utf8(value: string): string {
  return NOT_ASCII.test(value) ? Buffer.from(value, 'latin1').toString('utf8') : value;
}

/** The first value of a header (canonical name), or undefined. */
export function firstHeader(headers: GoHeaders, name: string): string | undefined {
  return headers[name]?.[0];
}
