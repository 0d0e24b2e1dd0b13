// Server-side apply: a manager says what it wants of an object, and gets it, unless others own a field
// it would change. What it wanted last time and no longer does goes, unless others own it.
//
//   live + applied ── merge ──▶ prune ──▶ normalize ──▶ compare with live ──▶ conflicts, or the object
//
// Upstream compares before it fills in defaults. Then an atomic list written without them (parentRefs
// or rules of an HTTPRoute) conflicts with the same list stored with them; here it does not.

import type { FieldError } from '../../api/schema/errors.ts';
import { isRecord, normalize } from '../../api/schema/normalize.ts';
import { deepEqual } from '../../lib/equal.ts';
import { checkApplied } from './applied-check.ts';
import { changedFields, removedFields } from './changes.ts';
import { conflictsOf } from './conflicts.ts';
import type { Conflict } from './conflicts.ts';
import { difference, EMPTY, intersection, isEmpty, sameSet, union } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import { fieldsAsLastApplied, KUBECTL, rememberApplied } from './last-applied.ts';
import { isSameOwner, readOwners, sameEntries, withFields, writeOwners } from './managers.ts';
import type { ManagedFieldsEntry, Owner, OwnerName } from './managers.ts';
import { merge } from './merge.ts';
import { fieldsOf } from './owned.ts';
import { prune } from './prune.ts';
import { nameOf } from './track.ts';
import type { Writer } from './track.ts';
import { resetFields, trackedSchema } from './tracked.ts';
import type { Scope } from './tracked.ts';

type Json = Readonly<Record<string, unknown>>;

export interface Application extends Writer {
  /** The stored object; undefined when there is none yet. */
  readonly live: Json | undefined;
  /** The object as written, not defaulted. */
  readonly applied: Json;
  /** Takes fields from others instead of naming conflicts. */
  readonly force: boolean;
  /**
   * What the kind fills in besides the defaults of its schema; called with the merged and normalized
   * object and the stored one.
   */
  readonly complete?: (object: Json, live: Json | undefined) => Json;
}

export type Applied =
  | {
      readonly outcome: 'applied';
      /** The object to store, with managedFields; `live` itself when nothing changed. */
      readonly object: Json;
      readonly managedFields: readonly ManagedFieldsEntry[];
    }
  | { readonly outcome: 'conflicts'; readonly conflicts: readonly Conflict[] }
  | { readonly outcome: 'invalid'; readonly errors: readonly FieldError[] };

/** Who owned what before the first apply, on objects that were not tracked. */
export const BEFORE_FIRST_APPLY = 'before-first-apply';

/** Metadata itself: nobody owns it, and nobody can remove it. */
const METADATA: FieldSet = { 'f:metadata': EMPTY };

/** Applies. The caller checks the merged object, its resourceVersion and uid as for any write. */
export function apply(application: Application): Applied {
  const { schema } = application;
  const scope: Scope = {
    subresource: application.subresource ?? '',
    hasStatus: application.hasStatus ?? true,
  };
  const errors = checkApplied(schema, application.applied);
  if (errors.length > 0) return { outcome: 'invalid', errors };

  const applied = withoutServerNulls(resetFields(application.applied, undefined, scope));
  const plan = makePlan(application, scope, applied);
  const taken = plan.others
    .map((owner) => ({ owner, fields: intersection(owner.fields, plan.clash) }))
    .filter(({ fields }) => !isEmpty(fields));
  const disputed = application.force ? [] : undisputed(application, taken);
  if (disputed.length > 0) return { outcome: 'conflicts', conflicts: conflictsOf(disputed) };
  return finish(application, plan, applied);
}

interface Plan {
  /** Live without managedFields; empty when there is no live object. */
  readonly bare: Json;
  readonly object: Json;
  readonly me: OwnerName;
  readonly mine: Owner | undefined;
  readonly others: readonly Owner[];
  readonly claimed: FieldSet;
  /** What others lose if they own it. */
  readonly gone: FieldSet;
  /** What of it is a conflict: values this manager sets, or removes by setting null. */
  readonly clash: FieldSet;
}

function makePlan(application: Application, scope: Scope, applied: Json): Plan {
  const { live, schema } = application;
  const view = trackedSchema(schema, scope);
  const me = nameOf(application, 'Apply');
  const bare = live === undefined ? {} : withoutManagedFields(live);
  const owners = startingOwners(application, view);
  const mine = owners.find((owner) => isSameOwner(owner, me));
  const others = owners.filter((owner) => owner !== mine);
  const claimed = difference(fieldsOf(view, applied), METADATA);
  const owned = others.map((owner) => owner.fields).reduce(union, union(claimed, METADATA));
  const merged = merge(schema, bare, applied);
  const pruned = prune(schema, merged, { last: mine?.fields ?? EMPTY, applied: claimed, owned });
  // Merged once more, as an empty container that is applied may just have been given up.
  const full = withoutEmptyMetadata(
    recordOf(normalize(schema, merge(schema, pruned, applied)).value),
  );
  const object = application.complete?.(full, live) ?? full;
  const changed = changedFields(view, bare, object);
  const removed = removedFields(view, bare, object);
  const clash = union(changed, intersection(removed, claimed));
  return { bare, object, me, mine, others, claimed, gone: union(changed, removed), clash };
}

function startingOwners(application: Application, view: Writer['schema']): readonly Owner[] {
  const { live, schema } = application;
  if (live === undefined) return [];
  const owners = readOwners(recordOf(live['metadata'])['managedFields'], schema) ?? [];
  if (owners.length > 0) return owners;
  const fields = changedFields(view, undefined, live);
  const name = nameOf({ ...application, manager: BEFORE_FIRST_APPLY }, 'Update');
  return isEmpty(fields) ? [] : [{ ...name, time: application.now, fields }];
}

/** The conflicts that count: for kubectl, not those over fields as client-side apply left them. */
function undisputed(
  { live, manager, schema, apiVersion }: Application,
  taken: readonly { readonly owner: Owner; readonly fields: FieldSet }[],
): readonly { readonly owner: Owner; readonly fields: FieldSet }[] {
  if (manager !== KUBECTL || taken.length === 0 || live === undefined) return taken;
  const allowed = fieldsAsLastApplied(schema, live, apiVersion);
  return taken
    .map(({ owner, fields }) => ({ owner, fields: difference(fields, allowed) }))
    .filter(({ fields }) => !isEmpty(fields));
}

function finish(application: Application, plan: Plan, applied: Json): Applied {
  const { live, manager, now } = application;
  const { bare, me, mine, claimed } = plan;
  const object = manager === KUBECTL ? rememberApplied(plan.object, applied) : plan.object;
  const same = live !== undefined && deepEqual(bare, object);
  const others = plan.others.map((o) => withFields(o, difference(o.fields, plan.gone)));
  const unchanged = same && mine !== undefined && sameSet(mine.fields, claimed);
  const self = unchanged ? mine : { ...me, time: now, fields: claimed };
  const managedFields = writeOwners([...others, self]);
  const stored = recordOf(live?.['metadata'])['managedFields'] ?? [];
  if (same && sameEntries(stored as ManagedFieldsEntry[], managedFields)) {
    return { outcome: 'applied', object: live, managedFields: stored as ManagedFieldsEntry[] };
  }
  return { outcome: 'applied', object: withManagedFields(object, managedFields), managedFields };
}

function withoutManagedFields(object: Json): Json {
  const { managedFields: _, ...metadata } = recordOf(object['metadata']);
  return { ...object, metadata };
}

/** The object with these entries in its metadata; none leave the field out. */
export function withManagedFields(
  object: Json,
  managedFields: readonly ManagedFieldsEntry[],
): Json {
  if (managedFields.length === 0) return withoutManagedFields(object);
  return { ...object, metadata: { ...recordOf(object['metadata']), managedFields } };
}

/**
 * Go programs send `creationTimestamp: null` with every object they have not read before, and mean
 * nothing by it; nor can any other field of metadata be cleared so.
 */
function withoutServerNulls(applied: Json): Json {
  const { metadata } = applied;
  if (!isRecord(metadata) || !Object.values(metadata).includes(null)) return applied;
  const kept = Object.entries(metadata).filter(([, value]) => value !== null);
  return { ...applied, metadata: Object.fromEntries(kept) };
}

/** The API server never stores empty labels or annotations. */
function withoutEmptyMetadata(object: Json): Json {
  const metadata = recordOf(object['metadata']);
  const isEmptyMap = ([name, value]: readonly [string, unknown]): boolean =>
    (name === 'labels' || name === 'annotations') && Object.keys(recordOf(value)).length === 0;
  if (!Object.entries(metadata).some(isEmptyMap)) return object;
  const kept = Object.entries(metadata).filter((entry) => !isEmptyMap(entry));
  return { ...object, metadata: Object.fromEntries(kept) };
}

function recordOf(value: unknown): Json {
  return isRecord(value) ? value : {};
}
