// What was written through the API, kept on disk: an SQLite database with a write-ahead log. The store
// is what everybody reads. What a client writes goes through `keep` before anybody is told of it, so that
// a full disk refuses it and nothing has happened; it is answered after `flush`, and then it is there
// again after the process and the machine, however they ended. Other changes are followed in a while.
// What comes from files is not kept: the files are.

import { chmodSync, closeSync, fsync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import type { Kind, KubeObject } from '../../api/kind.ts';
import { FairwayError } from '../../lib/errors.ts';
import { kindKey } from '../../store/snapshot.ts';
import { shareFields } from '../apply/shared-fields.ts';
import { objectText } from '../object-text.ts';
import type { Change } from '../../store/store.ts';
import type { SourceRef } from '../../store/table.ts';

/** The source of objects that were written through the API. */
export const API_SOURCE: SourceRef = { source: 'api', file: '', document: 0 };

/** Revisions taken at once, so that none is ever given twice, whatever is lost. */
const REVISIONS_RESERVED = 1_000_000;
/** Changes nobody waits for, as of a status, are written together after this long. */
const LAZY_MS = 50;

const FORMAT = '1';

export interface KeptObject {
  readonly kind: string;
  readonly object: KubeObject;
}

export interface StorageOptions {
  /** The file; `:memory:` keeps nothing. */
  readonly path: string;
  /** Told what makes it impossible to keep changes nobody waits for. */
  readonly onError: (error: unknown) => void;
}

/** `hidden` is what a file has as well: what is kept of it stays as it was. */
type IsKept = (kind: Kind, object: KubeObject) => boolean | 'hidden';

interface Row {
  /** Kind, namespace and name. */
  readonly row: readonly string[];
  /** Null when it goes. */
  readonly object: KubeObject | null;
}

export class Storage {
  readonly #database: DatabaseSync;
  readonly #onError: (error: unknown) => void;
  readonly #path: string;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #setMeta: StatementSync;
  /** Rows there are, so that the end of an object that was never kept costs nothing. */
  readonly #kept = new Set<string>();
  /** What is to be written, by the keys of rows. */
  readonly #pending = new Map<string, Row>();
  #flushing: Promise<void> | undefined;
  #lazy: NodeJS.Timeout | undefined;
  #reserved: number;
  /** The log, for what is in it to be forced onto the disk; undefined when nothing is kept. */
  #log: number | undefined;
  /** What `keep` has written, and `follow` is told of next. */
  #keptJustNow: readonly Change[] | undefined;

  /** Opens or creates the database. Throws FW_OBJECTS_IN_USE or FW_OBJECTS_UNREADABLE. */
  constructor({ path, onError }: StorageOptions) {
    this.#onError = onError;
    this.#path = path;
    this.#database = open(path);
    this.#put = this.#database.prepare(
      'INSERT OR REPLACE INTO object (kind, namespace, name, object) VALUES (?, ?, ?, ?)',
    );
    this.#delete = this.#database.prepare(
      'DELETE FROM object WHERE kind = ? AND namespace = ? AND name = ?',
    );
    this.#setMeta = this.#database.prepare(
      'INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)',
    );
    this.#reserved = Number(this.#meta('revision') ?? 0);
    this.revision = this.#reserved;
    this.#reserve(this.revision);
    if (path === ':memory:') return;
    // The log is there now, and known to its folder. From here on a transaction is in it at its end, or
    // refused; to force it onto the disk is up to `flush`, once for all that wait for it.
    this.#database.exec('PRAGMA synchronous = NORMAL');
    this.#log = openSync(`${path}-wal`, 'r');
  }

  /** Above every revision that was ever given. */
  readonly revision: number;

  /** Everything that is kept, in no particular order. Throws FW_OBJECTS_UNREADABLE. */
  load(): readonly KeptObject[] {
    try {
      return this.#rows();
    } catch (cause) {
      throw unreadable(this.#path, cause);
    }
  }

  #rows(): readonly KeptObject[] {
    const rows = this.#database.prepare('SELECT kind, namespace, name, object FROM object').all();
    return rows.map((row) => {
      const [kind, namespace, name] = [row['kind'], row['namespace'], row['name']].map(String) as [
        string,
        string,
        string,
      ];
      this.#kept.add(keyOf([kind, namespace, name]));
      return { kind, object: restored(JSON.parse(String(row['object'])) as KubeObject) };
    });
  }

  /**
   * Writes changes at once, before anybody is told of them. Throws FW_OBJECTS_NOT_KEPT when the disk does
   * not take them: then none of them is kept.
   */
  keep(changes: readonly Change[], isKept: IsKept): void {
    const rows = this.#rowsOf(changes, isKept);
    this.#transaction(rows.values());
    for (const [key, { object }] of rows) {
      this.#pending.delete(key);
      if (object === null) this.#kept.delete(key);
      else this.#kept.add(key);
    }
    this.#keptJustNow = changes;
  }

  /** Takes other changes down; they are on disk soon, or tried again with those that come after them. */
  follow(changes: readonly Change[], isKept: IsKept): void {
    if (changes === this.#keptJustNow) return;
    for (const [key, row] of this.#rowsOf(changes, isKept)) {
      this.#pending.set(key, row);
      if (row.object === null) this.#kept.delete(key);
      else this.#kept.add(key);
    }
    if (this.#pending.size === 0) return;
    this.#lazy ??= setTimeout(() => {
      this.#lazy = undefined;
      this.flush().catch(this.#onError);
    }, LAZY_MS);
  }

  /**
   * Resolves when everything written so far is on the disk itself, not only in the system's memory of
   * it. Asked for in one turn of the event loop, it is done once. Rejects with FW_OBJECTS_NOT_KEPT when
   * the disk fails.
   */
  flush(): Promise<void> {
    this.#flushing ??= new Promise<void>((resolve, reject) => {
      setImmediate(() => {
        this.#flushing = undefined;
        // Nobody waits for these: that they are refused is not the affair of those who wait.
        try {
          this.#commit();
        } catch (error) {
          this.#onError(error);
        }
        if (this.#log === undefined) resolve();
        else fsync(this.#log, (error) => (error === null ? resolve() : reject(notKept(error))));
      });
    });
    return this.#flushing;
  }

  /** Writes what is left and closes the database. */
  close(): void {
    clearTimeout(this.#lazy);
    try {
      this.#commit();
    } finally {
      if (this.#log !== undefined) closeSync(this.#log);
      this.#log = undefined;
      this.#database.close();
    }
  }

  /** The rows changes lead to, by their keys. */
  #rowsOf(changes: readonly Change[], isKept: IsKept): ReadonlyMap<string, Row> {
    const rows = new Map<string, Row>();
    for (const { kind, before, after, revision } of changes) {
      if (revision >= this.#reserved) this.#reserve(revision);
      const object = after ?? before;
      if (object === undefined) continue;
      const { namespace = '', name = '' } = object.metadata;
      const row = [kindKey(kind), namespace, name];
      const key = keyOf(row);
      const kept = after !== undefined && isKept(kind, after);
      if (kept === 'hidden') continue;
      if (after !== undefined && kept) rows.set(key, { row, object: after });
      else if (this.#kept.has(key) || rows.has(key)) rows.set(key, { row, object: null });
    }
    return rows;
  }

  #commit(): void {
    if (this.#pending.size === 0) return;
    this.#transaction(this.#pending.values());
    this.#pending.clear();
  }

  #transaction(rows: Iterable<Row>): void {
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      for (const { row, object } of rows) {
        if (object === null) this.#delete.run(...row);
        else this.#put.run(...row, objectText(object));
      }
      this.#database.exec('COMMIT');
    } catch (cause) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw notKept(cause);
    }
  }

  #reserve(revision: number): void {
    const reserved = Math.max(this.#reserved, revision) + REVISIONS_RESERVED;
    this.#setMeta.run('revision', String(reserved));
    this.#reserved = reserved;
  }

  #meta(key: string): string | undefined {
    const row = this.#database.prepare('SELECT value FROM meta WHERE key = ?').get(key);
    return row === undefined ? undefined : String(row['value']);
  }
}

function notKept(cause: unknown): FairwayError {
  return new FairwayError('FW_OBJECTS_NOT_KEPT', 'the disk did not take what was written', {
    cause,
    hint: 'see that there is room on the disk and that the folder may be written to',
  });
}

function restored(object: KubeObject): KubeObject {
  const { managedFields } = object.metadata;
  if (managedFields === undefined) return object;
  const metadata = { ...object.metadata, managedFields: shareFields(managedFields) };
  return { ...object, metadata };
}

function keyOf(row: readonly string[]): string {
  return row.join('\n');
}

function open(path: string): DatabaseSync {
  const inMemory = path === ':memory:';
  try {
    if (!inMemory) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // Before SQLite opens it: its log takes the permissions of the file, and holds Secrets as well.
    if (!inMemory) {
      closeSync(openSync(path, 'a', 0o600));
      chmodSync(path, 0o600);
    }
    const database = new DatabaseSync(path);
    // One process at a time: two would each believe that theirs are all the objects.
    database.exec(
      'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;',
    );
    database.exec(
      `CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
       CREATE TABLE IF NOT EXISTS object (
         kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, object TEXT NOT NULL,
         PRIMARY KEY (kind, namespace, name)
       ) WITHOUT ROWID;
       INSERT OR IGNORE INTO meta (key, value) VALUES ('format', '${FORMAT}');`,
    );
    return database;
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    if (text.includes('locked')) {
      throw new FairwayError('FW_OBJECTS_IN_USE', `another Fairway keeps its objects in ${path}`, {
        cause,
        hint: 'stop that one, or give this one objects of its own with --fresh or --data DIRECTORY',
      });
    }
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): FairwayError {
  const text = cause instanceof Error ? cause.message : String(cause);
  return new FairwayError('FW_OBJECTS_UNREADABLE', `cannot keep objects in ${path}: ${text}`, {
    cause,
    hint: 'move the file away to begin with none, or name another place with --data DIRECTORY',
  });
}
