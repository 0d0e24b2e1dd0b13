// An error about a name that refers to nothing, as a mount of a volume the Pod does not have.

import type { FieldError } from '../schema/errors.ts';

/** `Not found: "data"` */
export function notFound(path: string, value: string, detail = ''): FieldError {
  const message = `Not found: ${JSON.stringify(value)}`;
  return {
    reason: 'FieldValueInvalid',
    path,
    message: detail === '' ? message : `${message}: ${detail}`,
  };
}
