// What is wrong with a Secret, in Kubernetes' words (k8s.io/kubernetes pkg/apis/core/validation). Values
// are never shown.

import { deepEqual } from '../../../lib/equal.ts';
import { fieldError } from '../../schema/errors.ts';
import type { FieldError } from '../../schema/errors.ts';
import { checkName, configKey } from '../names.ts';
import type { Secret } from '../secret.ts';

/** Bytes the values of a Secret or a ConfigMap may have together. */
export const DATA_BYTES_MAX = 1024 * 1024;

const REDACTED = '<secret contents redacted>';

type Data = Readonly<Record<string, string>>;

export function checkSecret(
  secret: Secret,
  _path: string,
  old: Secret | undefined,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  const data = secret.data ?? {};
  if (old !== undefined) {
    if (secret.type !== old.type) {
      errors.push(fieldError.invalid('type', secret.type, 'field is immutable'));
    }
    checkUnchangedData(secret, old, ['data'], errors);
  }
  let bytes = 0;
  for (const key of Object.keys(data)) {
    checkName(configKey, key, `data[${key}]`, errors);
    bytes += decodedLength(data[key] ?? '');
  }
  if (bytes > DATA_BYTES_MAX) errors.push(fieldError.tooLong('data', DATA_BYTES_MAX));
  checkType(secret, data, errors);
  return errors;
}

interface Immutable {
  readonly immutable?: boolean;
}

/** Keeps the data of an immutable Secret or ConfigMap as it is. */
export function checkUnchangedData<T extends Immutable>(
  object: T,
  old: T,
  fields: readonly (keyof T & string)[],
  errors: FieldError[],
): void {
  if (old.immutable !== true) return;
  const detail = 'field is immutable when `immutable` is set';
  if (object.immutable !== true) errors.push(fieldError.forbidden('immutable', detail));
  for (const field of fields) {
    if (!deepEqual(object[field], old[field])) errors.push(fieldError.forbidden(field, detail));
  }
}

/** Bytes behind base64 text. */
export function decodedLength(base64: string): number {
  const text = /[\r\n]/.test(base64) ? base64.replaceAll(/[\r\n]/g, '') : base64;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return (text.length / 4) * 3 - padding;
}

function checkType({ type, metadata }: Secret, data: Data, errors: FieldError[]): void {
  switch (type) {
    case 'kubernetes.io/tls':
      requireKeys(data, ['tls.crt', 'tls.key'], errors);
      return;
    case 'kubernetes.io/basic-auth':
      if (!('username' in data) && !('password' in data)) {
        requireKeys(data, ['username', 'password'], errors);
      }
      return;
    case 'kubernetes.io/ssh-auth':
      if ((data['ssh-privatekey'] ?? '') === '') requireKeys({}, ['ssh-privatekey'], errors);
      return;
    case 'kubernetes.io/dockercfg':
      requireJson(data, '.dockercfg', errors);
      return;
    case 'kubernetes.io/dockerconfigjson':
      requireJson(data, '.dockerconfigjson', errors);
      return;
    case 'kubernetes.io/service-account-token': {
      const annotation = 'kubernetes.io/service-account.name';
      if ((metadata.annotations?.[annotation] ?? '') === '') {
        errors.push(fieldError.required(`metadata.annotations[${annotation}]`));
      }
      return;
    }
    default:
      // Every other type, Opaque first of all, may hold what it likes.
      return;
  }
}

function requireKeys(data: Data, keys: readonly string[], errors: FieldError[]): void {
  for (const key of keys) {
    if (!(key in data)) errors.push(fieldError.required(`data[${key}]`));
  }
}

function requireJson(data: Data, key: string, errors: FieldError[]): void {
  const value = data[key];
  if (value === undefined) errors.push(fieldError.required(`data[${key}]`));
  else if (!isJsonObject(Buffer.from(value, 'base64').toString())) {
    errors.push(fieldError.invalid(`data[${key}]`, REDACTED, 'must be a JSON object'));
  }
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && !Array.isArray(value);
  } catch {
    return false;
  }
}
