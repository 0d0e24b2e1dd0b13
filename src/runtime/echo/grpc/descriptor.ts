// Describes a .proto file to reflection clients: from a short table in TypeScript to the bytes of a
// google.protobuf.FileDescriptorProto, equal to what protoc produces for the same file.

import { bytesField, messageField, varintField } from './protobuf.ts';

const TYPE = { int32: 5, string: 9, message: 11, bytes: 12, enum: 14 } as const;

export interface FieldSpec {
  readonly name: string;
  readonly number: number;
  /** A scalar, or the full name of a message or enum of this file without leading dot. */
  readonly type:
    | 'int32'
    | 'string'
    | 'bytes'
    | { readonly message: string }
    | { readonly enum: string };
  readonly repeated?: true;
  /** Belongs to the message's oneof. */
  readonly inOneof?: true;
}

interface MessageSpec {
  readonly name: string;
  readonly fields: readonly FieldSpec[];
  readonly enums?: readonly EnumSpec[];
  /** Name of the message's only oneof. */
  readonly oneof?: string;
}

interface EnumSpec {
  readonly name: string;
  /** Values by number, from 0. */
  readonly values: readonly string[];
}

interface MethodSpec {
  readonly name: string;
  /** Full names of messages. */
  readonly input: string;
  readonly output: string;
  readonly clientStreams?: true;
  readonly serverStreams?: true;
  /** The .proto says `{}` after the method, which protoc records as an empty options message. */
  readonly braces?: true;
}

export interface FileSpec {
  /** Name of the file, as other files would import it. */
  readonly name: string;
  readonly package: string;
  readonly messages: readonly MessageSpec[];
  readonly service: { readonly name: string; readonly methods: readonly MethodSpec[] };
  /** FileOptions as encoded parts, for java_package and the like. */
  readonly options: readonly Buffer[];
}

/** The file as FileDescriptorProto, syntax proto3. */
export function encodeFile(file: FileSpec): Buffer {
  const { service } = file;
  return Buffer.concat([
    bytesField(1, file.name),
    bytesField(2, file.package),
    ...file.messages.map((message) => messageField(4, encodeMessage(message))),
    messageField(6, [
      bytesField(1, service.name),
      ...service.methods.map((method) => messageField(2, encodeMethod(method))),
    ]),
    messageField(8, file.options),
    bytesField(12, 'proto3'),
  ]);
}

/** Every name a reflection client may ask this file by: messages, fields, the service and its methods. */
export function fileSymbols(file: FileSpec): readonly string[] {
  const symbols: string[] = [];
  for (const message of file.messages) {
    const messageName = `${file.package}.${message.name}`;
    symbols.push(messageName, ...message.fields.map((field) => `${messageName}.${field.name}`));
    for (const { name, values } of message.enums ?? []) {
      // An enum's values live in the scope around it, as in C++.
      symbols.push(`${messageName}.${name}`, ...values.map((value) => `${messageName}.${value}`));
    }
  }
  const serviceName = `${file.package}.${file.service.name}`;
  symbols.push(
    serviceName,
    ...file.service.methods.map((method) => `${serviceName}.${method.name}`),
  );
  return symbols;
}

function encodeMessage(message: MessageSpec): Buffer[] {
  return [
    bytesField(1, message.name),
    ...message.fields.map((field) => messageField(2, encodeField(field))),
    ...(message.enums ?? []).map((spec) => messageField(4, encodeEnum(spec))),
    ...(message.oneof === undefined ? [] : [messageField(8, [bytesField(1, message.oneof)])]),
  ];
}

const LABEL_OPTIONAL = 1;
const LABEL_REPEATED = 3;
/** Index of the only oneof. Zero, but `optional`, so it is written where a default would be left out. */
const FIRST_ONEOF = Buffer.from([9 * 8, 0]);

function encodeField(field: FieldSpec): Buffer[] {
  return [
    bytesField(1, field.name),
    varintField(3, field.number),
    varintField(4, field.repeated === true ? LABEL_REPEATED : LABEL_OPTIONAL),
    ...encodeType(field.type),
    ...(field.inOneof === true ? [FIRST_ONEOF] : []),
    bytesField(10, jsonName(field.name)),
  ];
}

function encodeType(type: FieldSpec['type']): Buffer[] {
  if (typeof type === 'string') return [varintField(5, TYPE[type])];
  return 'message' in type
    ? [varintField(5, TYPE.message), bytesField(6, `.${type.message}`)]
    : [varintField(5, TYPE.enum), bytesField(6, `.${type.enum}`)];
}

function encodeEnum(spec: EnumSpec): Buffer[] {
  return [
    bytesField(1, spec.name),
    ...spec.values.map((name, number) =>
      // The number is `optional` in proto2's sense: zero is written.
      messageField(2, [bytesField(1, name), Buffer.from([2 * 8, number])]),
    ),
  ];
}

function encodeMethod(method: MethodSpec): Buffer[] {
  return [
    bytesField(1, method.name),
    bytesField(2, `.${method.input}`),
    bytesField(3, `.${method.output}`),
    ...(method.braces === true ? [messageField(4, [])] : []),
    varintField(5, method.clientStreams === true ? 1 : 0),
    varintField(6, method.serverStreams === true ? 1 : 0),
  ];
}

/** `service_name` → `serviceName`, protobuf's rule for JSON. */
function jsonName(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
