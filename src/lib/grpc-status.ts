// What gRPC clients are told in place of an HTTP status: the code of grpc-status, as gRPC's own table
// has it for proxies that know no better (grpc/doc/http-grpc-status-mapping.md).

/** By code, 0 to 16. */
const NAMES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

/** `UNAVAILABLE` for 14. */
export function grpcStatusName(code: number): string {
  return NAMES[code] ?? 'UNKNOWN';
}

/** The code for an answer that would have that HTTP status. */
export function grpcStatusOf(httpStatus: number): number {
  switch (httpStatus) {
    case 400:
      return 13;
    case 401:
      return 16;
    case 403:
      return 7;
    case 404:
      return 12;
    // A rule without a working backend: GRPCRoute wants UNAVAILABLE where HTTPRoute wants 500.
    case 500:
    case 429:
    case 502:
    case 503:
    case 504:
      return 14;
    default:
      return 2;
  }
}

/** Whether a request with this Content-Type is a gRPC call: `application/grpc`, `application/grpc+proto`. */
export function isGrpcContentType(contentType: string): boolean {
  return /^application\/grpc(?:$|[+;])/i.test(contentType);
}

/** A message as grpc-message holds it: what is not plain ASCII, and `%`, is escaped. */
export function escapeGrpcMessage(message: string): string {
  return message.replace(/[^ -$&-~]/gu, (character) =>
    Array.from(
      new TextEncoder().encode(character),
      (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    ).join(''),
  );
}
