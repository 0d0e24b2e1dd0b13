// A question in the protocol of Envoy's ext_authz, and what its answer makes of a request.
//
// Budget: small beside the call itself. Allocates the call and its verdict.

import { Buffer } from 'node:buffer';
import type { GrpcQuestion, HeaderValue } from '../../../../model/filter.ts';
import type { FilterProgram } from '../../program.ts';
import type { Routed } from '../dispatch.ts';
import { withForwarded } from '../forwarded.ts';
import { fieldValue } from '../fields.ts';
import type { Fields, RequestHead } from '../stream.ts';
import { isSaidBy, isValidField, named, without } from './fields.ts';
import { CHECK_PATH, readCheckResponse, writeCheckRequest } from './messages.ts';
import type { HeaderOption } from './messages.ts';

/** Flag and length before each message. */
const PREFIX_BYTES = 5;

/** The head of the call. */
export function grpcQuestion({ entry }: Routed, authority: string): RequestHead {
  return {
    method: 'POST',
    target: CHECK_PATH,
    authority,
    scheme: entry.scheme,
    fields: ['content-type', 'application/grpc', 'te', 'trailers'],
    contentLength: 0,
    protocol: '',
    expectContinue: false,
  };
}

/** The one message of the call. */
export function grpcMessage(
  { sends }: GrpcQuestion,
  routed: Routed,
  body: Buffer,
  nowMs: number,
): Buffer {
  const { head, client, target, entry } = routed;
  const headers = new Map<string, string>();
  const fields = named(withForwarded(routed), sends);
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!.toLowerCase();
    const before = headers.get(name);
    headers.set(name, before === undefined ? fields[i + 1]! : `${before},${fields[i + 1]!}`);
  }
  const message = writeCheckRequest({
    clientAddress: client.address,
    serverName: client.serverName ?? '',
    method: head.method,
    headers,
    path: target.path + target.query,
    host: head.authority,
    scheme: entry.scheme,
    size: body.length > 0 ? body.length : head.contentLength,
    body,
    nowMs,
  });
  const framed = Buffer.alloc(PREFIX_BYTES + message.length);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX_BYTES);
  return framed;
}

export type GrpcVerdict =
  | {
      readonly kind: 'allowed';
      readonly fields: Fields;
      readonly query: string;
      /** Changes to the response; null for none. */
      readonly response: FilterProgram | null;
    }
  | {
      readonly kind: 'denied';
      readonly status: number;
      readonly fields: Fields;
      readonly body: Buffer;
    };

/** What the answer says; null when it is no valid one. `trailers` may have come in place of it all. */
export function readVerdict(
  message: Buffer,
  trailers: Fields,
  { head, target }: Routed,
): GrpcVerdict | null {
  if (fieldValue(trailers, 'grpc-status') !== '0' || message.length < PREFIX_BYTES) return null;
  // A compressed message was not asked for.
  if (message[0] !== 0 || message.readUInt32BE(1) !== message.length - PREFIX_BYTES) return null;
  let response;
  try {
    response = readCheckResponse(message.subarray(PREFIX_BYTES));
  } catch {
    return null;
  }
  const { code, denied, ok } = response;
  if (code !== 0) {
    // What looks like success would tell the client that all went well.
    const status = denied.status >= 300 && denied.status <= 599 ? denied.status : 403;
    return {
      kind: 'denied',
      status,
      fields: applyOptions([], denied.headers),
      body: denied.body,
    };
  }
  // What the service says of a request must not be said by the client as well, in another spelling.
  const setting = ok.headers.filter(({ action }) => action !== 'add');
  const said = new Set(setting.map((option) => checked(option).name));
  const removed = new Set(ok.removed.map((name) => name.toLowerCase()));
  const kept = without(
    head.fields,
    (name) => isSaidBy(removed, name) || (!said.has(name) && isSaidBy(said, name)),
  );
  return {
    kind: 'allowed',
    fields: applyOptions(kept, ok.headers),
    query: changeQuery(target.query, ok.queryParams, ok.queryParamsRemoved),
    response: responseChanges(ok.responseHeaders),
  };
}

/** The fields with what the options make of them. What cannot stand in a head is left out. */
function applyOptions(fields: Fields, options: readonly HeaderOption[]): Fields {
  let out = fields;
  for (const option of options) {
    const { name, value } = checked(option);
    if (!isValidField(name, value)) continue;
    const isThere = fieldValue(out, name) !== undefined;
    if (option.action === 'addIfAbsent' && isThere) continue;
    if (option.action === 'setIfPresent' && !isThere) continue;
    if (option.action !== 'add') out = without(out, (n) => n === name);
    out = [...out, name, value];
  }
  return out;
}

function responseChanges(options: readonly HeaderOption[]): FilterProgram | null {
  const set: HeaderValue[] = [];
  const add: HeaderValue[] = [];
  for (const option of options) {
    const field = checked(option);
    if (!isValidField(field.name, field.value)) continue;
    // What the response has is not known yet: a header that is only there to be replaced is set.
    if (option.action === 'add') add.push(field);
    else set.push(field);
  }
  if (set.length + add.length === 0) return null;
  return { kind: 'responseHeaders', set, add, remove: [] };
}

/** Bytes as they stand in a head. */
function checked({ name, value }: HeaderOption): HeaderValue {
  return { name: name.toLowerCase(), value: value.toString('latin1').trim() };
}

function changeQuery(
  query: string,
  set: readonly (readonly [string, string])[],
  removed: readonly string[],
): string {
  if (set.length + removed.length === 0) return query;
  const params = new URLSearchParams(query);
  for (const name of removed) params.delete(name);
  for (const [name, value] of set) params.set(name, value);
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}
