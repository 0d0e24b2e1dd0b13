// metadata.managedFields as clients may write it: what of it is honoured, and what is wrong with it.
// kubectl moves a user from client-side to server-side apply by a JSON patch on this list.

import { fieldError } from '../../api/schema/errors.ts';
import type { FieldError } from '../../api/schema/errors.ts';
import { isRecord } from '../../api/schema/normalize.ts';
import { parseFieldSet } from './field-set.ts';

/** Longest name of a field manager, in UTF-8 bytes. */
export const MANAGER_BYTES_MAX = 128;

/** Longest name of a subresource in an entry, in UTF-8 bytes. */
export const SUBRESOURCE_BYTES_MAX = 256;

const NOT_PRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;

/**
 * Ownership is to be forgotten: `[]`, or `[{}]` for clients that cannot send an empty list.
 */
export function isReset(managedFields: unknown): boolean {
  if (!Array.isArray(managedFields)) return false;
  if (managedFields.length === 0) return true;
  const [entry] = managedFields as unknown[];
  return managedFields.length === 1 && isRecord(entry) && Object.keys(entry).length === 0;
}

/** What is wrong with a list a client wrote; nothing of it is kept then. */
export function checkManagedFields(
  managedFields: unknown,
  path = 'metadata.managedFields',
): readonly FieldError[] {
  if (managedFields === undefined || managedFields === null || isReset(managedFields)) return [];
  if (!Array.isArray(managedFields)) return [fieldError.type(path, managedFields, 'array')];
  return (managedFields as unknown[]).flatMap((entry, i) => checkEntry(entry, `${path}[${i}]`));
}

function checkEntry(entry: unknown, path: string): readonly FieldError[] {
  if (!isRecord(entry)) return [fieldError.type(path, entry, 'object')];
  const errors: FieldError[] = [];
  for (const name of TEXTS) {
    const value = entry[name] ?? '';
    if (typeof value !== 'string') {
      errors.push(fieldError.type(`${path}.${name}`, value, 'string'));
    }
  }
  if (errors.length > 0) return errors;
  return [
    ...checkOperation(textOf(entry, 'operation'), `${path}.operation`),
    ...(textOf(entry, 'apiVersion') === ''
      ? [fieldError.required(`${path}.apiVersion`, 'must not be empty')]
      : []),
    ...checkFieldsType(textOf(entry, 'fieldsType'), `${path}.fieldsType`),
    ...checkManager(textOf(entry, 'manager'), `${path}.manager`),
    ...checkLength(textOf(entry, 'subresource'), SUBRESOURCE_BYTES_MAX, `${path}.subresource`),
    ...checkFields(entry['fieldsV1'], `${path}.fieldsV1`),
  ];
}

const TEXTS = ['manager', 'operation', 'apiVersion', 'time', 'fieldsType', 'subresource'];

function textOf(entry: Readonly<Record<string, unknown>>, name: string): string {
  const value = entry[name];
  return typeof value === 'string' ? value : '';
}

function checkOperation(operation: string, path: string): readonly FieldError[] {
  if (operation === '') return [fieldError.required(path, 'must not be empty')];
  if (operation === 'Apply' || operation === 'Update') return [];
  return [fieldError.unsupported(path, operation, ['Apply', 'Update'])];
}

function checkFieldsType(fieldsType: string, path: string): readonly FieldError[] {
  if (fieldsType === 'FieldsV1') return [];
  if (fieldsType === '') return [fieldError.required(path, 'must be `FieldsV1`')];
  return [fieldError.invalid(path, fieldsType, 'must be `FieldsV1`')];
}

/** What is wrong with the name of a field manager; an empty one stands for `unknown`. */
export function checkManager(manager: string, path: string): readonly FieldError[] {
  const errors = [...checkLength(manager, MANAGER_BYTES_MAX, path)];
  for (const character of manager) {
    if (!NOT_PRINTABLE.test(character)) continue;
    const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    const at = Buffer.byteLength(manager.slice(0, manager.indexOf(character)));
    errors.push(
      fieldError.invalid(path, manager, `invalid character U+${code} (at position ${at})`),
    );
  }
  return errors;
}

function checkLength(text: string, limitBytes: number, path: string): readonly FieldError[] {
  return Buffer.byteLength(text) > limitBytes ? [fieldError.tooLong(path, limitBytes)] : [];
}

function checkFields(fieldsV1: unknown, path: string): readonly FieldError[] {
  const parsed = parseFieldSet(fieldsV1);
  if (!('problem' in parsed)) return [];
  const { at, message } = parsed.problem;
  const last = at.at(-1);
  const place = at.map((step) => `[${step}]`).join('');
  return [fieldError.invalid(`${path}${place}`, last ?? fieldsV1, message)];
}
