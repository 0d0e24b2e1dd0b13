// Who owns what after an ordinary write: create, update, patch. The writer owns what it added and
// changed; what it changed or removed is nobody else's any more.

import type { Node } from '../../api/schema/schema.ts';
import { changedFields, removedFields } from './changes.ts';
import { difference, EMPTY, isEmpty, union } from './field-set.ts';
import { isReset } from './managed-fields.ts';
import { capUpdaters, isSameOwner, readOwners, sameEntries } from './managers.ts';
import { withFields, writeOwners } from './managers.ts';
import type { ManagedFieldsEntry, Owner } from './managers.ts';
import { trackedSchema } from './tracked.ts';

/** An object as far as ownership goes. */
export interface Tracked {
  readonly metadata?: { readonly managedFields?: unknown };
}

export interface Writer {
  /** The field manager; empty counts as `unknown`. */
  readonly manager: string;
  /** `status`, another subresource, or absent for the object itself. */
  readonly subresource?: string;
  /** The version the object is written in: `gateway.networking.k8s.io/v1`. */
  readonly apiVersion: string;
  /** The time of the write, RFC 3339 in seconds. */
  readonly now: string;
  /** The schema of the kind. */
  readonly schema: Node;
  /** Status is a subresource of the kind; true when absent. */
  readonly hasStatus?: boolean;
}

export interface Update extends Writer {
  /** The stored object, defaulted; undefined on a create. */
  readonly before: Tracked | undefined;
  /** The object to be stored, defaulted, with managedFields as the client sent it. */
  readonly after: Tracked;
}

/** The name of a manager that gave none. */
export const UNKNOWN_MANAGER = 'unknown';

/**
 * metadata.managedFields of the object to be stored; empty means the field is to be left out. The very
 * list of `before` when nothing changes: times are those of the last change.
 *
 * managedFields in `after` are honoured in writes of the object itself, once `checkManagedFields` has
 * passed them: a list replaces the stored one, `[]` and `[{}]` forget it, absence keeps it. An object
 * that nobody is known to own anything of is not tracked, until it is applied.
 */
export function trackUpdate(update: Update): readonly ManagedFieldsEntry[] {
  const { before, after } = update;
  const scope = {
    subresource: update.subresource ?? '',
    hasStatus: update.hasStatus ?? true,
  };
  const owners = startingOwners(update, scope.subresource);
  if (owners.length === 0 && before !== undefined) return [];
  const view = trackedSchema(update.schema, scope);
  const changed = changedFields(view, before, after);
  const removed = before === undefined ? EMPTY : removedFields(view, before, after);
  const stored = before?.metadata?.managedFields;
  const next = writeOwners(capUpdaters(owned(update, owners, changed, union(changed, removed))));
  return Array.isArray(stored) && sameEntries(stored as ManagedFieldsEntry[], next)
    ? (stored as ManagedFieldsEntry[])
    : next;
}

function startingOwners({ before, after, schema }: Update, subresource: string): readonly Owner[] {
  const stored = (): readonly Owner[] => readOwners(before?.metadata?.managedFields, schema) ?? [];
  if (subresource !== '') return stored();
  const written = after.metadata?.managedFields;
  if (written === before?.metadata?.managedFields) return stored();
  if (isReset(written)) return [];
  const owners = readOwners(written, schema);
  return owners === undefined || owners.length === 0 ? stored() : owners;
}

function owned(
  writer: Writer,
  owners: readonly Owner[],
  changed: Owner['fields'],
  taken: Owner['fields'],
): readonly Owner[] {
  const me = nameOf(writer, 'Update');
  const left = owners.map((owner) => withFields(owner, difference(owner.fields, taken)));
  if (isEmpty(changed)) return left;
  const others = left.filter((owner) => !isSameOwner(owner, me));
  const mine = left.find((owner) => isSameOwner(owner, me));
  const fields = mine === undefined ? changed : union(mine.fields, changed);
  return [...others, { ...me, time: writer.now, fields }];
}

/** The writer as an owner of fields. */
export function nameOf(
  writer: Writer,
  operation: Owner['operation'],
): Pick<Owner, 'manager' | 'operation' | 'apiVersion' | 'subresource'> {
  return {
    manager: writer.manager === '' ? UNKNOWN_MANAGER : writer.manager,
    operation,
    apiVersion: writer.apiVersion,
    subresource: writer.subresource ?? '',
  };
}
