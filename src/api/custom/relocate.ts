// Errors of a value that was checked by itself → the same errors where the value belongs.

import type { FieldError } from '../schema/errors.ts';

/** Puts `path` before the paths of errors, in their texts as well. */
export function relocate(errors: readonly FieldError[], path: string): readonly FieldError[] {
  return errors.map((error) => {
    const joint = /^(?:\[|$)/.test(error.path) ? '' : '.';
    const at = `${path}${joint}${error.path}`;
    const message = error.message.replace(`: ${error.path} in body`, `: ${at} in body`);
    return { ...error, path: at, message };
  });
}
