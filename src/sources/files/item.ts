// What a document says about one object, and what is to be said about that: the values that admission
// makes and the rest of this folder passes on.

import type { Finding, ObjectRef } from '../../api/finding.ts';
import type { Kind, KubeObject } from '../../api/kind.ts';

export type Item = ItemPlace &
  (
    | { readonly type: 'object'; readonly identity: Identity; readonly object: KubeObject }
    /** It is clear which object is meant, but what is said about it is wrong. */
    | { readonly type: 'rejected'; readonly identity: Identity }
    /** It is not even clear which object is meant; `known` is what is clear. */
    | { readonly type: 'unidentified'; readonly known: Partial<ObjectRef> }
  );

export interface Identity {
  /** Unique among all objects. */
  readonly key: string;
  readonly kind: Kind;
  readonly ref: ObjectRef;
}

export interface ItemPlace {
  /** Its path in the document; empty outside a List. */
  readonly path: string;
  /** Its number in the List, nested Lists counted through; absent outside one. */
  readonly item?: number;
}

/** A finding whose place is a path in its document. */
export interface Issue extends Pick<Finding, 'severity' | 'reason' | 'message' | 'hint'> {
  readonly object?: ObjectRef;
  /** The path in the object, as in Origin. */
  readonly field?: string;
  /** The path in the document. */
  readonly path: string;
}

/** What a document or a part of it comes to. */
export interface Admitted {
  readonly items: readonly Item[];
  readonly issues: readonly Issue[];
}

/** A mapping as the user wrote it. */
export type Written = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is Written {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The text, or undefined when the value is something else or empty. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** True for what counts as not written: YAML makes `name:` without a value null. */
export function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

/** The path in the document of a field of an item. */
export function pathIn(place: ItemPlace, field: string): string {
  if (place.path === '' || field === '') return place.path + field;
  return `${place.path}.${field}`;
}

const SHOWN_CHARS_MAX = 100;

/** Text of the user's for a message: what is too long to read is cut. */
export function shown(text: string): string {
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text;
}
