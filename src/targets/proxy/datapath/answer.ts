// Answers Fairway gives itself: refusals, redirects, and what went wrong with a backend.

import { LENGTH_UNKNOWN } from './stream.ts';
import type { Fields, Receiver, RequestHead, ServerStream } from './stream.ts';

/** Receives what nobody wants to know. */
const DISCARD: Receiver = {
  onBody: () => undefined,
  onEnd: () => undefined,
  onReset: () => undefined,
  onDrain: () => undefined,
};

/** Answers a request ourselves. The body, if any, says why in one line. */
export function answer(
  stream: ServerStream,
  head: Pick<RequestHead, 'method'>,
  status: number,
  reason: string,
  fields: Fields = [],
): Receiver {
  fields.push('date', httpDate());
  if (reason === '' || head.method === 'HEAD') {
    // A 204 has no length at all (RFC 9110 8.6).
    const contentLength = status === 204 ? LENGTH_UNKNOWN : 0;
    stream.sendHead({ status, fields, contentLength }, true);
    return DISCARD;
  }
  const body = Buffer.from(`${reason}\n`);
  fields.push('content-type', 'text/plain; charset=utf-8');
  stream.sendHead({ status, fields, contentLength: body.length }, false);
  stream.sendBody(body);
  stream.sendEnd(null);
  return DISCARD;
}

let dateSecond = 0;
let dateText = '';

/** The Date field of answers of our own; made once a second. */
function httpDate(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(second * 1000).toUTCString();
  }
  return dateText;
}
