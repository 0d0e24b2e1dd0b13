// additionalPrinterColumns → columns of `kubectl get`: a path into the object and how its value is
// shown. A value that is not of the column's type shows as nothing.

import type { PrinterColumn } from '../apiextensions/crd.ts';
import { ageOf } from '../core/columns.ts';
import type { Column } from '../kind.ts';
import { findByPath, parseJsonPath } from './json-path.ts';
import type { JsonPath } from './json-path.ts';

/** Columns of a version; those of undefined are of a version that has none. */
export function customColumns(columns: readonly PrinterColumn[] | undefined): readonly Column[] {
  return (columns ?? []).flatMap(toColumn);
}

function toColumn(column: PrinterColumn): readonly Column[] {
  const { name, type, priority, format, description, jsonPath } = column;
  const parsed = parseJsonPath(jsonPath);
  if ('error' in parsed) return [];
  return [
    {
      name,
      type: columnType(type),
      ...(priority === undefined ? {} : { priority }),
      ...(format === undefined ? {} : { format }),
      description: description ?? `The value at ${jsonPath}.`,
      value: (object: unknown, nowMs?: number) => cell(type, parsed.path, object, nowMs),
    },
  ];
}

function columnType(type: string): Column['type'] {
  switch (type) {
    case 'integer':
    case 'number':
    case 'boolean':
    case 'date':
      return type;
    default:
      return 'string';
  }
}

function cell(
  type: string,
  path: JsonPath,
  object: unknown,
  nowMs = Date.now(),
): ReturnType<Column['value']> {
  const found = findByPath(path, object);
  // Several values are written one after the other, with commas, as kubectl writes any JSONPath.
  if (type === 'string' && found.length > 1) return found.map(textOf).join(',');
  const [value] = found;
  if (value === undefined || value === null) return undefined;
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : undefined;
    case 'number':
      return typeof value === 'number' ? value : undefined;
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined;
    case 'date':
      // As an age: that is what the column is for.
      return typeof value === 'string' ? ageOf(value, nowMs) : undefined;
    default:
      return textOf(value);
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
