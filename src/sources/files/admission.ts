// The value of a document → the objects in it, admitted, and what is to be said about them. Pure, and
// a function of the document alone, so that its result is kept as long as the text is the same: so
// objects are admitted without their version before, and files mean the same after a restart.

import { admit } from '../../api/admit.ts';
import type { UnknownField } from '../../api/admit.ts';
import type { ObjectRef } from '../../api/finding.ts';
import { apiVersionOf } from '../../api/kind.ts';
import type { Kind } from '../../api/kind.ts';
import { fieldError, formatFieldError } from '../../api/schema/errors.ts';
import type { FieldError } from '../../api/schema/errors.ts';
import { kindKey } from '../../store/snapshot.ts';
import type { Catalog } from './catalog.ts';
import { isAbsent, isRecord, pathIn, shown, textOf } from './item.ts';
import type { Admitted, Issue, Item, ItemPlace, Written } from './item.ts';
import {
  admitNoMapping,
  admitOtherVersion,
  admitUnknownKind,
  admitWithoutType,
} from './unidentified.ts';

export interface AdmissionContext {
  readonly catalog: Catalog;
  /** For objects of namespaced kinds that name none. */
  readonly defaultNamespace: string;
}

/** Issues told about one object: more are of no use to a reader. */
const OBJECT_ISSUES_MAX = 50;

/** What the system fills in; files saved from a cluster have it, and it means nothing elsewhere. */
const SYSTEM_METADATA: ReadonlySet<string> = new Set([
  'deletionGracePeriodSeconds',
  'deletionTimestamp',
  'generation',
  'managedFields',
  'resourceVersion',
  'selfLink',
  'uid',
]);

/** Admits everything in a document; null, the value of an empty one, comes to nothing. */
export function admitDocument(value: unknown, context: AdmissionContext): Admitted {
  if (value === null) return { items: [], issues: [] };
  const admitted = expand(value, context.catalog).map(({ written, place }) =>
    admitOne(written, place, context),
  );
  return {
    items: admitted.flatMap(({ items }) => items),
    issues: admitted.flatMap(({ issues }) => issues.slice(0, OBJECT_ISSUES_MAX)),
  };
}

interface Expanded {
  readonly written: unknown;
  readonly place: ItemPlace;
}

/** The objects of a document: itself, or the items of a List and of the Lists in it. */
function expand(value: unknown, catalog: Catalog): readonly Expanded[] {
  if (!isList(value, catalog)) return [{ written: value, place: { path: '' } }];
  const out: Expanded[] = [];
  const walk = (list: Written, path: string): void => {
    const items = Array.isArray(list['items']) ? (list['items'] as readonly unknown[]) : [];
    items.forEach((item, i) => {
      const at = path === '' ? `items[${i}]` : `${path}.items[${i}]`;
      const written = withListKind(item, list);
      if (isList(written, catalog)) walk(written, at);
      else out.push({ written, place: { path: at, item: out.length } });
    });
  };
  walk(value, '');
  return out;
}

function isList(value: unknown, catalog: Catalog): value is Written {
  if (!isRecord(value)) return false;
  const { kind, items } = value;
  if (typeof kind !== 'string' || !kind.endsWith('List') || catalog.serves(kind)) return false;
  return Array.isArray(items) || (kind === 'List' && isAbsent(items));
}

/** The items of a `ServiceList`, as the API server answers with, do not repeat their kind. */
function withListKind(item: unknown, list: Written): unknown {
  const kind = String(list['kind']).slice(0, -'List'.length);
  if (!isRecord(item) || kind === '' || !isAbsent(item['kind'])) return item;
  return { ...item, apiVersion: item['apiVersion'] ?? list['apiVersion'], kind };
}

function admitOne(written: unknown, place: ItemPlace, context: AdmissionContext): Admitted {
  if (!isRecord(written)) return admitNoMapping(written, place);
  const apiVersion = textOf(written['apiVersion']);
  const kindName = textOf(written['kind']);
  if (apiVersion === undefined || kindName === undefined) {
    return admitWithoutType(written, place, context.catalog);
  }
  const found = context.catalog.lookup(apiVersion, kindName);
  switch (found.type) {
    case 'served':
      return admitServed(written, found.kind, place, context.defaultNamespace);
    case 'ignored':
      return { items: [], issues: [ignoredIssue(apiVersion, kindName, place)] };
    case 'otherVersion':
      return admitOtherVersion(written, place, found.kind);
    case 'unknown':
      return admitUnknownKind(written, place, found, context.catalog);
  }
}

function admitServed(
  written: Written,
  kind: Kind,
  place: ItemPlace,
  defaultNamespace: string,
): Admitted {
  const prepared = prepare(written, kind, defaultNamespace);
  const { object, errors: fieldErrors, unknown } = admit(kind, prepared);
  const metadata: Written = isRecord(prepared['metadata']) ? prepared['metadata'] : {};
  const errors = [...nameErrors(metadata), ...fieldErrors];
  const ref = refOf(kind, metadata);
  const issues = [
    ...errors.map((error) => invalidIssue(error, place, ref)),
    ...namespaceIssues(written, kind, place, ref),
    ...unknown.map((field) => unknownFieldIssue(field, place, ref)),
  ];
  if (ref === undefined) {
    const known = { kind: kind.kind };
    const shownRef = nameable(kind, metadata);
    const named =
      shownRef === undefined ? issues : issues.map((issue) => ({ ...issue, object: shownRef }));
    return { items: [{ ...place, type: 'unidentified', known }], issues: named };
  }
  const identity = { key: `${kindKey(kind)}/${ref.namespace}/${ref.name}`, kind, ref };
  const item: Item =
    errors.length === 0
      ? { ...place, type: 'object', identity, object }
      : { ...place, type: 'rejected', identity };
  return { items: [item], issues };
}

/** What the user wrote, in the stored version, less what is not the user's to write. */
function prepare(written: Written, kind: Kind, defaultNamespace: string): Written {
  const { status, ...rest } = written;
  return {
    ...(kind.hasStatus ? rest : { ...rest, status }),
    apiVersion: apiVersionOf(kind),
    metadata: prepareMetadata(written['metadata'] ?? {}, kind, defaultNamespace),
  };
}

function prepareMetadata(metadata: unknown, kind: Kind, defaultNamespace: string): unknown {
  if (!isRecord(metadata)) return metadata;
  const kept = Object.entries(metadata).filter(
    ([key]) => !SYSTEM_METADATA.has(key) && (kind.namespaced || key !== 'namespace'),
  );
  if (kind.namespaced && isAbsent(metadata['namespace'])) {
    kept.push(['namespace', defaultNamespace]);
  }
  return Object.fromEntries(kept);
}

/** Undefined when the object does not say what it is called. */
function refOf(kind: Kind, metadata: Written): ObjectRef | undefined {
  const name = textOf(metadata['name']);
  const namespace = kind.namespaced ? textOf(metadata['namespace']) : '';
  if (name === undefined || namespace === undefined) return undefined;
  return { kind: kind.kind, namespace, name };
}

/** What to call an object whose name or namespace is no text, as `namespace: 17`. */
function nameable(kind: Kind, { name, namespace }: Written): ObjectRef | undefined {
  const isShort = (value: unknown): boolean =>
    ['string', 'number', 'boolean'].includes(typeof value);
  if (isAbsent(name) || !isShort(name)) return undefined;
  const inside = kind.namespaced && isShort(namespace) ? shown(String(namespace)) : '';
  return { kind: kind.kind, namespace: inside, name: shown(String(name)) };
}

/** That an object has neither name nor generateName is for admission in general to say. */
function nameErrors(metadata: Written): readonly FieldError[] {
  if (!isAbsent(metadata['name']) || isAbsent(metadata['generateName'])) return [];
  const detail = 'generateName makes a new object each time; an object from a file needs a name';
  return [fieldError.required('metadata.name', detail)];
}

function invalidIssue(error: FieldError, place: ItemPlace, ref: ObjectRef | undefined): Issue {
  return {
    severity: 'error',
    reason: 'Invalid',
    message: formatFieldError(error),
    ...(ref === undefined ? {} : { object: ref }),
    field: error.path,
    path: pathIn(place, error.path),
  };
}

function unknownFieldIssue(
  { path, nearest }: UnknownField,
  place: ItemPlace,
  ref: ObjectRef | undefined,
): Issue {
  const parent = path.slice(0, path.lastIndexOf('.') + 1);
  return {
    severity: 'warning',
    reason: 'UnknownField',
    message: `unknown field "${shown(path)}"`,
    ...(nearest === undefined ? {} : { hint: `did you mean "${shown(parent)}${nearest}"?` }),
    ...(ref === undefined ? {} : { object: ref }),
    field: path,
    path: pathIn(place, path),
  };
}

function namespaceIssues(
  written: Written,
  kind: Kind,
  place: ItemPlace,
  ref: ObjectRef | undefined,
): readonly Issue[] {
  const namespace = isRecord(written['metadata']) ? written['metadata']['namespace'] : undefined;
  if (kind.namespaced || isAbsent(namespace)) return [];
  const field = 'metadata.namespace';
  return [
    {
      severity: 'warning',
      reason: 'NamespaceIgnored',
      message: `a ${kind.kind} belongs to the whole cluster; its namespace is ignored`,
      hint: 'Remove metadata.namespace.',
      ...(ref === undefined ? {} : { object: ref }),
      field,
      path: pathIn(place, field),
    },
  ];
}

function ignoredIssue(apiVersion: string, kindName: string, place: ItemPlace): Issue {
  return {
    severity: 'info',
    reason: 'IgnoredKind',
    message: `objects of kind ${shown(kindName)} (${shown(apiVersion)}) have no effect on traffic; left out`,
    field: 'kind',
    path: pathIn(place, 'kind'),
  };
}
