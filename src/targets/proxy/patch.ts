// The difference between two programs: what has to be sent to the worker threads so that they run the
// second. Parts are compared by identity, which compile.ts keeps for all that did not change.

import { deepEqual } from '../../lib/equal.ts';
import { changedKeys } from '../../lib/versioned-map.ts';
import type {
  BackendProgram,
  CertificateProgram,
  PathGroup,
  ProxyProgram,
  RelayProgram,
  SocketProgram,
  TableProgram,
} from './program.ts';

export interface Delta<T> {
  readonly set: readonly (readonly [string, T])[];
  readonly removed: readonly string[];
}

/** What changed in a table that was there: one host may have the rules of thousands of routes. */
export interface TableDelta {
  readonly key: string;
  readonly exact: Delta<PathGroup>;
  readonly prefix: Delta<PathGroup>;
  /** All of them, as their order counts; null when they are the same. */
  readonly regex: readonly PathGroup[] | null;
}

export interface Patch {
  /** Tables that are new, and those that are gone. */
  readonly tables: Delta<TableProgram>;
  readonly changedTables: readonly TableDelta[];
  readonly backends: Delta<BackendProgram>;
  readonly certificates: Delta<CertificateProgram>;
  readonly sockets: Delta<SocketProgram>;
  readonly relays: Delta<RelayProgram>;
}

export const EMPTY_PROGRAM: ProxyProgram = {
  sockets: [],
  relays: [],
  hosts: new Map(),
  tables: new Map(),
  backends: new Map(),
  certificates: new Map(),
};

const NO_CHANGE = { set: [], removed: [] };

/** What turns `before` into `after`. */
export function diffPrograms(before: ProxyProgram, after: ProxyProgram): Patch {
  return {
    ...diffTables(before.tables, after.tables),
    backends: diff(before.backends, after.backends),
    certificates: diff(before.certificates, after.certificates),
    // A port is made anew with every host of it, though its hosts are not in it.
    sockets: diff(byId(before.sockets), byId(after.sockets), deepEqual),
    relays:
      before.relays === after.relays ? NO_CHANGE : diff(byId(before.relays), byId(after.relays)),
  };
}

function diffTables(
  before: ReadonlyMap<string, TableProgram>,
  after: ReadonlyMap<string, TableProgram>,
): Pick<Patch, 'tables' | 'changedTables'> {
  const { set, removed } = diff(before, after);
  const changedTables: TableDelta[] = [];
  const fresh: (readonly [string, TableProgram])[] = [];
  for (const [key, table] of set) {
    const old = before.get(key);
    if (old === undefined) fresh.push([key, table]);
    else changedTables.push(diffTable(key, old, table));
  }
  return { tables: { set: fresh, removed }, changedTables };
}

function diffTable(key: string, before: TableProgram, after: TableProgram): TableDelta {
  const sameRegex =
    before.regex.length === after.regex.length &&
    before.regex.every((group, i) => group === after.regex[i]);
  return {
    key,
    exact: diffGroups(before.exact, after.exact),
    prefix: diffGroups(before.prefix, after.prefix),
    regex: sameRegex ? null : after.regex,
  };
}

/** Most of two long lists is the same at their beginning and at their end. */
function diffGroups(before: readonly PathGroup[], after: readonly PathGroup[]): Delta<PathGroup> {
  const shorter = Math.min(before.length, after.length);
  let first = 0;
  while (first < shorter && before[first] === after[first]) first++;
  let last = 0;
  while (last < shorter - first && before.at(-1 - last) === after.at(-1 - last)) last++;
  return diff(
    byPath(before.slice(first, before.length - last)),
    byPath(after.slice(first, after.length - last)),
  );
}

function byPath(groups: readonly PathGroup[]): Map<string, PathGroup> {
  return new Map(groups.map((group) => [group.path, group]));
}

function byId<T extends { readonly id: string }>(items: readonly T[]): Map<string, T> {
  return new Map(items.map((item) => [item.id, item]));
}

function diff<T>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
  equal: (a: T | undefined, b: T) => boolean = Object.is,
): Delta<T> {
  const set: (readonly [string, T])[] = [];
  const removed: string[] = [];
  for (const key of changedKeys(before, after)) {
    const [old, value] = [before.get(key), after.get(key)];
    if (value === undefined) {
      if (old !== undefined) removed.push(key);
    } else if (!equal(old, value)) set.push([key, value]);
  }
  return { set, removed };
}
