// JSON pointers (RFC 6901): text → the names on the way to a value.

/** `/spec/ports/0` → spec, ports, 0; '' is the whole document. Undefined when it is no pointer. */
export function parsePointer(text: string): readonly string[] | undefined {
  if (text === '') return [];
  if (!text.startsWith('/') || /~(?![01])/.test(text)) return undefined;
  return text
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** `-1` counts from the end: not in the RFC, but kube-apiserver takes it. Undefined when out of range. */
export function arrayIndex(token: string, length: number): number | undefined {
  if (!/^(?:0|-?[1-9][0-9]{0,9})$/.test(token)) return undefined;
  const index = Number(token);
  if (index < -length || index >= length) return undefined;
  return index < 0 ? index + length : index;
}
