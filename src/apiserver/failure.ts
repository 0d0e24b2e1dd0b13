// What the API answers when it refuses: a Status object, with the reasons and words of Kubernetes' own
// API server (k8s.io/apimachinery/pkg/api/errors), because clients decide by them.

import { formatFieldError } from '../api/schema/errors.ts';
import type { FieldError } from '../api/schema/errors.ts';
import type { Kind } from '../api/kind.ts';

export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
}

export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: object;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: {
    readonly name?: string;
    readonly group?: string;
    readonly kind?: string;
    readonly uid?: string;
    readonly causes?: readonly StatusCause[];
    readonly retryAfterSeconds?: number;
  };
  readonly code: number;
}

/** A request that is refused. Thrown by whoever finds out, answered in one place. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly status: Status;

  constructor(code: number, reason: string, message: string, details?: Status['details']) {
    super(message);
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
      ...(details === undefined ? {} : { details }),
      code,
    };
  }
}

type Named = Pick<Kind, 'group' | 'plural' | 'kind'>;

/** `httproutes.gateway.networking.k8s.io`, or `pods` for the core group. */
export function qualified({ group, plural }: Pick<Kind, 'group' | 'plural'>): string {
  return group === '' ? plural : `${plural}.${group}`;
}

function detailsOf(kind: Named, name: string): NonNullable<Status['details']> {
  return {
    ...(name === '' ? {} : { name }),
    ...(kind.group === '' ? {} : { group: kind.group }),
    kind: kind.plural,
  };
}

export const failure = {
  badRequest: (message: string): Failure => new Failure(400, 'BadRequest', message),
  unauthorized: (): Failure => new Failure(401, 'Unauthorized', 'Unauthorized'),
  forbidden: (kind: Named, name: string, why: string): Failure =>
    new Failure(
      403,
      'Forbidden',
      `${qualified(kind)} ${JSON.stringify(name)} is forbidden: ${why}`,
      detailsOf(kind, name),
    ),
  refused: (message: string): Failure => new Failure(403, 'Forbidden', message),
  noSuchPath: (): Failure =>
    new Failure(404, 'NotFound', 'the server could not find the requested resource', {}),
  notFound: (kind: Named, name: string): Failure =>
    new Failure(
      404,
      'NotFound',
      `${qualified(kind)} ${JSON.stringify(name)} not found`,
      detailsOf(kind, name),
    ),
  methodNotAllowed: (
    why = 'the server does not allow this method on the requested resource',
  ): Failure => new Failure(405, 'MethodNotAllowed', why, {}),
  notAcceptable: (supported: readonly string[]): Failure =>
    new Failure(
      406,
      'NotAcceptable',
      `only the following media types are accepted: ${supported.join(', ')}`,
    ),
  alreadyExists: (kind: Named, name: string): Failure =>
    new Failure(
      409,
      'AlreadyExists',
      `${qualified(kind)} ${JSON.stringify(name)} already exists`,
      detailsOf(kind, name),
    ),
  conflict: (kind: Named, name: string, why = STALE): Failure =>
    new Failure(
      409,
      'Conflict',
      `Operation cannot be fulfilled on ${qualified(kind)} ${JSON.stringify(name)}: ${why}`,
      detailsOf(kind, name),
    ),
  managerConflict: (message: string, causes: readonly StatusCause[]): Failure =>
    new Failure(409, 'Conflict', message, { causes }),
  expired: (message: string): Failure => new Failure(410, 'Expired', message),
  tooLarge: (bytesMax: number): Failure =>
    new Failure(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${bytesMax}`),
  unsupportedMediaType: (supported: readonly string[]): Failure =>
    new Failure(
      415,
      'UnsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${supported.join(', ')}`,
    ),
  invalid: (kind: Named, name: string, errors: readonly FieldError[]): Failure => {
    const texts = errors.map((error) => formatFieldError(withField(error)));
    const all = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
    const what = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
    return new Failure(422, 'Invalid', `${what} ${JSON.stringify(name)} is invalid: ${all}`, {
      name,
      ...(kind.group === '' ? {} : { group: kind.group }),
      kind: kind.kind,
      causes: errors
        .map(withField)
        .map(({ reason, message, path }) => ({ reason, message, field: path })),
    });
  },
  unprocessable: (message: string): Failure => new Failure(422, 'Invalid', message),
  tooMany: (message: string): Failure =>
    new Failure(429, 'TooManyRequests', message, { retryAfterSeconds: 1 }),
  internal: (message: string): Failure =>
    new Failure(500, 'InternalError', `Internal error occurred: ${message}`, {
      causes: [{ reason: 'InternalError', message }],
    }),
  unavailable: (message: string): Failure => new Failure(503, 'ServiceUnavailable', message),
};

const STALE =
  'the object has been modified; please apply your changes to the latest version and try again';

/** An error about the object as a whole is said of `<nil>`. */
function withField(error: FieldError): FieldError {
  return error.path === '' ? { ...error, path: '<nil>' } : error;
}

/** The answer to a deletion that is complete. */
export function deleted(kind: Named, name: string, uid: string): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { ...detailsOf(kind, name), uid },
    code: 200,
  };
}
