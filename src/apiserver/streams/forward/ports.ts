// Ports in queries and headers.

/** Ports of the query, as `?ports=80&ports=443` or `?port=80,443`; the text says what is wrong. */
export function parsePorts(
  query: URLSearchParams,
):
  | { readonly ok: true; readonly ports: readonly number[] }
  | { readonly ok: false; readonly message: string } {
  const texts = ['ports', 'port']
    .flatMap((name) => query.getAll(name))
    .flatMap((t) => t.split(','));
  const ports: number[] = [];
  for (const text of texts) {
    const port = parsePort(text);
    if (port === undefined)
      return { ok: false, message: `unable to parse ${JSON.stringify(text)} as a port` };
    ports.push(port);
  }
  if (ports.length > PORTS_MAX) return { ok: false, message: `more than ${PORTS_MAX} ports` };
  return { ok: true, ports };
}

/** Two channels each, and a channel's number is one byte. */
const PORTS_MAX = 127;

/** A port from 1 to 65535 in decimal. */
export function parsePort(text: string): number | undefined {
  if (!/^[1-9]\d{0,4}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 0xffff ? port : undefined;
}
