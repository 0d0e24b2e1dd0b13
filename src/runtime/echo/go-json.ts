// JSON text the way Go's encoding/json writes it: `<`, `>`, `&` and the two line separators are escaped even inside
// strings, which differs from JSON.stringify and is what clients of the echo images see.

/** One line, no spaces: Go's json.Marshal. */
export function marshal(value: unknown): string {
  return escapeForHtml(JSON.stringify(value));
}

/** Indented by one space per level, without a final newline: json.MarshalIndent(value, "", " "). */
export function marshalIndent(value: unknown): string {
  return escapeForHtml(JSON.stringify(value, null, 1));
}

const ESCAPED = /[<>&\u2028\u2029]/g;

function escapeForHtml(json: string): string {
  // These characters cannot occur in JSON outside strings, so the whole text may be rewritten at once.
  return json.replace(ESCAPED, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
