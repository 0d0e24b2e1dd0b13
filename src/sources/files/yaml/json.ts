// JSON text → documents and values, natively and therefore fast. A JSON file may hold several objects
// one after the other, as `jq` writes them and kubectl reads them.

import { spotAt } from './fault.ts';
import type { Fault } from './fault.ts';

interface JsonScan {
  /** Where each top-level value ends, the space before the next one included. */
  readonly ends: readonly number[];
  /** Keys written down in all objects. */
  readonly keys: number;
  readonly depthMax: number;
}

/** True for text that is JSON if it is anything: kubectl decides by the first character as well. */
export function looksLikeJson(text: string): boolean {
  return /^\s*\{/.test(text);
}

/** Splits text into its top-level JSON values; undefined when it is not a sequence of several. */
export function splitJson(text: string): readonly string[] | undefined {
  const { ends } = scanJson(text);
  if (ends.length < 2) return undefined;
  const parts = ends.map((end, i) => text.slice(ends[i - 1] ?? 0, end));
  return parts.every((part) => tryParse(part) !== undefined) ? parts : undefined;
}

/**
 * The value of a JSON document. Undefined when it is not JSON or has a key twice: read as YAML, it
 * then shows what is wrong and where.
 */
export function parseJson(
  text: string,
  nestingMax: number,
): { readonly value: unknown } | { readonly faults: readonly Fault[] } | undefined {
  const parsed = tryParse(text);
  if (parsed === undefined) return undefined;
  const { keys, depthMax } = scanJson(text);
  if (depthMax > nestingMax) {
    const message = `nested deeper than ${nestingMax} levels (limit nestingMax)`;
    return { faults: [{ spot: spotAt(text, 0), message }] };
  }
  // JSON.parse keeps the last of several equal keys, so that fewer come out than were written.
  return countKeys(parsed.value) === keys ? parsed : undefined;
}

function tryParse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    // Text that begins like JSON may be YAML in flow style.
    return undefined;
  }
}

/** Finds strings and brackets only: right for every text that is JSON, without a meaning for others. */
function scanJson(text: string): JsonScan {
  const ends: number[] = [];
  let keys = 0;
  let depth = 0;
  let depthMax = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: // "
        i = endOfString(text, i);
        break;
      case 0x3a: // :
        keys++;
        break;
      case 0x5b: // [
      case 0x7b: // {
        depth++;
        if (depth > depthMax) depthMax = depth;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        if (depth === 0) ends.push(i + 1);
        break;
      default: // Numbers, words, commas and space change nothing.
    }
  }
  const last = ends.at(-1);
  if (last !== undefined && text.slice(last).trim() === '') ends[ends.length - 1] = text.length;
  return { ends, keys, depthMax };
}

function endOfString(text: string, start: number): number {
  let i = start + 1;
  for (let c = text.charCodeAt(i); i < text.length && c !== 0x22; c = text.charCodeAt(++i)) {
    if (c === 0x5c) i++;
  }
  return i;
}

function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + countKeys(item), 0);
  const items = Object.values(value);
  return items.reduce((sum: number, item) => sum + countKeys(item), items.length);
}
