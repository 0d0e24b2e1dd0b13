// What all files say about objects → which statement counts for each, and what changed since last
// time. Of several statements about one object the first counts, in the order of the paths given and
// of names below them; when it goes away the next takes its place.

import type { Kind, KubeObject } from '../../api/kind.ts';
import type { SourceRef } from '../../store/table.ts';
import type { ObjectWrite } from '../../store/write.ts';
import type { Claim } from './version.ts';

/** A file as far as the order of its statements goes. */
export interface Claimant {
  /** Sorts files by code unit: the number of the path given, then the names below it. */
  readonly order: string;
  /**
   * Statements that are about to go, by key: they count only as long as no other file makes them.
   * An object that moves from one file to another is no duplicate in between.
   */
  readonly leaving: ReadonlySet<string>;
  /** The place of a claim among those of the file. */
  placeOf(claim: Claim): number;
}

/** A statement that does not count because another one does. */
export interface Duplicate<C extends Claimant> {
  readonly claim: Claim;
  readonly claimant: C;
  readonly winner: Claim;
  readonly winningClaimant: C;
}

interface Statement<C> {
  readonly claimant: C;
  readonly claim: Claim;
}

interface Entry<C> {
  statements: Statement<C>[];
  /** What was delivered last; absent before that. */
  delivered?: { readonly kind: Kind; readonly object: KubeObject; readonly source: SourceRef };
}

export class Inventory<C extends Claimant> {
  readonly #entries = new Map<string, Entry<C>>();
  readonly #touched = new Set<string>();
  readonly #contested = new Set<string>();

  /** Changes what a file says, be it only the order in which it says it. */
  change(claimant: C, removed: readonly Claim[], added: readonly Claim[]): void {
    this.reconsider(this.#contested);
    for (const claim of removed) {
      const entry = this.#entries.get(claim.identity.key);
      if (entry === undefined) continue;
      entry.statements = entry.statements.filter((one) => one.claim !== claim);
      this.#touched.add(claim.identity.key);
    }
    for (const claim of added) {
      const { key } = claim.identity;
      const entry = this.#entries.get(key);
      if (entry === undefined) this.#entries.set(key, { statements: [{ claimant, claim }] });
      else entry.statements.push({ claimant, claim });
      this.#touched.add(key);
    }
  }

  /** Decides anew about objects: to be called when what is leaving has changed. */
  reconsider(keys: Iterable<string>): void {
    for (const key of keys) this.#touched.add(key);
  }

  /** What changed for the objects of the replaced files: deletions first, then in the files' order. */
  takeWrites(): readonly ObjectWrite[] {
    const deletes: ObjectWrite[] = [];
    const puts: { readonly statement: Statement<C>; readonly write: ObjectWrite }[] = [];
    for (const key of this.#touched) {
      const entry = this.#entries.get(key);
      if (entry === undefined) continue;
      const statement = this.#decide(key, entry);
      const write = statement === undefined ? remove(entry) : put(entry, statement);
      if (write !== undefined && statement !== undefined) puts.push({ statement, write });
      else if (write !== undefined) deletes.push(write);
      if (entry.statements.length === 0) this.#entries.delete(key);
    }
    this.#touched.clear();
    const sorted = puts.toSorted((a, b) => compare(a.statement, b.statement));
    return [...deletes, ...sorted.map(({ write }) => write)];
  }

  /** All statements that do not count as of the last takeWrites, in the files' order. */
  duplicates(): readonly Duplicate<C>[] {
    const out: (Duplicate<C> & Statement<C>)[] = [];
    for (const key of this.#contested) {
      const [winner, ...others] = this.#entries.get(key)?.statements ?? [];
      if (winner === undefined || isLeaving(winner)) continue;
      for (const other of others) {
        if (isLeaving(other)) continue;
        out.push({ ...other, winner: winner.claim, winningClaimant: winner.claimant });
      }
    }
    return out.toSorted(compare);
  }

  /** Sorts the statements about one object, the one that counts first. */
  #decide(key: string, entry: Entry<C>): Statement<C> | undefined {
    if (entry.statements.length > 1) {
      entry.statements = entry.statements.toSorted((a, b) => rank(a) - rank(b) || compare(a, b));
      this.#contested.add(key);
    } else {
      this.#contested.delete(key);
    }
    return entry.statements[0];
  }
}

/** What has an object counts before what never had a good one, and what stays before what leaves. */
function rank<C extends Claimant>(statement: Statement<C>): number {
  return (statement.claim.object === undefined ? 2 : 0) + (isLeaving(statement) ? 1 : 0);
}

function isLeaving<C extends Claimant>({ claimant, claim }: Statement<C>): boolean {
  return claim.isKept === true || claimant.leaving.has(claim.identity.key);
}

function compare<C extends Claimant>(a: Statement<C>, b: Statement<C>): number {
  if (a.claimant.order !== b.claimant.order) return a.claimant.order < b.claimant.order ? -1 : 1;
  return a.claimant.placeOf(a.claim) - b.claimant.placeOf(b.claim);
}

function put<C>(entry: Entry<C>, { claim }: Statement<C>): ObjectWrite | undefined {
  const { delivered } = entry;
  const { kind } = claim.identity;
  // Wrong from the start and never right: nothing to deliver, nothing to take back.
  const object = claim.object ?? delivered?.object;
  if (object === undefined) return undefined;
  const { source } = claim;
  if (delivered?.object === object && sameSource(delivered.source, source)) return undefined;
  entry.delivered = { kind, object, source };
  return { op: 'put', kind, object, source };
}

function remove<C>(entry: Entry<C>): ObjectWrite | undefined {
  const { delivered } = entry;
  if (delivered === undefined) return undefined;
  delete entry.delivered;
  const { namespace = '', name = '' } = delivered.object.metadata;
  return { op: 'delete', kind: delivered.kind, namespace, name };
}

function sameSource(a: SourceRef, b: SourceRef): boolean {
  return a.file === b.file && a.document === b.document && a.item === b.item;
}
