// The body of a request in Kubernetes' protobuf → the object as its JSON would have been. `kubectl
// create` and typed Go clients send such bodies for the built-in kinds. messages.ts says which kinds,
// notation.ts how they are written down, wire.ts reads the bytes.

import { bytesOf, int32Of, int64Of, isZero, leafOf, textField, textOf, zeroOf } from './leaves.ts';
import { messageNamed, messageOfKind } from './messages.ts';
import type { FieldDescriptor, Leaf } from './notation.ts';
import { BudgetError, LENGTH_DELIMITED, WireError, readFields, readPacked, spend } from './wire.ts';
import type { Budget, WireValue } from './wire.ts';

export const PROTOBUF_CONTENT_TYPE = 'application/vnd.kubernetes.protobuf';

export const PROTOBUF_LIMITS = {
  /** Bytes a body may have: what the API server takes. */
  bodyBytesMax: 3 * 1024 * 1024,
  /**
   * Fields that are read, known or not, and values that are made of them, those included that were not
   * sent and are filled in. Two bytes can make an empty container of several values, so bytes alone are
   * no limit. An EndpointSlice of a thousand endpoints takes 40,000.
   */
  valuesMax: 200_000,
} as const;

export interface DecodedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly [field: string]: unknown;
}

export interface DecodeFailure {
  /** `malformed` and `unsupported` ask for 400, `tooLarge` for 413. */
  readonly reason: 'malformed' | 'unsupported' | 'tooLarge';
  /** `Pod: spec.containers[0].name: the text is not UTF-8` */
  readonly message: string;
}

export type Decoded =
  | { readonly ok: true; readonly object: DecodedObject }
  | { readonly ok: false; readonly failure: DecodeFailure };

/** apiVersion and kind of a body that does not say them itself. */
export interface ExpectedType {
  readonly apiVersion: string;
  readonly kind: string;
}

const MAGIC = [0x6b, 0x38, 0x73, 0x00];

/** Decodes `k8s\0` and a runtime.Unknown. Never throws for what is in the bytes. */
export function decodeProtobuf(body: Uint8Array, expected?: ExpectedType): Decoded {
  const { bodyBytesMax } = PROTOBUF_LIMITS;
  if (body.length > bodyBytesMax) {
    return failed('tooLarge', `the body has ${body.length} bytes; ${bodyBytesMax} are allowed`);
  }
  if (MAGIC.some((byte, i) => body[i] !== byte)) {
    return failed('malformed', 'the body does not begin with the bytes k8s\\0');
  }
  const budget: Budget = { left: PROTOBUF_LIMITS.valuesMax };
  let type = expected ?? { apiVersion: '', kind: '' };
  try {
    const unknown = readFields(body.subarray(MAGIC.length), budget);
    type = typeOf(unknown.get(1), type, budget);
    const encoding = unknownText(unknown.get(3));
    const contentType = unknownText(unknown.get(4));
    if (encoding !== '')
      return failed('unsupported', `the content encoding ${encoding} is not read`);
    if (contentType !== '' && contentType !== PROTOBUF_CONTENT_TYPE) {
      return failed('unsupported', `the content type ${contentType} is not read within protobuf`);
    }
    const { apiVersion, kind } = type;
    const message = messageOfKind(apiVersion, kind);
    if (message === undefined) {
      const what = kind === '' ? 'an object of no kind' : `${kind} of ${apiVersion}`;
      return failed('unsupported', `${what} is not read as protobuf; send it as application/json`);
    }
    const decoder = new Decoder(budget);
    const fields = decoder.message(message, joined(unknown.get(2) ?? []), '');
    return { ok: true, object: { kind, apiVersion, ...fields } };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const tooMany = error instanceof BudgetError;
    const what = tooMany ? `more than ${PROTOBUF_LIMITS.valuesMax} values` : error.message;
    const where = [type.kind, error.path].filter((part) => part !== '');
    return failed(tooMany ? 'tooLarge' : 'malformed', [...where, what].join(': '));
  }
}

function failed(reason: DecodeFailure['reason'], message: string): Decoded {
  return { ok: false, failure: { reason, message } };
}

function typeOf(
  values: readonly WireValue[] | undefined,
  expected: ExpectedType,
  budget: Budget,
): ExpectedType {
  const typeMeta = joined(values ?? []);
  const apiVersion = textField(typeMeta, 1, budget);
  const kind = textField(typeMeta, 2, budget);
  return { apiVersion: apiVersion || expected.apiVersion, kind: kind || expected.kind };
}

function unknownText(values: readonly WireValue[] | undefined): string {
  const value = values?.at(-1);
  return value === undefined ? '' : textOf(bytesOf(value));
}

/** A message that is sent in several parts is merged; its parts one after the other mean the same. */
function joined(values: readonly WireValue[]): Uint8Array {
  const [first, ...more] = values;
  if (first === undefined) return new Uint8Array();
  return more.length === 0 ? bytesOf(first) : Buffer.concat(values.map(bytesOf));
}

/** Decodes one body, within its budget. */
class Decoder {
  private readonly budget: Budget;

  constructor(budget: Budget) {
    this.budget = budget;
  }

  message(name: string, bytes: Uint8Array, path: string): Record<string, unknown> {
    const out: Record<string, unknown> = {};
    const fields = at(path, () => readFields(bytes, this.budget));
    for (const field of messageNamed(name)) {
      const values = fields.get(field.number) ?? [];
      if (field.name === undefined) Object.assign(out, this.inlined(field, values, path));
      else {
        const value = this.field(field, values, path === '' ? field.name : `${path}.${field.name}`);
        if (value !== undefined) out[field.name] = value;
      }
    }
    return out;
  }

  private inlined(field: FieldDescriptor, values: readonly WireValue[], path: string): object {
    if (typeof field.type === 'string') return {};
    return this.message(
      field.type.message,
      at(path, () => joined(values)),
      path,
    );
  }

  /** undefined for a field that JSON leaves out. */
  private field(field: FieldDescriptor, values: readonly WireValue[], path: string): unknown {
    if (values.length === 0) {
      if (field.absent === 'left out' || field.absent === 'left out when empty') return undefined;
      if (field.absent === 'null' || field.shape !== 'single') return null;
    }
    switch (field.shape) {
      case 'list':
        return this.list(field, values, path);
      case 'map':
        return this.map(field, values, path);
      case 'single':
        return this.single(field, values, path);
    }
  }

  private single(field: FieldDescriptor, values: readonly WireValue[], path: string): unknown {
    spend(this.budget, path);
    const { type, absent } = field;
    if (typeof type !== 'string') {
      return this.message(
        type.message,
        at(path, () => joined(values)),
        path,
      );
    }
    const value = at(path, () => leafOrZero(type, values, this.budget));
    return absent === 'left out when empty' && isZero(type, value) ? undefined : value;
  }

  private list(field: FieldDescriptor, values: readonly WireValue[], path: string): unknown {
    const { type } = field;
    if (typeof type !== 'string') {
      return values.map((value, i) => this.item(type, value, `${path}[${i}]`));
    }
    const items: unknown[] = [];
    for (const value of values) {
      const here = `${path}[${items.length}]`;
      if (isPacked(type, value)) {
        const read = type === 'int32' ? int32Of : type === 'int64' ? int64Of : Boolean;
        for (const varint of at(here, () => readPacked(bytesOf(value), this.budget))) {
          items.push(read(varint));
        }
      } else items.push(this.item(type, value, here));
    }
    return items;
  }

  private map(field: FieldDescriptor, values: readonly WireValue[], path: string): unknown {
    const entries = values.map((value): [string, unknown] => {
      const entry = at(path, () => readFields(bytesOf(value), this.budget));
      const key = at(path, () => unknownText(entry.get(1)));
      const sent = entry.get(2) ?? [];
      // In a map, what was not sent is empty, and not null as elsewhere.
      if (sent.length === 0 && field.type === 'bytes') return [key, ''];
      if (sent.length === 0 && field.type === 'TextList') return [key, []];
      return [key, this.single({ ...field, absent: 'zero' }, sent, `${path}[${key}]`)];
    });
    // Not by assignment: a key may be __proto__.
    return Object.fromEntries(entries);
  }

  private item(type: FieldDescriptor['type'], value: WireValue, path: string): unknown {
    spend(this.budget, path);
    return typeof type === 'string'
      ? at(path, () => leafOf(type, value, this.budget))
      : this.message(
          type.message,
          at(path, () => bytesOf(value)),
          path,
        );
  }
}

/** The last of several values counts; a message with a form of its own is merged. */
function leafOrZero(type: Leaf, values: readonly WireValue[], budget: Budget): unknown {
  const last = values.at(-1);
  if (last === undefined) return zeroOf(type);
  const isScalar = type === 'string' || type === 'bytes' || last.type !== LENGTH_DELIMITED;
  return leafOf(type, isScalar ? last : { type: LENGTH_DELIMITED, bytes: joined(values) }, budget);
}

function isPacked(type: Leaf, value: WireValue): boolean {
  return (
    (type === 'int32' || type === 'int64' || type === 'bool') && value.type === LENGTH_DELIMITED
  );
}

/** Runs a step; what it throws learns where in the object it happened. */
function at<T>(path: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof WireError) || error.path !== '') throw error;
    throw error instanceof BudgetError
      ? new BudgetError(error.message, path)
      : new WireError(error.message, path);
  }
}
