// All files of the source, each on its way from being seen to counting. A change counts when the file
// has held still for a moment; one that takes something away has to hold still longer, because
// editors empty files, move them aside and put them back.

import { dirname, resolve } from 'node:path';
import type { Finding, Position } from '../../api/finding.ts';
import { formatRef } from '../../api/finding.ts';
import type { SourceRef } from '../../store/table.ts';
import type { ObjectWrite } from '../../store/write.ts';
import type { DocumentContext } from './document.ts';
import { fileFindings, formatPosition, itemPath, locateInFile, placeOf } from './findings.ts';
import type { FileNames } from './findings.ts';
import { Inventory } from './inventory.ts';
import type { Claimant, Duplicate } from './inventory.ts';
import { pathIn } from './item.ts';
import { renderKustomization } from './kustomize.ts';
import { readFile } from './read.ts';
import type { Contents } from './read.ts';
import { Parser } from './reading.ts';
import type { Scan, ScannedFile } from './scan.ts';
import { claimsOf, nextVersion, refusedVersion } from './version.ts';
import type { Claim, FileVersion, NextVersion, Refusal } from './version.ts';

/** How long a changed file has to hold still: longer than a tick of a file system's clock. */
const SETTLE_MS = 15;
/** The same for what takes something away, for a missing file, and for kustomizations. */
const REMOVAL_MS = 150;
const RENDERS_MAX = 4;

const NOTHING: ReadonlySet<string> = new Set();

interface Entry extends Claimant, FileNames {
  readonly type: ScannedFile['type'] | 'stream';
  readonly root: number;
  leaving: ReadonlySet<string>;
  /** The state of the file that was read last. */
  identity: string | undefined;
  version: FileVersion | undefined;
  claimCount: number;
  findings: readonly Finding[];
  isRendering: boolean;
}

/** A state of a file that was seen and does not count yet. */
interface Pending {
  /** Undefined for a file that is missing. */
  readonly identity: string | undefined;
  readonly sinceMs: number;
  readonly dueMs: number;
}

export interface FileSetOptions {
  readonly context: DocumentContext;
  /** The program that renders kustomizations. */
  readonly kubectl: string;
  /** Called when a kustomization was rendered, so that there is something to settle. */
  readonly onRendered: () => void;
}

export class FileSet {
  readonly #options: FileSetOptions;
  readonly #parser: Parser;
  readonly #entries = new Map<string, Entry>();
  readonly #byPath = new Map<string, Entry>();
  readonly #pending = new Map<Entry, Pending>();
  readonly #rendered: { readonly entry: Entry; readonly contents: Contents }[] = [];
  readonly #inventory = new Inventory<Entry>();
  #rendering = 0;
  #claimCount = 0;

  constructor(options: FileSetOptions) {
    this.#options = options;
    this.#parser = new Parser(options.context);
  }

  /** When there is something to settle next; undefined when nothing is waiting for time to pass. */
  get dueMs(): number | undefined {
    let dueMs: number | undefined;
    for (const [entry, pending] of this.#pending) {
      if (pending.identity !== undefined && !this.#mayStart(entry)) continue;
      dueMs = Math.min(dueMs ?? Infinity, pending.dueMs);
    }
    return dueMs;
  }

  /** True as long as something seen does not count yet. */
  get isBusy(): boolean {
    return this.#pending.size > 0 || this.#rendering > 0 || this.#rendered.length > 0;
  }

  /** Notes what a scan saw. Files below a path that cannot be looked at stay as they are. */
  observe(scan: Scan, nowMs: number): void {
    const present = new Set<Entry>();
    for (const scanned of scan.files) {
      const entry = this.#entryOf(scanned);
      present.add(entry);
      this.#observeState(entry, scanned.identity, nowMs);
    }
    const unreadable = scan.unreadable.map(({ path }) => `${path}/`);
    for (const entry of this.#entries.values()) {
      if (present.has(entry) || entry.type === 'stream') continue;
      const isHidden =
        scan.isCutOff ||
        scan.lost.has(entry.root) ||
        unreadable.some((folder) => entry.file.startsWith(folder));
      // Whatever was last read of a hidden file is as good as what is now there.
      this.#observeState(entry, isHidden ? entry.identity : undefined, nowMs);
    }
  }

  /** True for the absolute path of a file of the set. */
  has(path: string): boolean {
    return this.#byPath.has(path);
  }

  /** Notes the state of one file, by its absolute path; false when that takes a scan. */
  observeFile(path: string, identity: string, nowMs: number): boolean {
    const entry = this.#byPath.get(path);
    if (entry?.type !== 'file') return false;
    this.#observeState(entry, identity, nowMs);
    return true;
  }

  /** Takes what a stream gave: standard input, or a pipe. */
  async addStream(file: string, order: string, contents: Contents): Promise<void> {
    const entry = this.#addEntry({ file, order, type: 'stream', root: -1 });
    await this.#take(entry, contents);
  }

  /** Reads what has held still long enough; with `atOnce`, everything that was seen. */
  async settle(nowMs: number, signal: AbortSignal, atOnce = false): Promise<void> {
    for (const { entry, contents } of this.#rendered.splice(0)) await this.#take(entry, contents);
    const due = [...this.#pending].filter(([, { dueMs }]) => atOnce || dueMs <= nowMs);
    for (const [entry, pending] of due) {
      if (signal.aborted) return;
      if (entry.type === 'kustomization' && pending.identity !== undefined) {
        this.#render(entry, pending.identity, signal);
      } else if (pending.identity === undefined) {
        this.#remove(entry);
      } else {
        await this.#read(entry, pending, nowMs, atOnce);
      }
    }
  }

  /** What changed in the objects since the last call. */
  takeWrites(): readonly ObjectWrite[] {
    return this.#inventory.takeWrites();
  }

  /** Everything that is wrong with the files as of the last takeWrites, in their order. */
  findings(): readonly Finding[] {
    const entries = [...this.#entries.values()].filter((entry) => entry.findings.length > 0);
    return [
      ...entries
        .toSorted((a, b) => (a.order < b.order ? -1 : 1))
        .flatMap((entry) => entry.findings),
      ...this.#inventory.duplicates().map((duplicate) => this.#duplicateFinding(duplicate)),
    ];
  }

  /** How many objects the files below a path given by the user stand for. */
  objectsBelow(root: number): number {
    let objects = 0;
    for (const entry of this.#entries.values()) {
      if (entry.root === root) objects += entry.claimCount;
    }
    return objects;
  }

  locate(ref: SourceRef, field: string): Position | undefined {
    const entry = this.#entries.get(ref.file);
    if (entry?.version === undefined) return undefined;
    const path = pathIn({ path: itemPath(entry.version, ref) }, field);
    const { limits } = this.#options.context;
    return locateInFile(entry, entry.version, { document: ref.document, path }, limits);
  }

  #entryOf(scanned: ScannedFile): Entry {
    return this.#entries.get(scanned.file) ?? this.#addEntry(scanned);
  }

  #addEntry({ file, order, type, root }: Pick<Entry, 'file' | 'order' | 'type' | 'root'>): Entry {
    const entry: Entry = {
      file,
      order,
      type,
      root,
      isGenerated: type === 'kustomization',
      leaving: NOTHING,
      identity: undefined,
      version: undefined,
      claimCount: 0,
      findings: [],
      isRendering: false,
      placeOf: ({ source }) => placeOf(entry.version, source),
    };
    this.#entries.set(file, entry);
    this.#byPath.set(resolve(file), entry);
    return entry;
  }

  #observeState(entry: Entry, identity: string | undefined, nowMs: number): void {
    const pending = this.#pending.get(entry);
    if (pending !== undefined && pending.identity === identity) return;
    if (identity === undefined && entry.version === undefined) {
      this.#remove(entry);
      return;
    }
    if (identity === entry.identity) {
      this.#pending.delete(entry);
      this.#setLeaving(entry, NOTHING);
      return;
    }
    const isSlow = identity === undefined || entry.type === 'kustomization';
    const dueMs = nowMs + (isSlow ? REMOVAL_MS : SETTLE_MS);
    this.#pending.set(entry, { identity, sinceMs: nowMs, dueMs });
    if (identity === undefined) this.#setLeaving(entry, keysOf(claimsOf(entry.version)));
  }

  async #read(entry: Entry, pending: Pending, nowMs: number, atOnce: boolean): Promise<void> {
    const read = readFile(entry.file, this.#options.context.limits.fileBytesMax);
    if (read.type === 'gone') {
      this.#observeState(entry, undefined, nowMs);
      return;
    }
    const identity = read.identity ?? pending.identity;
    if (!atOnce && (identity !== pending.identity || !read.isSettled)) {
      this.#pending.set(entry, { identity, sinceMs: nowMs, dueMs: nowMs + SETTLE_MS });
      return;
    }
    const next = await this.#nextVersion(entry, read.contents);
    const lost = lostKeys(next);
    const waitUntilMs = pending.sinceMs + REMOVAL_MS;
    if (!atOnce && nowMs < waitUntilMs && (lost.size > 0 || isWorse(entry.version, next.version))) {
      this.#pending.set(entry, { ...pending, dueMs: waitUntilMs });
      this.#setLeaving(entry, lost);
      return;
    }
    this.#pending.delete(entry);
    // What has not held still yet is read again after the next scan.
    entry.identity = atOnce && (read.isFresh || !read.isSettled) ? UNSETTLED : identity;
    this.#apply(entry, next);
  }

  async #take(entry: Entry, contents: Contents): Promise<void> {
    if (this.#entries.get(entry.file) !== entry) return;
    this.#apply(entry, await this.#nextVersion(entry, contents));
  }

  async #nextVersion(entry: Entry, contents: Contents): Promise<NextVersion> {
    const before = entry.version;
    if ('refusal' in contents) return refusedVersion(contents.refusal, before);
    const reading = await this.#parser.parse(contents.bytes, before?.reading);
    const next = nextVersion(entry.file, reading, before);
    const { objectsMax } = this.#options.context.limits;
    if (this.#claimCount + next.added.length - next.removed.length <= objectsMax) return next;
    return refusedVersion(tooManyObjects(objectsMax), before);
  }

  #apply(entry: Entry, { version, removed, added }: NextVersion): void {
    this.#setLeaving(entry, NOTHING);
    entry.version = version;
    entry.findings = fileFindings(entry, version, this.#options.context.limits);
    this.#change(entry, removed, added);
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.file);
    this.#byPath.delete(resolve(entry.file));
    this.#pending.delete(entry);
    this.#change(entry, claimsOf(entry.version), []);
  }

  #change(entry: Entry, removed: readonly Claim[], added: readonly Claim[]): void {
    entry.claimCount += added.length - removed.length;
    this.#claimCount += added.length - removed.length;
    this.#inventory.change(entry, removed, added);
  }

  #setLeaving(entry: Entry, keys: ReadonlySet<string>): void {
    this.#inventory.reconsider([...entry.leaving, ...keys]);
    entry.leaving = keys;
  }

  #mayStart(entry: Entry): boolean {
    if (entry.type !== 'kustomization') return true;
    return !entry.isRendering && this.#rendering < RENDERS_MAX;
  }

  #render(entry: Entry, identity: string, signal: AbortSignal): void {
    if (!this.#mayStart(entry)) return;
    const { kubectl, context, onRendered } = this.#options;
    this.#pending.delete(entry);
    entry.identity = identity;
    entry.isRendering = true;
    this.#rendering++;
    const options = { kubectl, limits: context.limits, signal };
    void renderKustomization(dirname(entry.file), options).then((contents) => {
      entry.isRendering = false;
      this.#rendering--;
      this.#rendered.push({ entry, contents });
      onRendered();
    });
  }

  #duplicateFinding(duplicate: Duplicate<Entry>): Finding {
    const { claim, claimant, winner, winningClaimant } = duplicate;
    const here = this.#positionOf(claimant, claim);
    const there = this.#positionOf(winningClaimant, winner);
    const { ref } = claim.identity;
    return {
      severity: 'error',
      reason: 'Duplicate',
      message: `${formatRef(ref)} at ${formatPosition(here)} is already declared at ${formatPosition(there)}; the first counts`,
      hint: 'Remove or rename one of the two.',
      origin: { object: ref, field: '', position: here },
    };
  }

  #positionOf(entry: Entry, { source, path }: Claim): Position {
    const at = { document: source.document, path };
    const { limits } = this.#options.context;
    const found =
      entry.version === undefined ? undefined : locateInFile(entry, entry.version, at, limits);
    return found ?? { file: entry.file, line: 1, column: 1 };
  }
}

/** An identity that no file has. */
const UNSETTLED = 'unsettled';

function keysOf(claims: readonly Claim[]): ReadonlySet<string> {
  return new Set(claims.map(({ identity }) => identity.key));
}

function lostKeys({ removed, added }: NextVersion): ReadonlySet<string> {
  const kept = keysOf(added);
  return keysOf(removed.filter(({ identity }) => !kept.has(identity.key)));
}

/** True for trouble that was not there before: it may be gone in a moment. */
function isWorse(before: FileVersion | undefined, after: FileVersion): boolean {
  const hadTrouble = before !== undefined && hasTrouble(before);
  return hasTrouble(after) && !hadTrouble;
}

function hasTrouble(version: FileVersion): boolean {
  return version.faults.length > 0 || version.refusal !== undefined;
}

function tooManyObjects(objectsMax: number): Refusal {
  return {
    reason: 'TooManyObjects',
    message: `with this file there would be more than ${objectsMax} objects (limit objectsMax)`,
    hint: 'Give fewer files, or raise the limit.',
  };
}
