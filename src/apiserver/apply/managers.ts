// metadata.managedFields as owners and back: who owns what, since when. Every function gives new lists;
// entries that did not change keep their identity.

import type { Node } from '../../api/schema/schema.ts';
import { compareText } from './element.ts';
import { isEmpty, markCanonical, parseFieldSet, sameSet, union } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import { fitToSchema } from './owned.ts';

export type Operation = 'Apply' | 'Update';

/** An entry of metadata.managedFields. */
export interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly operation?: string;
  readonly apiVersion?: string;
  /** RFC 3339, in seconds. */
  readonly time?: string;
  readonly fieldsType?: string;
  readonly fieldsV1?: unknown;
  readonly subresource?: string;
}

/** Who owns fields: one entry, read. */
export interface Owner {
  readonly manager: string;
  readonly operation: Operation;
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string | undefined;
  readonly fields: FieldSet;
  /** The entry this was read from, as long as nothing in it changed. */
  readonly entry?: ManagedFieldsEntry;
}

/** What makes an owner itself. Appliers are the same in every version, updaters are not. */
export type OwnerName = Pick<Owner, 'manager' | 'operation' | 'apiVersion' | 'subresource'>;

export function isSameOwner(a: OwnerName, b: OwnerName): boolean {
  return (
    a.manager === b.manager &&
    a.operation === b.operation &&
    a.subresource === b.subresource &&
    (a.operation === 'Apply' || a.apiVersion === b.apiVersion)
  );
}

/** The owner as upstream writes it for itself; owners are listed in the order of this text. */
export function ownerText(owner: OwnerName): string {
  return JSON.stringify({
    ...(owner.manager === '' ? {} : { manager: owner.manager }),
    operation: owner.operation,
    ...(owner.operation === 'Apply' ? {} : { apiVersion: owner.apiVersion }),
    ...(owner.subresource === '' ? {} : { subresource: owner.subresource }),
  });
}

/** The owners of an object; undefined when the entries cannot be read, as after an edit by hand. */
export function readOwners(entries: unknown, schema: Node): readonly Owner[] | undefined {
  if (entries === undefined || entries === null) return [];
  if (!Array.isArray(entries)) return undefined;
  const owners: Owner[] = [];
  for (const entry of entries as (ManagedFieldsEntry | null)[]) {
    const owner = readOwner(entry, schema);
    if (owner === undefined) return undefined;
    const twin = owners.findIndex((other) => isSameOwner(other, owner));
    if (twin === -1) owners.push(owner);
    else owners[twin] = owner;
  }
  return owners;
}

function readOwner(entry: ManagedFieldsEntry | null, schema: Node): Owner | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined;
  const { operation, apiVersion, fieldsType, manager, subresource, time } = entry;
  if (operation !== 'Apply' && operation !== 'Update') return undefined;
  if (typeof apiVersion !== 'string' || apiVersion === '') return undefined;
  if (fieldsType !== 'FieldsV1') return undefined;
  const parsed = parseFieldSet(entry.fieldsV1);
  if ('problem' in parsed) return undefined;
  const fields = fitToSchema(schema, parsed.set);
  return {
    manager: typeof manager === 'string' ? manager : '',
    operation,
    apiVersion,
    subresource: typeof subresource === 'string' ? subresource : '',
    time: typeof time === 'string' ? time : undefined,
    fields,
    ...(fields === entry.fieldsV1 ? { entry } : {}),
  };
}

/** The owners as entries, appliers first, then by time and name. Owners of nothing are left out. */
export function writeOwners(owners: readonly Owner[]): readonly ManagedFieldsEntry[] {
  return owners
    .filter((owner) => !isEmpty(owner.fields))
    .toSorted(compareOwners)
    .map(writeOwner);
}

function writeOwner(owner: Owner): ManagedFieldsEntry {
  if (owner.entry !== undefined) return owner.entry;
  markCanonical(owner.fields);
  return {
    ...(owner.manager === '' ? {} : { manager: owner.manager }),
    operation: owner.operation,
    apiVersion: owner.apiVersion,
    ...(owner.time === undefined ? {} : { time: owner.time }),
    fieldsType: 'FieldsV1',
    fieldsV1: owner.fields,
    ...(owner.subresource === '' ? {} : { subresource: owner.subresource }),
  };
}

function compareOwners(a: Owner, b: Owner): number {
  return (
    compareText(a.operation, b.operation) ||
    secondsOf(a) - secondsOf(b) ||
    compareText(a.manager, b.manager) ||
    compareText(a.apiVersion, b.apiVersion) ||
    compareText(a.subresource, b.subresource)
  );
}

function secondsOf({ time }: Owner): number {
  const ms = time === undefined ? 0 : Date.parse(time);
  return Number.isNaN(ms) ? 0 : Math.floor(ms / 1000);
}

/** The owner with other fields, and with another time when one is given. */
export function withFields(owner: Owner, fields: FieldSet, time = owner.time): Owner {
  if (fields === owner.fields && time === owner.time) return owner;
  const { manager, operation, apiVersion, subresource } = owner;
  return { manager, operation, apiVersion, subresource, time, fields };
}

/** The same entries in the same order, times included. */
export function sameEntries(
  a: readonly ManagedFieldsEntry[],
  b: readonly ManagedFieldsEntry[],
): boolean {
  return (
    a.length === b.length &&
    a.every((entry, i) => entry === b[i] || sameEntry(entry, b[i] as ManagedFieldsEntry))
  );
}

function sameEntry(a: ManagedFieldsEntry, b: ManagedFieldsEntry): boolean {
  return (
    a.manager === b.manager &&
    a.operation === b.operation &&
    a.apiVersion === b.apiVersion &&
    a.time === b.time &&
    a.subresource === b.subresource &&
    a.fieldsType === b.fieldsType &&
    sameSet(a.fieldsV1 as FieldSet, b.fieldsV1 as FieldSet)
  );
}

/** How many Update entries an object keeps; more are folded together, the oldest first. */
export const UPDATE_OWNERS_MAX = 10;

/** Who owns what so many have updated that nobody remembers. */
export const ANCIENT_CHANGES = 'ancient-changes';

/** Folds the oldest updaters of one version into one entry until there are few enough. */
export function capUpdaters(owners: readonly Owner[]): readonly Owner[] {
  const updaters = owners.filter(({ operation }) => operation === 'Update');
  let tooMany = updaters.length - UPDATE_OWNERS_MAX;
  if (tooMany <= 0) return owners;
  const left = new Set(owners);
  const buckets = new Map<string, Owner>();
  for (const owner of updaters.toSorted(byAge)) {
    if (tooMany <= 0) break;
    const bucket = buckets.get(owner.apiVersion);
    if (bucket === undefined) {
      buckets.set(owner.apiVersion, owner);
      continue;
    }
    left.delete(bucket);
    left.delete(owner);
    const folded = fold([bucket, owner], owner.time);
    left.add(folded);
    buckets.set(owner.apiVersion, folded);
    tooMany--;
  }
  return joinBuckets([...left]);
}

function byAge(a: Owner, b: Owner): number {
  return secondsOf(a) - secondsOf(b) || compareText(ownerText(a), ownerText(b));
}

function fold(owners: readonly Owner[], time: string | undefined): Owner {
  const fields = owners.map((owner) => owner.fields).reduce(union);
  const { apiVersion } = owners[0] as Owner;
  const manager = ANCIENT_CHANGES;
  return { manager, operation: 'Update', apiVersion, subresource: '', time, fields };
}

/** An older bucket may have been too young to be folded: two of one name become one. */
function joinBuckets(owners: readonly Owner[]): readonly Owner[] {
  const out: Owner[] = [];
  for (const owner of owners) {
    const twin = out.findIndex((other) => isSameOwner(other, owner));
    if (twin === -1) out.push(owner);
    else out[twin] = fold([out[twin] as Owner, owner], owner.time);
  }
  return out;
}
