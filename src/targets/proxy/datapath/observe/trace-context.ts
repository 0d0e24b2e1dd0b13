// `traceparent` (W3C Trace Context) and `x-request-id`: passed on as they came, or begun here.
//
// Budget: 0.3 µs for a request that brings none. Allocates the field list and the ids. Only when they
// are asked for in the configuration.

import { randomFillSync } from 'node:crypto';
import { fieldValue } from '../fields.ts';
import type { Fields } from '../stream.ts';

/** Version 00, or a later one whose first four parts are the same; ids that are all zero are none. */
const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-|$)/;
const REQUEST_ID = /^[\w.:/+=-]{1,128}$/;
const TRACE_BYTES = 16;
const SPAN_BYTES = 8;
const POOL_BYTES = (TRACE_BYTES + SPAN_BYTES) * 128;

/** Random bytes, made for many ids at a time. */
const pool = Buffer.allocUnsafeSlow(POOL_BYTES);
let poolAt = POOL_BYTES;

function randomHex(bytes: number): string {
  if (poolAt + bytes > POOL_BYTES) {
    randomFillSync(pool);
    poolAt = 0;
  }
  poolAt += bytes;
  return pool.toString('hex', poolAt - bytes, poolAt);
}

/** The fields with a trace: the client's, if it is one, or a new one that asks to be recorded. */
export function withTrace(fields: Fields): Fields {
  const given = fieldValue(fields, 'traceparent');
  if (given !== undefined && TRACEPARENT.test(given)) return fields;
  // What it says goes with a parent that is none (3.3.1: tracestate is of no use without one).
  const kept = without(fields, (name) => name === 'traceparent' || name === 'tracestate');
  kept.push('traceparent', `00-${randomHex(TRACE_BYTES)}-${randomHex(SPAN_BYTES)}-01`);
  return kept;
}

/** The client's id, if it is one we can write anywhere, or a new one; and the fields with it. */
export function withRequestId(fields: Fields): { readonly fields: Fields; readonly id: string } {
  const given = fieldValue(fields, 'x-request-id');
  if (given !== undefined && REQUEST_ID.test(given)) return { fields, id: given };
  const id = randomHex(TRACE_BYTES);
  const kept = without(fields, (name) => name === 'x-request-id');
  kept.push('x-request-id', id);
  return { fields: kept, id };
}

function without(fields: Fields, isGone: (lowerName: string) => boolean): Fields {
  const kept: Fields = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (!isGone(fields[i]!.toLowerCase())) kept.push(fields[i]!, fields[i + 1]!);
  }
  return kept;
}
