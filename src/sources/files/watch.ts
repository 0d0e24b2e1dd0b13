// Folders → a call whenever something in them may have changed. One watcher per folder, because a
// watcher on a file follows the file when an editor replaces it, and then sees nothing any more.

import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { basename } from 'node:path';
import type { FolderInterest } from './scan.ts';
import { codeOf } from './stat.ts';

export interface FolderWatchOptions {
  /** Called with a folder and the name in it that changed; undefined when the system did not say. */
  readonly onChange: (folder: string, name: string | undefined) => void;
  /** How a folder is watched; as node:fs does it unless a test wants it to fail. */
  readonly open?: typeof watch;
}

export class FolderWatch {
  readonly #onChange: FolderWatchOptions['onChange'];
  readonly #open: typeof watch;
  readonly #watched = new Map<string, { watcher: FSWatcher; interest: FolderInterest }>();
  #isClosed = false;

  constructor({ onChange, open = watch }: FolderWatchOptions) {
    this.#onChange = onChange;
    this.#open = open;
  }

  /**
   * Watches these folders and no others. `opened` tells that some are new, so that changes in them
   * until now went unseen; `error` is the system's code when some cannot be watched.
   */
  sync(folders: ReadonlyMap<string, FolderInterest>): { opened: boolean; error?: string } {
    if (this.#isClosed) return { opened: false };
    for (const [folder, { watcher, interest }] of this.#watched) {
      // A new folder under the old name: the watcher still looks at the one that is gone.
      if (folders.get(folder)?.identity !== interest.identity) this.#forget(folder, watcher);
    }
    let opened = false;
    for (const [folder, interest] of folders) {
      const known = this.#watched.get(folder);
      if (known !== undefined) {
        known.interest = interest;
        continue;
      }
      try {
        this.#watch(folder, interest);
        opened = true;
      } catch (error) {
        const code = codeOf(error);
        // It went away after the scan; the event of that will bring another scan.
        if (code !== 'ENOENT') return { opened, error: code };
      }
    }
    return { opened };
  }

  /** Watches nothing any more, for good. */
  close(): void {
    this.#isClosed = true;
    for (const [folder, { watcher }] of this.#watched) this.#forget(folder, watcher);
  }

  #watch(folder: string, interest: FolderInterest): void {
    const watcher = this.#open(folder, { persistent: true }, (event, name) => {
      const known = this.#watched.get(folder);
      if (known === undefined || known.watcher !== watcher) return;
      const { names } = known.interest;
      if (event === 'rename' && name === basename(folder)) {
        // The folder itself was moved or removed, or something in it has its name: watch it anew.
        this.#forget(folder, watcher);
        this.#onChange(folder, undefined);
      } else if (name === null || names === 'all' || names.has(name)) {
        this.#onChange(folder, name ?? undefined);
      }
    });
    watcher.on('error', () => {
      this.#forget(folder, watcher);
      this.#onChange(folder, undefined);
    });
    this.#watched.set(folder, { watcher, interest });
  }

  #forget(folder: string, watcher: FSWatcher): void {
    this.#watched.delete(folder);
    watcher.close();
  }
}
