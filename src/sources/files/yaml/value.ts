// The text of one YAML document → its value, as kubectl reads it: go-yaml v2's scalars, aliases and
// merge keys, on the structure that structure.ts finds. Stricter than kubectl in one thing: keys that
// are there twice, of which kubectl silently takes the last, are a fault.

import { EVENT_ID } from 'js-yaml';
import type { Event, ScalarEvent } from 'js-yaml';
import type { Fault } from './fault.ts';
import { resolveKey, resolvePlain, resolveTagged } from './scalar.ts';
import type { Resolved, Scalar } from './scalar.ts';
import {
  anchorOf,
  isPlain,
  offsetOf,
  parseStructure,
  scalarText,
  spotOf,
  STANDARD_TAGS,
  tagOf,
} from './structure.ts';
import type { Structure, Unstructured } from './structure.ts';

export interface ValueLimits {
  readonly nestingMax: number;
  readonly aliasNodesMax: number;
}

export type ParsedValue = { readonly value: unknown } | Unstructured;

/** Of more faults in a document the first ones are told. */
const FAULTS_MAX = 20;

/**
 * Parses one document; an empty one has the value null. Parts that aliases repeat are shared, so the
 * value must not be changed.
 */
export function parseValue(text: string, limits: ValueLimits): ParsedValue {
  const structure = parseStructure(text, limits.nestingMax);
  if (!('events' in structure)) return structure;
  const builder = new Builder(structure, limits.aliasNodesMax);
  const value = builder.document();
  return builder.faults.length === 0 ? { value } : { faults: builder.faults };
}

/** A scalar in the place of a key; `<<` without quotes is no key but a merge. */
export function keyOf(structure: Structure, event: ScalarEvent): Resolved<string> | 'merge' {
  const text = scalarText(structure, event);
  const tag = tagOf(structure, event);
  if (tag === undefined) {
    if (!isPlain(event)) return { value: text };
    return text === '<<' ? 'merge' : resolveKey(text);
  }
  if (tag === `${STANDARD_TAGS}merge` && text === '<<') return 'merge';
  const resolved = resolveTagged(tag, text);
  if ('error' in resolved) return resolved;
  return typeof resolved.value === 'string' ? { value: resolved.value } : resolveKey(text);
}

interface Anchor {
  readonly value: unknown;
  /** Nodes below and including it, with those its own aliases stand for. */
  readonly nodes: number;
}

/** Goes through the events once, front to back; a fault is noted, and null stands in for the value. */
class Builder {
  readonly faults: Fault[] = [];
  readonly #structure: Structure;
  readonly #aliasNodesMax: number;
  /** An anchor whose node is still being built stands for undefined. */
  readonly #anchors = new Map<string, Anchor | undefined>();
  #next = 0;
  #nodes = 0;
  #aliasNodes = 0;

  constructor(structure: Structure, aliasNodesMax: number) {
    this.#structure = structure;
    this.#aliasNodesMax = aliasNodesMax;
  }

  document(): unknown {
    const { events } = this.#structure;
    if (events.length === 0) return null;
    this.#next = 1;
    const value = this.#node();
    const second = events[this.#next + 2];
    if (second !== undefined) {
      this.#report(second, 'text after "...", which kubectl ignores; begin a document with "---"');
    }
    return value;
  }

  #node(): unknown {
    const event = this.#peek();
    this.#next++;
    if (event.type === EVENT_ID.ALIAS) return this.#alias(event);
    const anchor = anchorOf(this.#structure, event);
    if (anchor === undefined) return this.#content(event);
    const before = this.#nodes;
    this.#anchors.set(anchor, undefined);
    const value = this.#content(event);
    this.#anchors.set(anchor, { value, nodes: this.#nodes - before });
    return value;
  }

  #content(event: Event): unknown {
    this.#nodes++;
    switch (event.type) {
      case EVENT_ID.SCALAR:
        return this.#scalar(event);
      case EVENT_ID.SEQUENCE:
        return this.#sequence();
      case EVENT_ID.MAPPING:
        return this.#mapping();
      case EVENT_ID.ALIAS:
      case EVENT_ID.DOCUMENT:
      case EVENT_ID.POP:
        throw new Error('a node cannot begin with this event');
    }
  }

  #scalar(event: ScalarEvent): Scalar {
    const text = scalarText(this.#structure, event);
    const tag = tagOf(this.#structure, event);
    if (tag === undefined && !isPlain(event)) return text;
    const resolved = tag === undefined ? { value: resolvePlain(text) } : resolveTagged(tag, text);
    if ('error' in resolved) return this.#report(event, resolved.error);
    if (typeof resolved.value === 'number' && !Number.isFinite(resolved.value)) {
      return this.#report(
        event,
        `${text} is not a number in JSON, which the Kubernetes API speaks`,
      );
    }
    return resolved.value;
  }

  #sequence(): unknown[] {
    const items: unknown[] = [];
    while (this.#peek().type !== EVENT_ID.POP) items.push(this.#node());
    this.#next++;
    return items;
  }

  #mapping(): Record<string, unknown> {
    const out: Record<string, unknown> = {};
    /** Keys that only a merge has set: writing them down replaces them and is no duplicate. */
    let merged: Set<string> | undefined;
    while (this.#peek().type !== EVENT_ID.POP) {
      const at = this.#peek();
      const key = this.#key(at);
      if (key === 'merge') {
        merged ??= new Set();
        for (const source of this.#mergeSources(at)) merge(out, source, merged);
      } else {
        if (Object.hasOwn(out, key.value) && merged?.delete(key.value) !== true) {
          this.#report(at, `the key "${key.value}" is there twice in the same mapping`);
        }
        define(out, key.value, this.#node());
      }
    }
    this.#next++;
    return out;
  }

  #key(event: Event): { readonly value: string } | 'merge' {
    if (event.type === EVENT_ID.SCALAR) {
      const key = keyOf(this.#structure, event);
      // An anchor at a key stands for the scalar as a value.
      if (event.anchorStart === -1) this.#next++;
      else this.#node();
      if (key === 'merge' || 'value' in key) return key;
      this.#report(event, key.error);
      return { value: scalarText(this.#structure, event) };
    }
    const value = this.#node();
    if (typeof value === 'object')
      this.#report(event, 'a key must be text, not a mapping or a list');
    return { value: String(value) };
  }

  /** What `<<` brings in, in the order in which it is written into the mapping: the last wins. */
  #mergeSources(at: Event): readonly object[] {
    const listed = this.#peek().type === EVENT_ID.SEQUENCE;
    const value = this.#node();
    const sources: readonly unknown[] =
      listed && Array.isArray(value) ? value.toReversed() : [value];
    return sources.filter((source): source is object => {
      if (typeof source === 'object' && source !== null && !Array.isArray(source)) return true;
      this.#report(at, 'the merge key "<<" takes a mapping or a list of mappings');
      return false;
    });
  }

  #alias(event: Event): unknown {
    const name = anchorOf(this.#structure, event) ?? '';
    const anchor = this.#anchors.get(name);
    if (anchor === undefined) {
      return this.#anchors.has(name)
        ? this.#report(event, `the alias *${name} stands inside what it stands for`)
        : this.#report(event, `the alias *${name} has no anchor &${name} before it`);
    }
    // A refused alias adds nothing, so that what is counted stays as small as what is built.
    if (this.#aliasNodes + anchor.nodes > this.#aliasNodesMax) {
      const limit = `${this.#aliasNodesMax} values (limit aliasNodesMax)`;
      return this.#report(event, `the aliases up to here stand for more than ${limit}`);
    }
    this.#nodes += anchor.nodes;
    this.#aliasNodes += anchor.nodes;
    return anchor.value;
  }

  #peek(): Event {
    const event = this.#structure.events[this.#next];
    if (event === undefined) throw new Error('the structure ends inside a node');
    return event;
  }

  #report(event: Event, message: string): null {
    if (this.faults.length < FAULTS_MAX) {
      this.faults.push({ spot: spotOf(this.#structure, offsetOf(event)), message });
    }
    return null;
  }
}

/** Writes even over keys the mapping itself has before the merge: so does go-yaml v2. */
function merge(out: Record<string, unknown>, source: object, merged: Set<string>): void {
  for (const [key, value] of Object.entries(source)) {
    if (!Object.hasOwn(out, key)) merged.add(key);
    define(out, key, value);
  }
}

/** Assigning to `__proto__` would change the prototype instead of adding a key. */
function define(out: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(out, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else {
    out[key] = value;
  }
}
