// What was written through the API, kept on disk: an SQLite database with a write-ahead log. The store
// is what everybody reads; this only follows it. A write is answered after `flush`, and then it is there
// again after the process, however it ended. What comes from files is not kept: the files are.

import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
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

export class Storage {
  readonly #database: DatabaseSync;
  readonly #onError: (error: unknown) => void;
  readonly #path: string;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #setMeta: StatementSync;
  /** Rows there are, so that the end of an object that was never kept costs nothing. */
  readonly #kept = new Set<string>();
  /** What is to be written: the JSON, or null for a deletion. */
  readonly #pending = new Map<
    string,
    { readonly row: readonly string[]; object: KubeObject | null }
  >();
  #flushing: Promise<void> | undefined;
  #lazy: NodeJS.Timeout | undefined;
  #reserved: number;
  #isRefused = false;

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

  /** Takes changes down; they are on disk after `flush`, or soon. */
  follow(changes: readonly Change[], isKept: (kind: Kind, object: KubeObject) => boolean): void {
    for (const { kind, before, after, revision } of changes) {
      if (revision >= this.#reserved) this.#reserve(revision);
      const object = after ?? before;
      if (object === undefined) continue;
      const { namespace = '', name = '' } = object.metadata;
      const row = [kindKey(kind), namespace, name];
      const key = keyOf(row);
      if (after !== undefined && isKept(kind, after)) {
        this.#kept.add(key);
        this.#pending.set(key, { row, object: after });
      } else if (this.#kept.delete(key)) this.#pending.set(key, { row, object: null });
    }
    if (this.#pending.size > 0 && this.#flushing === undefined) {
      this.#lazy ??= setTimeout(() => {
        this.#lazy = undefined;
        this.flush().catch(this.#onError);
      }, LAZY_MS);
    }
  }

  /**
   * Resolves when everything taken down so far is on disk. What is asked for in one turn of the event
   * loop is one transaction. Rejects with FW_OBJECTS_NOT_KEPT when the disk does not take it.
   */
  flush(): Promise<void> {
    this.#flushing ??= new Promise<void>((resolve, reject) => {
      setImmediate(() => {
        this.#flushing = undefined;
        try {
          this.#commit();
          resolve();
        } catch (error) {
          reject(error as Error);
        }
      });
    });
    return this.#flushing;
  }

  /**
   * Resolves at once unless the disk refused the last transaction: then that is tried again, and
   * rejected again. Asked before a write, it keeps what would be refused out of the store.
   */
  async recover(): Promise<void> {
    if (this.#isRefused) await this.flush();
  }

  /** Writes what is left and closes the database. */
  close(): void {
    clearTimeout(this.#lazy);
    try {
      this.#commit();
    } finally {
      this.#database.close();
    }
  }

  #commit(): void {
    if (this.#pending.size === 0) return;
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      for (const { row, object } of this.#pending.values()) {
        if (object === null) this.#delete.run(...row);
        else this.#put.run(...row, objectText(object));
      }
      this.#database.exec('COMMIT');
      this.#pending.clear();
      this.#isRefused = false;
    } catch (cause) {
      this.#isRefused = true;
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw new FairwayError('FW_OBJECTS_NOT_KEPT', 'the disk did not take what was written', {
        cause,
        hint: 'see that there is room on the disk and that the folder may be written to',
      });
    }
  }

  #reserve(revision: number): void {
    this.#reserved = Math.max(this.#reserved, revision) + REVISIONS_RESERVED;
    this.#setMeta.run('revision', String(this.#reserved));
  }

  #meta(key: string): string | undefined {
    const row = this.#database.prepare('SELECT value FROM meta WHERE key = ?').get(key);
    return row === undefined ? undefined : String(row['value']);
  }
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
