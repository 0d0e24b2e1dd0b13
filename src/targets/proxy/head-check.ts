// Whether a request gets as far as routing: the data path's own reading of its head, asked of the request
// as a client would send it by HTTP/1.1.

import type { RequestFate, RequestProbe } from '../../model/answer.ts';
import { parseRequestHead } from './datapath/h1/head.ts';
import type { Limits } from './datapath/limits.ts';

/** The answer a request gets for its head alone; undefined when there is nothing wrong with it. */
export function refusalOf(
  probe: RequestProbe,
  hosts: readonly string[],
  limits: Limits,
): RequestFate | undefined {
  const { method, target, headers, scheme } = probe;
  const named = hosts.length === 0 ? [probe.host] : hosts;
  const fields = [...named.map((host) => ['Host', host] as const), ...headers];
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`);
  const text = `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`;
  // Heads are read byte by byte.
  const head = Buffer.from(text, 'utf8').toString('latin1');
  if (head.length > limits.headBytesMax) {
    return { kind: 'respond', statusCode: 431, reason: 'the head is too long' };
  }
  const parsed = parseRequestHead(head, scheme, limits);
  if (!('status' in parsed)) return undefined;
  return { kind: 'respond', statusCode: parsed.status, reason: parsed.reason };
}
