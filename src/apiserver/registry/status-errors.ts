// What is wrong with a status that is written by itself. The API server checks it apart from its object,
// so that the sentences of a schema name fields as they are in the status, though the path of an error is
// that in the object: `status.addresses[0].value: Invalid value: "x": addresses[0].value in body must …`.

import type { FieldError } from '../../api/schema/errors.ts';

export function asStatusErrors(errors: readonly FieldError[]): readonly FieldError[] {
  return errors.map((error) =>
    error.path === '' || error.path.startsWith('status')
      ? { ...error, message: relativeToStatus(error.message) }
      : error,
  );
}

/** A field is named right before `in body`, or in quotes before `must validate`. */
function relativeToStatus(message: string): string {
  return message
    .replace(/(^|: )status\.(\S+ in body )/, '$1$2')
    .replace(/(^|: )"status\.(\S+" must validate )/, '$1"$2');
}
