// YAML and JSON files → admitted objects with positions: the source for a laptop, for CI, and for
// everyone who keeps objects in Git. Files are watched by folder; what changes is what is delivered.
// Mistakes never take anything away: see version.ts for what a file keeps while it is wrong.

import { join } from 'node:path';
import type { watch } from 'node:fs';
import type { Finding, Position } from '../../api/finding.ts';
import type { Kind } from '../../api/kind.ts';
import { deepEqual } from '../../lib/equal.ts';
import { FairwayError } from '../../lib/errors.ts';
import type { SourceRef } from '../../store/table.ts';
import type { Source, SourceUpdate } from '../source.ts';
import { Alarm } from './alarm.ts';
import { Catalog } from './catalog.ts';
import type { KindName } from './catalog.ts';
import { FileSet } from './file-set.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import type { FilesLimits } from './limits.ts';
import { PathReport } from './path-report.ts';
import { openDevice, openPipe, WRITER_MS_MAX } from './pipe.ts';
import { readStream, unreadable } from './read.ts';
import type { Contents } from './read.ts';
import { orderOf, scan } from './scan.ts';
import type { Scan } from './scan.ts';
import { codeOf, explainCode, identityOf, isRelevantName, statOf } from './stat.ts';
import { FolderWatch } from './watch.ts';

export interface FilesSourceOptions {
  /** Files, folders, `-` for standard input, in the order in which they count. */
  readonly paths: readonly string[];
  /** The kinds Fairway serves. */
  readonly kinds: readonly Kind[];
  /** Kinds of no interest: their objects are reported as information only. */
  readonly ignoredKinds?: readonly KindName[];
  readonly defaultNamespace?: string;
  /** What `-` stands for. */
  readonly stdin: AsyncIterable<Uint8Array | string>;
  /** Goes on delivering changes after the first update. */
  readonly watch: boolean;
  readonly limits?: Partial<FilesLimits>;
  /** The program that renders kustomizations. */
  readonly kubectl?: string;
  /** How folders are watched: node:fs does it, unless a test wants it to fail. */
  readonly openWatcher?: typeof watch;
}

/** Events come in bursts; this long without one ends a burst. */
const QUIET_MS = 8;
/** Longest burst that is waited for. */
const BURST_MS_MAX = 50;
/** After events, everything is looked at once more: the system drops events when there are too many. */
const RECHECK_MS = 1000;
/** The link that is swapped when a mounted ConfigMap changes: its files change with it. */
const MOUNT_LINK = '..data';
/** How often everything is looked at where folders cannot be watched. */
const POLL_MS = 1000;

/** Makes the source for files. It does nothing before `start`. */
export function createFilesSource(options: FilesSourceOptions): Source {
  return new FilesSource(options);
}

class FilesSource implements Source {
  readonly name = 'files';
  readonly #options: FilesSourceOptions;
  readonly #limits: FilesLimits;
  readonly #files: FileSet;
  readonly #paths: PathReport;
  readonly #alarm = new Alarm();
  readonly #folders: FolderWatch;
  /** Paths with events since they were last looked at; undefined when everything is to be. */
  #changed: Set<string> | undefined = new Set();
  #scanDueMs: number | undefined;
  #watchError: string | undefined;
  #findings: readonly Finding[] = [];

  constructor(options: FilesSourceOptions) {
    const { kinds, ignoredKinds = [], defaultNamespace = 'default', kubectl = 'kubectl' } = options;
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    const catalog = new Catalog(kinds, ignoredKinds);
    this.#files = new FileSet({
      context: { catalog, defaultNamespace, limits: this.#limits },
      kubectl,
      onRendered: () => this.#alarm.ring(),
    });
    this.#paths = new PathReport(options.paths, this.#limits);
    this.#folders = new FolderWatch({
      onChange: (folder, name) => this.#onChange(folder, name),
      ...(options.openWatcher === undefined ? {} : { open: options.openWatcher }),
    });
  }

  async start(deliver: (update: SourceUpdate) => void, signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#folders.close(), { once: true });
    const streams = await this.#readStreams(signal);
    if (signal.aborted) return;
    const first = this.#scan(now());
    if (streams === 0 && first.lost.size > 0 && first.lost.size === this.#options.paths.length) {
      this.#folders.close();
      throw nothingReadable(first);
    }
    await this.#files.settle(now(), signal, true);
    while (this.#files.isBusy && !signal.aborted) {
      await this.#alarm.wait(undefined, signal);
      await this.#files.settle(now(), signal, true);
    }
    if (signal.aborted) return;
    const writes = this.#files.takeWrites();
    this.#findings = this.#currentFindings();
    deliver({ writes, findings: this.#findings });
    if (this.#options.watch) void this.#follow(deliver, signal);
  }

  locate(ref: SourceRef, field: string): Position | undefined {
    return this.#files.locate(ref, field);
  }

  /** Reads standard input and pipes: they can be read once only. Returns how many there are. */
  async #readStreams(signal: AbortSignal): Promise<number> {
    const read = new Set<string>();
    for (const [root, path] of this.#options.paths.entries()) {
      if (read.has(path) || !isStream(path)) continue;
      read.add(path);
      const contents =
        path === '-'
          ? await readStream(this.#options.stdin, this.#limits.fileBytesMax, signal)
          : await this.#readPipe(path, signal);
      await this.#files.addStream(path, orderOf(root), contents);
    }
    return read.size;
  }

  async #readPipe(path: string, signal: AbortSignal): Promise<Contents> {
    try {
      const isPipe = statOf(path)?.isFIFO() === true;
      const stream = isPipe ? await openPipe(path, signal) : openDevice(path);
      if (stream !== undefined) return await readStream(stream, this.#limits.fileBytesMax, signal);
      return {
        refusal: {
          reason: 'NothingWritten',
          message: `nobody has written to the pipe within ${WRITER_MS_MAX / 1000} s`,
          hint: 'Start what writes to it first, or give a file.',
        },
      };
    } catch (error) {
      return { refusal: unreadable(codeOf(error)) };
    }
  }

  async #follow(deliver: (update: SourceUpdate) => void, signal: AbortSignal): Promise<void> {
    // Files that were just being written at the start are looked at again.
    this.#scanDueMs = now() + QUIET_MS;
    while (!signal.aborted) {
      const waitMs = Math.max(0, this.#dueMs() - now());
      const outcome = await this.#alarm.wait(Number.isFinite(waitMs) ? waitMs : undefined, signal);
      if (outcome === 'rung') await this.#untilQuiet(signal);
      if (signal.aborted) break;
      this.#look(now());
      await this.#files.settle(now(), signal);
      this.#deliverChanges(deliver);
    }
  }

  #dueMs(): number {
    const dueMs = [this.#scanDueMs, this.#files.dueMs, this.#paths.dueMs(now())];
    return Math.min(...dueMs.map((timeMs) => timeMs ?? Infinity));
  }

  async #untilQuiet(signal: AbortSignal): Promise<void> {
    const endMs = now() + BURST_MS_MAX;
    while (now() < endMs && (await this.#alarm.wait(QUIET_MS, signal)) === 'rung');
  }

  #onChange(folder: string, name: string | undefined): void {
    if (name === undefined) this.#changed = undefined;
    else if (this.#concerns(folder, name)) this.#changed?.add(join(folder, name));
    else return;
    this.#alarm.ring();
  }

  /** False for what editors put beside a file while it is being edited. */
  #concerns(folder: string, name: string): boolean {
    return (
      isRelevantName(name) ||
      name === MOUNT_LINK ||
      name.startsWith('.env') ||
      this.#files.has(join(folder, name))
    );
  }

  /** Looks at the files that had events, or at everything when that is needed. */
  #look(nowMs: number): void {
    const changed = this.#changed;
    this.#changed = new Set();
    const hadEvents = changed === undefined || changed.size > 0;
    const isScanDue = this.#scanDueMs !== undefined && this.#scanDueMs <= nowMs;
    if (isScanDue) this.#scanDueMs = undefined;
    if (isScanDue || changed === undefined || !this.#lookAt(changed, nowMs)) this.#scan(nowMs);
    if (hadEvents) this.#scanDueMs ??= nowMs + RECHECK_MS;
  }

  /** Looks at files by their paths; false when that is not enough. */
  #lookAt(paths: ReadonlySet<string>, nowMs: number): boolean {
    for (const path of paths) {
      const stats = statOf(path);
      if (stats?.isFile() !== true) return false;
      if (!this.#files.observeFile(path, identityOf(stats), nowMs)) return false;
    }
    return true;
  }

  #scan(nowMs: number): Scan {
    const found = scan(this.#options.paths, this.#limits);
    if (this.#options.watch) {
      const { opened, error } = this.#folders.sync(found.folders);
      this.#watchError = error;
      // What happened in a folder before it was watched went unseen.
      if (opened) this.#scanDueMs = nowMs;
      else if (error !== undefined) this.#scanDueMs = nowMs + POLL_MS;
    }
    this.#files.observe(found, nowMs);
    this.#paths.update(found, nowMs);
    return found;
  }

  #deliverChanges(deliver: (update: SourceUpdate) => void): void {
    const writes = this.#files.takeWrites();
    const findings = this.#currentFindings();
    if (writes.length === 0 && deepEqual(findings, this.#findings)) return;
    this.#findings = findings;
    deliver({ writes, findings });
  }

  #currentFindings(): readonly Finding[] {
    return [
      ...this.#paths.findings(now(), (root) => this.#files.objectsBelow(root)),
      ...(this.#watchError === undefined ? [] : [watchFinding(this.#watchError)]),
      ...this.#files.findings(),
    ];
  }
}

/** Monotonic, because it only measures how long something has been so. */
function now(): number {
  return performance.now();
}

function isStream(path: string): boolean {
  if (path === '-') return true;
  const stats = statOf(path);
  return stats !== undefined && !stats.isFile() && !stats.isDirectory();
}

function nothingReadable(scanned: Scan): FairwayError {
  const problems = [...scanned.lost.values()];
  const isMissing = problems.some(({ code }) => code === 'ENOENT' || code === 'ENOTDIR');
  const message = problems.map(({ path, code }) => `${path}: ${explainCode(code)}`).join('; ');
  return new FairwayError(isMissing ? 'FW_PATH_NOT_FOUND' : 'FW_PATH_UNREADABLE', message, {
    hint: 'Give files or folders with Kubernetes objects, or - for standard input.',
  });
}

function watchFinding(code: string): Finding {
  const { message, hint } = explainWatchError(code);
  return {
    severity: 'warning',
    reason: 'WatchUnavailable',
    message: `changes are noticed within ${POLL_MS} ms only, because ${message}`,
    hint,
    origin: {},
  };
}

function explainWatchError(code: string): { readonly message: string; readonly hint: string } {
  switch (code) {
    case 'ENOSPC':
      return {
        message: 'the system has no file watchers left',
        hint: 'Raise the limit: sysctl fs.inotify.max_user_watches=524288',
      };
    case 'EMFILE':
      return {
        message: 'the system has no file watchers or open files left',
        hint: 'Raise the limits: sysctl fs.inotify.max_user_instances=1024, ulimit -n 65536',
      };
    default:
      return {
        message: `folders cannot be watched: ${explainCode(code)}`,
        hint: 'Keep the files on a local disk.',
      };
  }
}
