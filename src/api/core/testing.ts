// What the tests of kinds share: an object goes the whole way, and its errors come out as a client
// reads them.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { admit } from '../admit.ts';
import type { Kind, KubeObject } from '../kind.ts';
import { formatFieldError } from '../schema/errors.ts';
import { validateMetadata } from './metadata.ts';

interface Admitted<T> {
  readonly object: T;
  /** As `spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive`. */
  readonly errors: readonly string[];
}

/** Normalizes, defaults and validates; `old` is written the same way, and stored before. */
export function admitted<T extends KubeObject>(
  kind: Kind<T>,
  written: object,
  old?: object,
): Admitted<T> {
  const stored = old === undefined ? undefined : admit(kind, old).object;
  const { object, errors, unknown } = admit(kind, written, stored);
  assert.deepEqual(unknown, [], 'the kind knows every field of the object');
  const metadata = validateMetadata(kind, object.metadata, stored?.metadata);
  return { object, errors: [...new Set([...metadata, ...errors].map(formatFieldError))] };
}

/** Admits an object that must be valid. */
export function valid<T extends KubeObject>(kind: Kind<T>, written: object): T {
  const { object, errors } = admitted(kind, written);
  assert.deepEqual(errors, []);
  return object;
}

interface Row {
  readonly title: string;
  readonly object: object;
  readonly old?: object;
  /** Exactly what is said; nothing for a valid object. */
  readonly errors: readonly string[];
}

/** One test for each row. */
export function testRows<T extends KubeObject>(kind: Kind<T>, rows: readonly Row[]): void {
  for (const { title, object, old, errors } of rows) {
    it(title, () => assert.deepEqual(admitted(kind, object, old).errors, errors));
  }
}

/** The cells of an object by column, as `kubectl get -o wide` shows them; `<none>` for no value. */
export function cells<T extends KubeObject>(
  kind: Kind<T>,
  written: object,
): Record<string, string | number | boolean> {
  const object = valid(kind, written);
  return Object.fromEntries(
    kind.columns.map((column) => [column.name, column.value(object) ?? '<none>']),
  );
}

/** Metadata of a namespaced object. */
export function named(name: string): { readonly name: string; readonly namespace: string } {
  return { name, namespace: 'shop' };
}
