// What an apply would take from others, in the words of the API server: kubectl prints the message, and
// programs read the causes.

import { compareText } from './element.ts';
import { printPaths } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import { ownerText } from './managers.ts';
import type { Operation, OwnerName } from './managers.ts';

/** What one manager owns and an apply would change. */
export interface Conflict {
  readonly manager: string;
  readonly operation: Operation;
  readonly apiVersion: string;
  readonly subresource: string;
  /** The fields, as `.spec.ports[port=80,protocol="TCP"].targetPort`. */
  readonly fields: readonly string[];
}

/** A cause in the details of a 409 Status. */
export interface ConflictCause {
  readonly reason: 'FieldManagerConflict';
  readonly message: string;
  readonly field: string;
}

/** The conflicts of the fields taken from each owner, in a stable order. */
export function conflictsOf(
  taken: readonly { readonly owner: OwnerName; readonly fields: FieldSet }[],
): readonly Conflict[] {
  return taken
    .toSorted((a, b) => compareText(ownerText(a.owner), ownerText(b.owner)))
    .map(({ owner, fields }) => ({
      manager: owner.manager,
      operation: owner.operation,
      apiVersion: owner.apiVersion,
      subresource: owner.subresource,
      fields: printPaths(fields),
    }));
}

/** `details.causes` of the Status: one for each field. */
export function conflictCauses(conflicts: readonly Conflict[]): readonly ConflictCause[] {
  return conflicts.flatMap((conflict) =>
    conflict.fields.map((field) => ({
      reason: 'FieldManagerConflict' as const,
      message: `conflict with ${showManager(conflict)}`,
      field,
    })),
  );
}

/**
 * `message` of the Status:
 *
 *   Apply failed with 1 conflict: conflict with "kubectl-edit" using apps/v1: .spec.replicas
 */
export function conflictMessage(conflicts: readonly Conflict[]): string {
  const count = conflicts.reduce((sum, { fields }) => sum + fields.length, 0);
  const [first] = conflicts;
  if (count === 1 && first !== undefined) {
    const [field = ''] = first.fields;
    return `Apply failed with 1 conflict: conflict with ${showManager(first)}: ${field}`;
  }
  const lines = conflicts.flatMap((conflict) => [
    `conflicts with ${showManager(conflict)}:`,
    ...conflict.fields.map((field) => `- ${field}`),
  ]);
  return `Apply failed with ${count} conflicts: ${lines.join('\n')}`;
}

/** Appliers go by name, updaters by version as well. */
function showManager({ manager, operation, apiVersion, subresource }: Conflict): string {
  const name = JSON.stringify(manager);
  const full =
    subresource === '' ? name : `${name} with subresource ${JSON.stringify(subresource)}`;
  return operation === 'Update' ? `${full} using ${apiVersion}` : full;
}
