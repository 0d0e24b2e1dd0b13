// The difference between two programs: what has to be sent to the worker threads so that they run the
// second. Parts are compared by identity, which compile.ts keeps for all that did not change.

import { deepEqual } from '../../lib/equal.ts';
import { changedKeys } from '../../lib/versioned-map.ts';
import type {
  BackendProgram,
  CertificateProgram,
  ProxyProgram,
  RelayProgram,
  SocketProgram,
  TableProgram,
} from './program.ts';

export interface Delta<T> {
  readonly set: readonly (readonly [string, T])[];
  readonly removed: readonly string[];
}

export interface Patch {
  readonly tables: Delta<TableProgram>;
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
    tables: diff(before.tables, after.tables),
    backends: diff(before.backends, after.backends),
    certificates: diff(before.certificates, after.certificates),
    // A port is made anew with every host of it, though its hosts are not in it.
    sockets: diff(byId(before.sockets), byId(after.sockets), deepEqual),
    relays:
      before.relays === after.relays ? NO_CHANGE : diff(byId(before.relays), byId(after.relays)),
  };
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
