// A folder with a kustomization → what to watch: everything below the folder, and what its files
// point to outside it (`../base`). Whether kustomize really reads a file is not asked: to render once
// too often costs little, and to miss a change would be a riddle.

import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import type { Dirent } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { compareNames, identityOf, isRelevantName, statOf } from './stat.ts';
import { parseValue } from './yaml/value.ts';

export interface KustomizeInputs {
  /** Changes whenever one of the files may have changed. */
  readonly identity: string;
  /** Folders with inputs, as absolute paths. */
  readonly folders: readonly string[];
}

/** The names kustomize looks for, in its order. */
const NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/** Files looked at for one kustomization; a folder with more is a mistake. */
const INPUTS_MAX = 10_000;
const REFERENCE_CHARS_MAX = 1024;
const NESTING_MAX = 50;

/** The kustomization among the entries of a folder. */
export function kustomizationOf(entries: readonly Dirent[]): string | undefined {
  const names = new Set(entries.map(({ name }) => name));
  return NAMES.find((name) => names.has(name));
}

/** Everything that a change of may change what a kustomization comes to. */
export function kustomizeInputs(folder: string): KustomizeInputs {
  const collector = new Collector();
  collector.add(resolve(folder));
  return collector.result();
}

class Collector {
  readonly #files = new Map<string, string>();
  readonly #folders = new Set<string>();
  readonly #seen = new Set<string>();

  result(): KustomizeInputs {
    const files = [...this.#files].toSorted(([a], [b]) => compareNames(a, b));
    return {
      identity: files.map(([path, identity]) => `${path}=${identity}`).join('\n'),
      folders: [...this.#folders],
    };
  }

  add(path: string): void {
    if (this.#files.size >= INPUTS_MAX) return;
    const stats = statOf(path);
    if (stats?.isDirectory() === true) this.#addFolder(path);
    else if (stats?.isFile() === true) this.#files.set(path, identityOf(stats));
  }

  #addFolder(folder: string): void {
    const real = attempt(() => realpathSync(folder));
    if (real === undefined || this.#seen.has(real)) return;
    this.#seen.add(real);
    this.#folders.add(folder);
    const entries = attempt(() => readdirSync(folder, { withFileTypes: true })) ?? [];
    for (const { name } of entries) {
      // Hidden files count here: a generator may read `.env`.
      if (isRelevantName(name) || name.startsWith('.env')) this.add(join(folder, name));
    }
    const kustomization = kustomizationOf(entries);
    if (kustomization !== undefined) this.#addReferences(folder, join(folder, kustomization));
  }

  /** Adds what a kustomization points to outside its folder. */
  #addReferences(folder: string, kustomization: string): void {
    const text = attempt(() => readFileSync(kustomization, 'utf8'));
    if (text === undefined) return;
    const parsed = parseValue(text, { nestingMax: NESTING_MAX, aliasNodesMax: INPUTS_MAX });
    if (!('value' in parsed)) return;
    for (const reference of texts(parsed.value)) {
      const path = resolve(folder, reference);
      const fromFolder = relative(folder, path);
      if (fromFolder.startsWith('..') || isAbsolute(fromFolder)) this.add(path);
    }
  }
}

/** All texts in a value that could name a file; generators write `key=path`. */
function texts(value: unknown): readonly string[] {
  if (typeof value === 'string') {
    if (value.length > REFERENCE_CHARS_MAX || /[\n\0]|:\/\//.test(value)) return [];
    return [value, value.slice(value.indexOf('=') + 1)];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(texts);
}

/** Undefined for what cannot be read: kustomize itself will say so. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    // A file that is gone or closed to us is no input.
    return undefined;
  }
}
