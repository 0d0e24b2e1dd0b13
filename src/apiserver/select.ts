// Label and field selectors as written in a query (k8s.io/apimachinery/pkg/labels, pkg/fields) → what
// they select.

import type { KubeObject } from '../api/kind.ts';
import { failure } from './failure.ts';

export type Predicate = (object: KubeObject) => boolean;

/** Selectors longer than this are refused. */
const SELECTOR_CHARS_MAX = 64 * 1024;

const KEY =
  /^(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

type Labels = Readonly<Record<string, string>>;
type LabelTest = (labels: Labels) => boolean;

/** Undefined when everything is selected. Throws a Failure when the selector cannot be read. */
export function parseSelectors(
  labelSelector: string,
  fieldSelector: string,
  fields: FieldReader,
): Predicate | undefined {
  const labels = parseLabelSelector(labelSelector);
  const ofFields = parseFieldSelector(fieldSelector, fields);
  if (labels.length === 0) return ofFields;
  const ofLabels: Predicate = ({ metadata }) => {
    const own = metadata.labels ?? {};
    return labels.every((test) => test(own));
  };
  return ofFields === undefined ? ofLabels : (object) => ofLabels(object) && ofFields(object);
}

function parseLabelSelector(text: string): readonly LabelTest[] {
  if (text.length > SELECTOR_CHARS_MAX) throw unreadable(text.slice(0, 64), 'it is too long');
  return splitOutside(text)
    .map((part) => part.trim())
    .filter((part, _, all) => part !== '' || all.length > 1)
    .map((part) => requirement(part, text));
}

/** Splits at commas that are not within parentheses. */
function splitOutside(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '(') depth++;
    else if (char === ')') depth--;
    else if (char === ',' && depth === 0) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function requirement(part: string, whole: string): LabelTest {
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(part);
  if (set !== null) {
    const key = keyOf(set[1] ?? '', whole);
    const values = new Set((set[3] ?? '').split(',').map((v) => valueOf(v.trim(), whole)));
    return set[2] === 'in'
      ? (labels) => has(labels, key) && values.has(labels[key] ?? '')
      : (labels) => !has(labels, key) || !values.has(labels[key] ?? '');
  }
  const equal = /^([^=!<>\s]+)\s*(==|=|!=|>|<)\s*(\S*)$/.exec(part);
  if (equal !== null) {
    const key = keyOf(equal[1] ?? '', whole);
    const value = valueOf(equal[3] ?? '', whole);
    switch (equal[2]) {
      case '!=':
        return (labels) => !has(labels, key) || labels[key] !== value;
      case '>':
        return (labels) => has(labels, key) && Number(labels[key]) > Number(value);
      case '<':
        return (labels) => has(labels, key) && Number(labels[key]) < Number(value);
      default:
        return (labels) => has(labels, key) && labels[key] === value;
    }
  }
  if (part.startsWith('!')) {
    const key = keyOf(part.slice(1).trim(), whole);
    return (labels) => !has(labels, key);
  }
  const key = keyOf(part, whole);
  return (labels) => has(labels, key);
}

function has(labels: Labels, key: string): boolean {
  return Object.hasOwn(labels, key);
}

function keyOf(key: string, whole: string): string {
  if (KEY.test(key)) return key;
  throw unreadable(whole, `${JSON.stringify(key)} is not a label key`);
}

function valueOf(value: string, whole: string): string {
  if (VALUE.test(value)) return value;
  throw unreadable(whole, `${JSON.stringify(value)} is not a label value`);
}

function unreadable(selector: string, why: string): Error {
  return failure.badRequest(`unable to parse label selector ${JSON.stringify(selector)}: ${why}`);
}

/** The value of a field an object can be selected by; undefined when its kind has no such field. */
export type FieldReader = (field: string) => ((object: KubeObject) => string) | undefined;

function parseFieldSelector(text: string, fields: FieldReader): Predicate | undefined {
  if (text === '') return undefined;
  if (text.length > SELECTOR_CHARS_MAX) throw failure.badRequest('the field selector is too long');
  const tests = text.split(',').map((part): Predicate => {
    const match = /^([^=!]+)(==|=|!=)(.*)$/.exec(part);
    if (match === null) {
      throw failure.badRequest(
        `invalid selector: ${JSON.stringify(text)}; can't understand ${JSON.stringify(part)}`,
      );
    }
    const [, field = '', operator, value = ''] = match;
    const read = fields(field);
    if (read === undefined) throw failure.badRequest(`field label not supported: ${field}`);
    return operator === '!='
      ? (object) => read(object) !== value
      : (object) => read(object) === value;
  });
  return (object) => tests.every((test) => test(object));
}
