// What is wrong with paths inside of volumes: they must stay inside.

import { fieldError } from '../../schema/errors.ts';
import type { FieldError } from '../../schema/errors.ts';

/** True for a path with `..` among its parts. */
export function stepsBack(path: string): boolean {
  return path.split('/').includes('..');
}

export function checkNoBacksteps(value: string, path: string, errors: FieldError[]): void {
  if (stepsBack(value)) errors.push(fieldError.invalid(path, value, "must not contain '..'"));
}

/** A path below a mount. */
export function checkRelativePath(value: string, path: string, errors: FieldError[]): void {
  if (value.startsWith('/')) {
    errors.push(fieldError.invalid(path, value, 'must be a relative path'));
  }
  checkNoBacksteps(value, path, errors);
}

/** A file a volume makes: names that begin with two dots are its own. */
export function checkFilePath(value: string, path: string, errors: FieldError[]): void {
  checkRelativePath(value, path, errors);
  if (value.startsWith('..') && !stepsBack(value)) {
    errors.push(fieldError.invalid(path, value, "must not start with '..'"));
  }
}

/** Permissions of a file. */
export function checkMode(mode: number | undefined, path: string, errors: FieldError[]): void {
  if (mode === undefined || (mode >= 0 && mode <= 0o777)) return;
  const detail = 'must be a number between 0 and 0777 (octal), both inclusive';
  errors.push(fieldError.invalid(path, mode, detail));
}
