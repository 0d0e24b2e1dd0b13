// Snippets of nginx configuration: read, and translated where they only set headers, answer, or let
// addresses in. A directive that changes nothing a client or a backend could see is passed over; any
// other one is named, and whoever has it is refused, lest a rule that was to protect be lost.

import { parseCidr } from '../../../lib/cidr.ts';
import type { HeaderValue } from '../../../model/filter.ts';
import type { TextTemplate } from '../../../model/template.ts';
import { parseText } from './variables.ts';

export interface Snippet {
  readonly requestSet: readonly { readonly name: string; readonly value: TextTemplate }[];
  readonly responseSet: readonly HeaderValue[];
  readonly responseAdd: readonly HeaderValue[];
  readonly responseRemove: readonly string[];
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly deniesAll: boolean;
  readonly answer?: { readonly statusCode: number; readonly text: string };
  /** Directives that are not understood, as they are written. */
  readonly unknown: readonly string[];
  /** Directives that change nothing that is seen from outside. */
  readonly passedOver: readonly string[];
}

const HARMLESS =
  /^(?:access_log|error_log|log_not_found|log_subrequest|proxy_buffering|proxy_buffers?|proxy_buffer_size|proxy_busy_buffers_size|proxy_request_buffering|client_body_buffer_size|client_header_buffer_size|large_client_header_buffers|gzip\w*|brotli\w*|keepalive_\w+|tcp_nodelay|tcp_nopush|sendfile|proxy_max_temp_file_size|proxy_temp_\w+|output_buffers|postpone_output|types_hash_\w+|variables_hash_\w+|opentelemetry\w*|opentracing\w*|proxy_http_version|server_tokens|proxy_ignore_client_abort|http2_\w+)$/;

export function parseSnippet(text: string): Snippet {
  const out: Draft = {
    requestSet: [],
    responseSet: [],
    responseAdd: [],
    responseRemove: [],
    allow: [],
    deny: [],
    deniesAll: false,
    answer: undefined,
    unknown: [],
    passedOver: [],
  };
  for (const { words, source } of statements(text)) {
    if (!translate(words, out)) out.unknown.push(source);
  }
  const { answer, ...rest } = out;
  return answer === undefined ? rest : { ...rest, answer };
}

interface Draft {
  readonly requestSet: { readonly name: string; readonly value: TextTemplate }[];
  readonly responseSet: HeaderValue[];
  readonly responseAdd: HeaderValue[];
  readonly responseRemove: string[];
  readonly allow: string[];
  readonly deny: string[];
  deniesAll: boolean;
  answer: Snippet['answer'] | undefined;
  readonly unknown: string[];
  readonly passedOver: string[];
}

const NAME = /^[-A-Za-z0-9_]+$/;
/** What fields may hold: no control characters. */
// oxlint-disable-next-line no-control-regex -- control characters are what fields must not have
const VALUE = /^[^\0-\x08\x0a-\x1f\x7f]*$/;

/** Whether a header field may have the value. */
export function isFieldValue(value: string): boolean {
  return VALUE.test(value);
}

function translate(words: readonly string[], out: Draft): boolean {
  const [directive = '', first = '', second = '', ...rest] = words;
  switch (directive) {
    case 'add_header': {
      const onAll = rest.length === 1 && rest[0] === 'always';
      if (!isPlainHeader(first, second) || (rest.length > 0 && !onAll)) return false;
      out.responseAdd.push({ name: first.toLowerCase(), value: second });
      return true;
    }
    case 'more_set_headers':
      return words.slice(1).every((field) => setField(field, out));
    case 'more_clear_headers':
    case 'proxy_hide_header': {
      const names = words.slice(1);
      if (names.length === 0 || !names.every((name) => NAME.test(name))) return false;
      out.responseRemove.push(...names.map((name) => name.toLowerCase()));
      return true;
    }
    case 'proxy_set_header':
    case 'grpc_set_header': {
      if (!NAME.test(first) || !VALUE.test(second) || rest.length > 0) return false;
      const { template, unknown } = parseText(second);
      if (unknown.length > 0) return false;
      out.requestSet.push({ name: first.toLowerCase(), value: template });
      return true;
    }
    case 'return': {
      const statusCode = Number(first);
      if (!/^[2-5]\d\d$/.test(first) || rest.length > 0 || !VALUE.test(second)) return false;
      out.answer ??= { statusCode, text: second };
      return true;
    }
    case 'deny':
    case 'allow':
      return addRange(directive, first, out) && second === '';
    default:
      if (!HARMLESS.test(directive)) return false;
      out.passedOver.push(directive);
      return true;
  }
}

function isPlainHeader(name: string, value: string): boolean {
  return NAME.test(name) && VALUE.test(value) && !value.includes('$');
}

/** `X-Frame-Options: DENY`; without a value, the field is removed. */
function setField(field: string, out: Draft): boolean {
  const colon = field.indexOf(':');
  const name = colon === -1 ? field.trim() : field.slice(0, colon).trim();
  const value = colon === -1 ? '' : field.slice(colon + 1).trim();
  if (!isPlainHeader(name, value)) return false;
  if (value === '') out.responseRemove.push(name.toLowerCase());
  else out.responseSet.push({ name: name.toLowerCase(), value });
  return true;
}

/** The first that takes an address decides; only the usual order can be said: some, then the rest. */
function addRange(directive: 'allow' | 'deny', range: string, out: Draft): boolean {
  if (out.deniesAll) return true;
  if (range === 'all') {
    if (directive === 'deny') out.deniesAll = true;
    return true;
  }
  if (parseCidr(range) === undefined) return false;
  if (directive === 'deny' && out.allow.length > 0) return false;
  out[directive].push(range);
  return true;
}

interface Statement {
  readonly words: readonly string[];
  readonly source: string;
}

/** Statements that end in a semicolon, and blocks as one word that nothing takes. */
function statements(text: string): readonly Statement[] {
  const found: Statement[] = [];
  let words: string[] = [];
  let start = -1;
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    if (/\s/.test(c)) continue;
    if (c === '#') {
      const end = text.indexOf('\n', i);
      i = end === -1 ? text.length : end;
      continue;
    }
    if (start === -1) start = i;
    if (c === ';') {
      if (words.length > 0) found.push({ words, source: clip(text.slice(start, i)) });
      words = [];
      start = -1;
    } else if (c === '{') {
      i = endOfBlock(text, i);
      found.push({ words: ['{'], source: clip(text.slice(start, i + 1)) });
      words = [];
      start = -1;
    } else {
      const [word, end] = readWord(text, i);
      words.push(word);
      i = end;
    }
  }
  // What does not end is a mistake.
  if (words.length > 0) found.push({ words: ['{'], source: clip(text.slice(start)) });
  return found;
}

function endOfBlock(text: string, from: number): number {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    if (text[i] === '{') depth++;
    if (text[i] === '}' && --depth === 0) return i;
  }
  return text.length;
}

/** A word, and the index of its last character. */
function readWord(text: string, from: number): readonly [string, number] {
  const quote = text[from] === '"' || text[from] === "'" ? text[from] : undefined;
  let word = '';
  let i = quote === undefined ? from : from + 1;
  for (; i < text.length; i++) {
    const c = text[i] as string;
    if (c === '\\' && i + 1 < text.length) {
      word += text[++i];
    } else if (quote === undefined ? /[\s;{]/.test(c) : c === quote) {
      break;
    } else {
      word += c;
    }
  }
  return [word, quote === undefined ? i - 1 : i];
}

function clip(source: string): string {
  const line = source.replaceAll(/\s+/g, ' ').trim();
  return line.length > 80 ? `${line.slice(0, 80)}…` : line;
}
