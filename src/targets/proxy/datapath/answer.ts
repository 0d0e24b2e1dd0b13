// Answers Fairway gives itself: refusals, redirects, and what went wrong with a backend.
//
// Budget: as a response from a backend. Allocates the head and the line of text. Guarded by
// bench/proxy.ts.

import { escapeGrpcMessage, grpcStatusOf, isGrpcContentType } from '../../../lib/grpc-status.ts';
import { fieldValue } from './fields.ts';
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
  head: Pick<RequestHead, 'method' | 'fields'>,
  status: number,
  reason: string,
  fields: Fields = [],
): Receiver {
  if (status >= 400 && isGrpcContentType(fieldValue(head.fields, 'content-type') ?? '')) {
    return answerCall(stream, status, reason, fields);
  }
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

/** A gRPC client reads its status from trailers, which may come in place of everything else. */
function answerCall(
  stream: ServerStream,
  status: number,
  reason: string,
  fields: Fields,
): Receiver {
  fields.push('content-type', 'application/grpc', 'grpc-status', String(grpcStatusOf(status)));
  if (reason !== '') fields.push('grpc-message', escapeGrpcMessage(reason));
  stream.sendHead({ status: 200, fields, contentLength: LENGTH_UNKNOWN }, true);
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
