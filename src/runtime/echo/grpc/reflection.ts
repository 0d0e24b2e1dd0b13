// gRPC server reflection, v1 and v1alpha (same messages, different package): lists the services of a port and hands
// out the .proto files they come from, which is how grpcurl can call a server it knows nothing of.
// https://github.com/grpc/grpc/blob/master/doc/server-reflection.md

import { Code, type GrpcStatus } from './call.ts';
import { encodeFile, fileSymbols, type FieldSpec, type FileSpec } from './descriptor.ts';
import {
  bytesField,
  messageField,
  readFields,
  readString,
  varintField,
  type WireField,
} from './protobuf.ts';
import type { Service } from './server.ts';

/** The two reflection services, describing the given ones and themselves. */
export function reflectionServices(services: readonly Service[]): readonly Service[] {
  const files = [V1, V1ALPHA];
  const names = [...services, ...files.map((file) => ({ name: serviceName(file) }))].map(
    (service) => service.name,
  );
  const catalog = new Catalog(
    [...services.map((service) => service.file), ...files],
    names.toSorted(),
  );
  return files.map((file) => ({
    name: serviceName(file),
    file,
    methods: {
      ServerReflectionInfo: {
        kind: 'streaming',
        open: () => (request) => answer(request, catalog),
        endsWithClient: true,
      },
    },
  }));
}

class Catalog {
  readonly serviceNames: readonly string[];
  readonly #byName = new Map<string, Buffer>();
  readonly #bySymbol = new Map<string, Buffer>();

  constructor(files: readonly FileSpec[], serviceNames: readonly string[]) {
    this.serviceNames = serviceNames;
    for (const file of files) {
      const encoded = encodeFile(file);
      this.#byName.set(file.name, encoded);
      for (const symbol of fileSymbols(file)) this.#bySymbol.set(symbol, encoded);
    }
  }

  file(name: string): Buffer | undefined {
    return this.#byName.get(name);
  }

  fileWith(symbol: string): Buffer | undefined {
    return this.#bySymbol.get(symbol);
  }
}

/** Field numbers of ServerReflectionRequest's oneof and, in Answer, of ServerReflectionResponse's. */
const Ask = {
  fileByName: 3,
  fileBySymbol: 4,
  fileByExtension: 5,
  extensionNumbers: 6,
  services: 7,
};
const Answer = { file: 4, extensionNumbers: 5, services: 6, error: 7 };

function answer(request: Buffer, catalog: Catalog): Buffer | GrpcStatus {
  const fields = readFields(request);
  const question = fields?.findLast(
    (field) => field.number >= Ask.fileByName && field.number <= Ask.services,
  );
  if (fields === undefined || question === undefined) {
    return { code: Code.invalidArgument, message: 'invalid MessageRequest: <nil>' };
  }
  return Buffer.concat([
    bytesField(1, readString(fields, 1)),
    messageField(2, [request]),
    answerTo(question, readString([question], question.number), catalog),
  ]);
}

function answerTo(question: WireField, text: string, catalog: Catalog): Buffer {
  switch (question.number) {
    case Ask.services:
      return messageField(
        Answer.services,
        catalog.serviceNames.map((name) => messageField(1, [bytesField(1, name)])),
      );
    case Ask.fileByName:
      return fileAnswer(catalog.file(text));
    case Ask.fileBySymbol:
      return fileAnswer(catalog.fileWith(text));
    case Ask.extensionNumbers:
      // No file here has extensions, so a known type has none and only an unknown one is an error.
      return catalog.fileWith(text) === undefined
        ? fileAnswer(undefined)
        : messageField(Answer.extensionNumbers, [bytesField(1, text)]);
    default:
      return fileAnswer(undefined);
  }
}

function fileAnswer(file: Buffer | undefined): Buffer {
  return file === undefined
    ? messageField(Answer.error, [varintField(1, Code.notFound), bytesField(2, 'proto: not found')])
    : messageField(Answer.file, [bytesField(1, file)]);
}

function serviceName(file: FileSpec): string {
  return `${file.package}.${file.service.name}`;
}

const V1 = reflectionFile('v1', 'grpc/reflection/v1/reflection.proto', [
  bytesField(1, 'io.grpc.reflection.v1'),
  bytesField(8, 'ServerReflectionProto'),
  varintField(10, 1),
  bytesField(11, 'google.golang.org/grpc/reflection/grpc_reflection_v1'),
]);
const V1ALPHA = reflectionFile('v1alpha', 'grpc/reflection/v1alpha/reflection.proto', [
  bytesField(1, 'io.grpc.reflection.v1alpha'),
  bytesField(8, 'ServerReflectionProto'),
  varintField(10, 1),
  bytesField(11, 'google.golang.org/grpc/reflection/grpc_reflection_v1alpha'),
  varintField(23, 1), // deprecated
]);

function reflectionFile(version: string, name: string, options: readonly Buffer[]): FileSpec {
  const scope = `grpc.reflection.${version}`;
  const ask = (field: string, number: number, type: FieldSpec['type']): FieldSpec => {
    return { name: field, number, type, inOneof: true };
  };
  const one = (field: string, number: number, type: FieldSpec['type']): FieldSpec => ({
    name: field,
    number,
    type,
  });
  const many = (field: string, number: number, type: FieldSpec['type']): FieldSpec => {
    return { name: field, number, type, repeated: true };
  };
  const of = (message: string): FieldSpec['type'] => ({ message: `${scope}.${message}` });
  return {
    name,
    package: scope,
    options,
    messages: [
      {
        name: 'ServerReflectionRequest',
        oneof: 'message_request',
        fields: [
          one('host', 1, 'string'),
          ask('file_by_filename', Ask.fileByName, 'string'),
          ask('file_containing_symbol', Ask.fileBySymbol, 'string'),
          ask('file_containing_extension', Ask.fileByExtension, of('ExtensionRequest')),
          ask('all_extension_numbers_of_type', Ask.extensionNumbers, 'string'),
          ask('list_services', Ask.services, 'string'),
        ],
      },
      {
        name: 'ExtensionRequest',
        fields: [one('containing_type', 1, 'string'), one('extension_number', 2, 'int32')],
      },
      {
        name: 'ServerReflectionResponse',
        oneof: 'message_response',
        fields: [
          one('valid_host', 1, 'string'),
          one('original_request', 2, of('ServerReflectionRequest')),
          ask('file_descriptor_response', Answer.file, of('FileDescriptorResponse')),
          ask(
            'all_extension_numbers_response',
            Answer.extensionNumbers,
            of('ExtensionNumberResponse'),
          ),
          ask('list_services_response', Answer.services, of('ListServiceResponse')),
          ask('error_response', Answer.error, of('ErrorResponse')),
        ],
      },
      { name: 'FileDescriptorResponse', fields: [many('file_descriptor_proto', 1, 'bytes')] },
      {
        name: 'ExtensionNumberResponse',
        fields: [one('base_type_name', 1, 'string'), many('extension_number', 2, 'int32')],
      },
      { name: 'ListServiceResponse', fields: [many('service', 1, of('ServiceResponse'))] },
      { name: 'ServiceResponse', fields: [one('name', 1, 'string')] },
      {
        name: 'ErrorResponse',
        fields: [one('error_code', 1, 'int32'), one('error_message', 2, 'string')],
      },
    ],
    service: {
      name: 'ServerReflection',
      methods: [
        {
          name: 'ServerReflectionInfo',
          input: `${scope}.ServerReflectionRequest`,
          output: `${scope}.ServerReflectionResponse`,
          clientStreams: true,
          serverStreams: true,
        },
      ],
    },
  };
}
