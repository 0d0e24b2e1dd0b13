// Heads → Latin-1 text. Fields come from our own parser, from a filter or from HTTP/2 and have been
// checked there; the last check stands here, because a line break in a value would be a new field.
//
// Budget: 1 µs for a head of 13 fields. Allocates its text. Guarded by bench/proxy.ts.

import { STATUS_CODES } from 'node:http';
import { LENGTH_UNKNOWN } from '../stream.ts';
import type { Fields, RequestHead, ResponseHead } from '../stream.ts';

/** A line break or NUL anywhere in a name or a value. */
const BREAKS = /[\r\n\0]/;

/** `name: value` lines. A field that could break out of its line is left out. */
export function writeFields(fields: Fields): string {
  let text = '';
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!;
    const value = fields[i + 1]!;
    // One by one: to look at the joined line would copy it first, which takes several times as long.
    if (!BREAKS.test(name) && !BREAKS.test(value)) text += `${name}: ${value}\r\n`;
  }
  return text;
}

/** The head of a request to a backend. `chunked` says how a body of unknown length is framed. */
export function writeRequestHead(head: RequestHead, hasBody: boolean): string {
  let text = `${head.method} ${head.target} HTTP/1.1\r\nhost: ${head.authority}\r\n`;
  text += writeFields(head.fields);
  if (head.protocol !== '') text += `connection: upgrade\r\nupgrade: ${head.protocol}\r\n`;
  if (head.expectContinue) text += 'expect: 100-continue\r\n';
  if (!hasBody) {
    if (needsLength(head.method)) text += 'content-length: 0\r\n';
  } else if (head.contentLength === LENGTH_UNKNOWN) text += 'transfer-encoding: chunked\r\n';
  else text += `content-length: ${head.contentLength}\r\n`;
  return `${text}\r\n`;
}

/** Methods whose requests say that they have no body, because servers expect one (RFC 9110 8.6). */
function needsLength(method: string): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH';
}

/** The head of a response. `framing` is the line that says how long the body is, and its like. */
export function writeResponseHead(head: ResponseHead, framing: string): string {
  return `${statusLine(head.status)}${writeFields(head.fields)}${framing}\r\n`;
}

const statusLines = new Map<number, string>();

function statusLine(status: number): string {
  let line = statusLines.get(status);
  if (line === undefined) {
    line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
    statusLines.set(status, line);
  }
  return line;
}
