// The text of a document → what it comes to: faults, or objects and issues. What is parsed here once
// is kept by file.ts as long as the text stays the same.

import type { AdmissionContext } from './admission.ts';
import { admitDocument } from './admission.ts';
import type { Admitted } from './item.ts';
import type { FilesLimits } from './limits.ts';
import type { Fault } from './yaml/fault.ts';
import { findFaults } from './yaml/faults.ts';
import { looksLikeJson, parseJson } from './yaml/json.ts';
import { parseValue } from './yaml/value.ts';

export interface ParsedDocument extends Admitted {
  readonly text: string;
  /** Why it cannot be read; empty when it can. */
  readonly faults: readonly Fault[];
}

export interface DocumentContext extends AdmissionContext {
  readonly limits: FilesLimits;
}

/** Parses and admits one document. */
export function parseDocument(text: string, context: DocumentContext): ParsedDocument {
  const { limits } = context;
  const json = looksLikeJson(text) ? parseJson(text, limits.nestingMax) : undefined;
  const parsed = json ?? parseValue(text, limits);
  if ('value' in parsed) return { text, faults: [], ...admitDocument(parsed.value, context) };
  return { text, faults: findFaults(text, parsed), items: [], issues: [] };
}
