// One reading of a file after another → what the file stands for. Here is decided what a mistake
// costs: a file that cannot be read keeps what it said before, as a whole; an object that is wrong
// keeps its last good version; an object that is not recognizable is not taken for deleted.

import type { ObjectRef } from '../../api/finding.ts';
import type { KubeObject } from '../../api/kind.ts';
import { deepEqual } from '../../lib/equal.ts';
import type { SourceRef } from '../../store/table.ts';
import type { Identity, Item } from './item.ts';
import type { ReadDocument, Reading } from './reading.ts';
import type { Fault } from './yaml/fault.ts';

/** What a file says about one object. */
export interface Claim {
  readonly identity: Identity;
  readonly source: SourceRef;
  /** Its path in its document. */
  readonly path: string;
  /** The object, or its last good version; absent when there never was one. */
  readonly object?: KubeObject;
  /** Nothing in the file says so any more, but something unrecognizable may be meant to. */
  readonly isKept?: true;
}

/** A document in its place in a file. */
export interface Placed extends ReadDocument {
  /** Stays with the document while the file changes around it. */
  readonly id: number;
  readonly claims: readonly Claim[];
}

/** Why a file as a whole is left as it was. */
export interface Refusal {
  readonly reason: string;
  readonly message: string;
  readonly hint?: string;
}

export interface FileVersion {
  /** The documents that count: of the last reading that could be understood. */
  readonly placed: readonly Placed[];
  /** What is wrong with the last reading, lines counted in the file; what counts stays meanwhile. */
  readonly faults: readonly Fault[];
  /** The faults are of a file that could be read before: all of it stays as it was. */
  readonly staysWhole?: true;
  readonly refusal?: Refusal;
  /** The last reading, for the next one to start from. */
  readonly reading?: Reading;
  readonly nextId: number;
}

export interface NextVersion {
  readonly version: FileVersion;
  /** Claims of the version before that are no longer made. */
  readonly removed: readonly Claim[];
  /** Claims that were not made before. */
  readonly added: readonly Claim[];
}

const EMPTY_VERSION: FileVersion = { placed: [], faults: [], nextId: 0 };

/** What the file stands for after a reading. `before` is undefined the first time. */
export function nextVersion(
  file: string,
  reading: Reading,
  before: FileVersion | undefined,
): NextVersion {
  const { documents, faults } = reading;
  if (faults.length > 0 && before?.reading !== undefined) {
    const { nextId } = before;
    const placed = followLines(before.placed, documents);
    const version = { placed, faults, reading, nextId, staysWhole: true } as const;
    return { version, removed: [], added: [] };
  }
  const readable = documents.filter(({ document }) => document.faults.length === 0);
  const { placed, nextId, removed, added } = place(file, readable, before ?? EMPTY_VERSION);
  return { version: { placed, faults, reading, nextId }, removed, added };
}

/** The version of a file that is refused as a whole: what it stood for before. */
export function refusedVersion(refusal: Refusal, before: FileVersion | undefined): NextVersion {
  const version = { ...(before ?? EMPTY_VERSION), faults: [], refusal };
  return { version, removed: [], added: [] };
}

/** Everything a file says about objects. */
export function claimsOf(version: FileVersion | undefined): readonly Claim[] {
  return version?.placed.flatMap(({ claims }) => claims) ?? [];
}

/** Documents that count though the file is broken, on the lines where they now stand. */
function followLines(
  placed: readonly Placed[],
  documents: readonly ReadDocument[],
): readonly Placed[] {
  const lines = new Map(documents.map(({ document, line }) => [document, line]));
  return placed.map((one) => ({ ...one, line: lines.get(one.document) ?? one.line }));
}

type PlacedDocuments = Omit<NextVersion, 'version'> & Pick<FileVersion, 'placed' | 'nextId'>;

/** Places documents: those that were there before keep their numbers and claims. */
function place(
  file: string,
  documents: readonly ReadDocument[],
  before: FileVersion,
): PlacedDocuments {
  const free = Map.groupBy(before.placed, ({ document }) => document);
  const same = documents.map(({ document }) => free.get(document)?.shift());
  const gone = [...free.values()].flat();
  const removed = gone.flatMap(({ claims }) => claims);
  const fresh = documents.filter((_one, i) => same[i] === undefined);
  const { ids, nextId } = assignIds(fresh, gone, before.nextId);
  const changed = keepUnrecognized(file, placeFresh(file, fresh, ids, removed), removed);
  let next = 0;
  const placed = documents.flatMap((one, i): Placed | readonly Placed[] => {
    const old = same[i];
    if (old === undefined) return changed[next++] ?? [];
    return old.line === one.line ? old : { ...old, line: one.line };
  });
  return { placed, nextId, removed, added: changed.flatMap(({ claims }) => claims) };
}

/**
 * Gives new documents their numbers: that of the document that held the same object, or a new one.
 * References to objects therefore stay as they are when an object is edited or others are inserted.
 */
function assignIds(
  documents: readonly ReadDocument[],
  gone: readonly Placed[],
  nextId: number,
): { readonly ids: readonly number[]; readonly nextId: number } {
  const free = new Map<string, number>();
  for (const { id, document } of gone) {
    const key = firstKey(document.items);
    if (key !== undefined) free.set(key, id);
  }
  let next = nextId;
  const ids = documents.map(({ document }) => take(free, firstKey(document.items)) ?? next++);
  return { ids, nextId: next };
}

function firstKey(items: readonly Item[]): string | undefined {
  for (const item of items) if (item.type !== 'unidentified') return item.identity.key;
  return undefined;
}

function take<K, V>(map: Map<K, V>, key: K | undefined): V | undefined {
  if (key === undefined) return undefined;
  const value = map.get(key);
  map.delete(key);
  return value;
}

function placeFresh(
  file: string,
  documents: readonly ReadDocument[],
  ids: readonly number[],
  removed: readonly Claim[],
): readonly Placed[] {
  // Of an object that was declared twice, the first declaration is the one that counted.
  const last = new Map(removed.toReversed().map((claim) => [claim.identity.key, claim.object]));
  return documents.map((one, i) => {
    const id = ids[i] ?? 0;
    const claims = one.document.items.flatMap((item): Claim[] => {
      if (item.type === 'unidentified') return [];
      const { identity, path } = item;
      const object = currentObject(item, last.get(identity.key));
      const claim = { identity, source: sourceOf(file, id, item), path };
      return [object === undefined ? claim : { ...claim, object }];
    });
    return { ...one, id, claims };
  });
}

/** An object read again with the same content stays the very same object. */
function currentObject(
  item: Exclude<Item, { readonly type: 'unidentified' }>,
  last: KubeObject | undefined,
): KubeObject | undefined {
  if (item.type === 'rejected') return last;
  return last !== undefined && deepEqual(item.object, last) ? last : item.object;
}

/** Lets what is unrecognizable go on standing for the removed objects that it may be meant to be. */
function keepUnrecognized(
  file: string,
  placed: readonly Placed[],
  removed: readonly Claim[],
): readonly Placed[] {
  const hasUnidentified = placed.some(({ document }) =>
    document.items.some(({ type }) => type === 'unidentified'),
  );
  if (!hasUnidentified) return placed;
  const claimed = new Set(
    placed.flatMap(({ claims }) => claims.map(({ identity }) => identity.key)),
  );
  return placed.map((one) => {
    const kept: Claim[] = [];
    for (const item of one.document.items) {
      if (item.type !== 'unidentified') continue;
      for (const { identity, object } of removed) {
        if (object === undefined || claimed.has(identity.key)) continue;
        if (!couldBe(item.known, identity.ref)) continue;
        claimed.add(identity.key);
        const source = sourceOf(file, one.id, item);
        kept.push({ identity, source, path: item.path, object, isKept: true });
      }
    }
    return kept.length === 0 ? one : { ...one, claims: [...one.claims, ...kept] };
  });
}

function couldBe(known: Partial<ObjectRef>, ref: ObjectRef): boolean {
  return (
    (known.kind === undefined || known.kind === ref.kind) &&
    (known.name === undefined || known.name === ref.name)
  );
}

function sourceOf(file: string, document: number, item: Item): SourceRef {
  const source = { source: 'files', file, document };
  return item.item === undefined ? source : { ...source, item: item.item };
}
