// A field path in the text of a document → its place. Found on demand by going through the structure
// once more: fast enough for a person who asks, and no tree is kept in memory. A mapping entry is
// found at its key and a list item at its first character, because that is where a reader looks.

import { EVENT_ID } from 'js-yaml';
import type { Event } from 'js-yaml';
import { spotAt } from './fault.ts';
import type { Spot } from './fault.ts';
import { anchorOf, offsetOf, parseStructure, spotOf } from './structure.ts';
import type { Structure } from './structure.ts';
import { keyOf } from './value.ts';

/** The first character that is neither space nor part of a comment. */
const FIRST_CONTENT = /(?<=^[ \t]*)[^\s#]/m;

/**
 * The places of fields such as `spec.rules[0].backendRefs[1].port` or
 * `metadata.annotations[fairway.dev/x]`, in the order of the paths. When a field is not written down
 * (a default, say), the place of what is nearest above it; for the empty path and for text that
 * cannot be read, the first thing in the text. Aliases and merge keys are followed.
 */
export function locateFields(
  text: string,
  paths: readonly string[],
  nestingMax: number,
): readonly Spot[] {
  const start = spotAt(text, Math.max(0, text.search(FIRST_CONTENT)));
  if (paths.every((path) => path === '')) return paths.map(() => start);
  const structure = parseStructure(text, nestingMax);
  if (!('events' in structure) || structure.events.length === 0) return paths.map(() => start);
  const walker = new Walker(structure);
  return paths.map((path) => spotOf(structure, walker.find(path)));
}

/** A node by the index of its first event, where it is shown, and what is left of the path. */
interface Step {
  readonly node: number;
  readonly offset: number;
  readonly rest: string;
}

class Walker {
  readonly #structure: Structure;
  readonly #events: readonly Event[];

  constructor(structure: Structure) {
    this.#structure = structure;
    this.#events = structure.events;
  }

  /** The offset of the deepest part of the path that is there. */
  find(path: string): number {
    let at: Step = { node: 1, offset: this.#offset(1), rest: path };
    while (at.rest !== '') {
      const next = this.#step(this.#target(at.node), at.rest);
      if (next === undefined) break;
      at = next.offset === -1 ? { ...next, offset: at.offset } : next;
    }
    return at.offset;
  }

  #step(node: number, path: string): Step | undefined {
    switch (this.#events[node]?.type) {
      case EVENT_ID.SEQUENCE: {
        const index = /^\[([0-9]+)\]\.?/.exec(path);
        const item = index === null ? undefined : this.#children(node)[Number(index[1])];
        if (index === null || item === undefined) return undefined;
        return { node: item, offset: this.#offset(item), rest: path.slice(index[0].length) };
      }
      case EVENT_ID.MAPPING:
        return this.#entry(node, path);
      case undefined:
      default:
        return undefined;
    }
  }

  /** The entry whose key the path begins with; the longest, for keys that have dots in them. */
  #entry(mapping: number, path: string): Step | undefined {
    const children = this.#children(mapping);
    const merged: number[] = [];
    let best: Step | undefined;
    for (let i = 0; i + 1 < children.length; i += 2) {
      const [key = 0, value = 0] = [children[i], children[i + 1]];
      const event = this.#events[this.#target(key)];
      if (event?.type !== EVENT_ID.SCALAR) continue;
      const name = keyOf(this.#structure, event);
      if (name === 'merge') merged.push(value);
      if (name === 'merge' || !('value' in name)) continue;
      const rest = afterKey(path, name.value);
      if (rest !== undefined && (best === undefined || rest.length < best.rest.length)) {
        best = { node: value, offset: this.#offset(key), rest };
      }
    }
    return best ?? this.#mergedEntry(merged, path);
  }

  #mergedEntry(merged: readonly number[], path: string): Step | undefined {
    // What is merged last wins; of a list, its first.
    for (const value of merged.toReversed()) {
      const target = this.#target(value);
      const isList = this.#events[target]?.type === EVENT_ID.SEQUENCE;
      for (const source of isList ? this.#children(target) : [target]) {
        const found = this.#step(this.#target(source), path);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  /** The nodes directly below a collection; of a mapping, keys and values in turn. */
  #children(collection: number): readonly number[] {
    const children: number[] = [];
    let depth = 0;
    for (let i = collection + 1; i < this.#events.length; i++) {
      const type = this.#events[i]?.type;
      if (type === EVENT_ID.POP) {
        if (depth === 0) break;
        depth--;
        continue;
      }
      if (depth === 0) children.push(i);
      if (type === EVENT_ID.SEQUENCE || type === EVENT_ID.MAPPING) depth++;
    }
    return children;
  }

  /** The node itself, or what an alias stands for: the last anchor of that name before it. */
  #target(node: number): number {
    const event = this.#events[node];
    if (event?.type !== EVENT_ID.ALIAS) return node;
    const name = anchorOf(this.#structure, event);
    for (let i = node - 1; i > 0; i--) {
      const earlier = this.#events[i];
      if (earlier === undefined || earlier.type === EVENT_ID.ALIAS) continue;
      if (anchorOf(this.#structure, earlier) === name) return i;
    }
    return node;
  }

  #offset(node: number): number {
    const event = this.#events[node];
    return event === undefined ? -1 : offsetOf(event);
  }
}

/** What is left of a path after a key, as `name`, `name.rest`, `name[0]` or `[name].rest`. */
function afterKey(path: string, key: string): string | undefined {
  if (path.startsWith(`[${key}]`)) return path.slice(key.length + 2).replace(/^\./, '');
  if (!path.startsWith(key)) return undefined;
  const next = path[key.length];
  if (next === undefined) return '';
  if (next === '.') return path.slice(key.length + 1);
  return next === '[' ? path.slice(key.length) : undefined;
}
