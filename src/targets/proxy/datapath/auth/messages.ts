// The messages of envoy.service.auth.v3.Authorization/Check that are sent and read here, field by field;
// fields of theirs that nothing comes of are skipped. Numbers are those of Envoy's API, v3.
//
// Budget: small beside the call itself. Allocates the message.

import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

export const CHECK_PATH = '/envoy.service.auth.v3.Authorization/Check';

/** What CheckRequest.attributes says of a request. */
export interface CheckedRequest {
  readonly clientAddress: string;
  /** Asked for in the handshake; empty without. */
  readonly serverName: string;
  readonly method: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** With the query. */
  readonly path: string;
  readonly host: string;
  readonly scheme: string;
  /** Of the body; -1 when nobody knows. */
  readonly size: number;
  readonly body: Buffer;
  readonly nowMs: number;
}

/** CheckRequest { 1 attributes: AttributeContext { 1 source, 4 request { 1 time, 2 http }, 12 tls_session } } */
export function writeCheckRequest(request: CheckedRequest): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.LengthDelimited).fork();
  writePeer(writer, request.clientAddress);
  writer.join();
  writer.tag(4, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.LengthDelimited).fork();
  writeTime(writer, request.nowMs);
  writer.join();
  writer.tag(2, WireType.LengthDelimited).fork();
  writeHttp(writer, request);
  writer.join();
  writer.join();
  if (request.serverName !== '') {
    writer.tag(12, WireType.LengthDelimited).fork();
    writeText(writer, 1, request.serverName);
    writer.join();
  }
  return writer.join().finish();
}

/** Peer { 1 address: Address { 1 socket_address: SocketAddress { 2 address } } } */
function writePeer(writer: BinaryWriter, clientAddress: string): void {
  writer.tag(1, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.LengthDelimited).fork();
  writeText(writer, 2, clientAddress);
  writer.join().join();
}

function writeTime(writer: BinaryWriter, nowMs: number): void {
  writer.tag(1, WireType.Varint).int64(Math.floor(nowMs / 1000));
  writer.tag(2, WireType.Varint).int32((nowMs % 1000) * 1_000_000);
}

/** HttpRequest; the body as `raw_body`, which need not be text. */
function writeHttp(writer: BinaryWriter, request: CheckedRequest): void {
  const { method, headers, path, host, scheme, size, body } = request;
  writeText(writer, 2, method);
  for (const [name, value] of headers) {
    writer.tag(3, WireType.LengthDelimited).fork();
    writeText(writer, 1, name);
    writeText(writer, 2, value);
    writer.join();
  }
  writeText(writer, 4, path);
  writeText(writer, 5, host);
  writeText(writer, 6, scheme);
  writer.tag(9, WireType.Varint).int64(size);
  if (body.length > 0) writer.tag(12, WireType.LengthDelimited).bytes(body);
}

function writeText(writer: BinaryWriter, field: number, text: string): void {
  if (text !== '') writer.tag(field, WireType.LengthDelimited).string(text);
}

/** What to do with a header field. */
export interface HeaderOption {
  /** As sent: not checked yet. */
  readonly name: string;
  readonly value: Buffer;
  readonly action: 'add' | 'addIfAbsent' | 'set' | 'setIfPresent';
}

export interface CheckResponse {
  /** google.rpc.Status.code; 0 lets the request go on. */
  readonly code: number;
  readonly denied: {
    /** 0 when it does not say. */
    readonly status: number;
    readonly headers: readonly HeaderOption[];
    readonly body: Buffer;
  };
  readonly ok: {
    readonly headers: readonly HeaderOption[];
    readonly removed: readonly string[];
    readonly responseHeaders: readonly HeaderOption[];
    readonly queryParams: readonly (readonly [string, string])[];
    readonly queryParamsRemoved: readonly string[];
  };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** CheckResponse { 1 status, 2 denied_response, 3 ok_response }. Throws for what is no such message. */
export function readCheckResponse(bytes: Uint8Array): CheckResponse {
  let code = 0;
  const denied = { status: 0, headers: [] as HeaderOption[], body: Buffer.alloc(0) };
  const ok = {
    headers: [] as HeaderOption[],
    removed: [] as string[],
    responseHeaders: [] as HeaderOption[],
    queryParams: [] as (readonly [string, string])[],
    queryParamsRemoved: [] as string[],
  };
  eachField(bytes, {
    1: (reader) => eachField(reader.bytes(), { 1: (r) => (code = r.int32()) }),
    2: (reader) =>
      eachField(reader.bytes(), {
        1: (r) => eachField(r.bytes(), { 1: (s) => (denied.status = s.int32()) }),
        2: (r) => denied.headers.push(readHeaderOption(r.bytes())),
        3: (r) => (denied.body = Buffer.from(r.bytes())),
      }),
    3: (reader) =>
      eachField(reader.bytes(), {
        2: (r) => ok.headers.push(readHeaderOption(r.bytes())),
        5: (r) => ok.removed.push(r.string()),
        6: (r) => ok.responseHeaders.push(readHeaderOption(r.bytes())),
        7: (r) => ok.queryParams.push(readPair(r.bytes())),
        8: (r) => ok.queryParamsRemoved.push(r.string()),
      }),
  });
  return { code, denied, ok };
}

/** HeaderValueOption { 1 header { 1 key, 2 value, 3 raw_value }, 2 append: BoolValue, 3 append_action } */
function readHeaderOption(bytes: Uint8Array): HeaderOption {
  const option: Mutable<HeaderOption> = { name: '', value: Buffer.alloc(0), action: 'set' };
  eachField(bytes, {
    1: (reader) =>
      eachField(reader.bytes(), {
        1: (r) => (option.name = r.string()),
        2: (r) => (option.value = Buffer.from(r.bytes())),
        3: (r) => (option.value = Buffer.from(r.bytes())),
      }),
    // In answers to Check, a header replaces the one there is unless it says otherwise.
    2: (reader) =>
      eachField(reader.bytes(), { 1: (r) => (option.action = r.bool() ? 'add' : 'set') }),
    3: (reader) => (option.action = ACTIONS[reader.int32()] ?? option.action),
  });
  return option;
}

const ACTIONS: Readonly<Record<number, HeaderOption['action']>> = {
  1: 'addIfAbsent',
  2: 'set',
  3: 'setIfPresent',
};

/** QueryParameter { 1 key, 2 value } */
function readPair(bytes: Uint8Array): readonly [string, string] {
  let key = '';
  let value = '';
  eachField(bytes, { 1: (r) => (key = r.string()), 2: (r) => (value = r.string()) });
  return [key, value];
}

type Fields = Readonly<Record<number, (reader: BinaryReader) => unknown>>;

function eachField(bytes: Uint8Array, known: Fields): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    const read = known[field];
    if (read === undefined) reader.skip(type, field);
    else read(reader);
  }
}
