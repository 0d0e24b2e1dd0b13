// The header Accept → its clauses, the most wanted first (RFC 9110 §12.5.1).

/** Longer headers are read up to here; real ones stay below 500. */
const ACCEPT_CHARS_MAX = 8192;
const CLAUSES_MAX = 64;

export interface AcceptClause {
  /** `application/json`, `application/*`, or any type; in lower case. */
  readonly type: string;
  /** 0 to 1; 0 is a refusal. */
  readonly quality: number;
  /** Names in lower case; without q. */
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * The clauses of the header, by quality, then the more specific first, then as they stand. What is no
 * media type is passed over; no header accepts everything.
 */
export function parseAccept(header: string | undefined): readonly AcceptClause[] {
  const text = (header ?? '').slice(0, ACCEPT_CHARS_MAX).trim();
  const clauses = split(text === '' ? '*/*' : text, ',')
    .slice(0, CLAUSES_MAX)
    .flatMap(parseClause);
  // Among equals the order of the header counts: kubectl asks for Table v1 before v1beta1.
  return clauses.toSorted((a, b) => b.quality - a.quality || wildcards(a.type) - wildcards(b.type));
}

function parseClause(text: string): AcceptClause[] {
  const [type = '', ...rest] = split(text, ';').map((part) => part.trim());
  if (!/^(?:\*\/\*|[\w!#$&^.+-]+\/(?:\*|[\w!#$&^.+-]+))$/.test(type)) return [];
  const parameters = new Map<string, string>();
  for (const part of rest) {
    const [, name, value = ''] = /^([^=\s]+)\s*=\s*(.*)$/s.exec(part) ?? [];
    if (name !== undefined) parameters.set(name.toLowerCase(), unquoted(value));
  }
  const quality = qualityOf(parameters.get('q'));
  parameters.delete('q');
  return [{ type: type.toLowerCase(), quality, parameters }];
}

/** What cannot be read counts as not said. */
function qualityOf(text: string | undefined): number {
  return text !== undefined && /^(?:0(?:\.\d*)?|1(?:\.0*)?|\.\d+)$/.test(text) ? Number(text) : 1;
}

function wildcards(type: string): number {
  return type === '*/*' ? 2 : Number(type.endsWith('/*'));
}

function unquoted(value: string): string {
  const quoted = /^"(.*)"$/s.exec(value)?.[1];
  return quoted === undefined ? value.trim() : quoted.replace(/\\(.)/gs, '$1');
}

/** Splits at a separator that does not stand between quotes. */
function split(text: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted && c === '\\') i++;
    else if (c === '"') quoted = !quoted;
    else if (c === separator && !quoted) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  return [...parts, text.slice(start)];
}
