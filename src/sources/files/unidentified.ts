// Documents that are no object Fairway serves → what to say about them, and what is known of the
// object they may have meant: as long as that is unclear, such an object is not taken for deleted.

import type { ObjectRef } from '../../api/finding.ts';
import type { Kind } from '../../api/kind.ts';
import { fieldError, formatFieldError } from '../../api/schema/errors.ts';
import { apiVersionsOf } from './catalog.ts';
import type { Catalog, Lookup } from './catalog.ts';
import { isAbsent, isRecord, pathIn, shown, textOf } from './item.ts';
import type { Admitted, Issue, ItemPlace, Written } from './item.ts';

/** A list or a single value where an object should be. */
export function admitNoMapping(written: unknown, place: ItemPlace): Admitted {
  const what = Array.isArray(written) ? 'a list' : `the value ${shown(JSON.stringify(written))}`;
  const issue: Issue = {
    severity: 'error',
    reason: 'NotAnObject',
    message: `this is ${what}, not an object with apiVersion, kind and metadata`,
    path: place.path,
  };
  return { items: [{ ...place, type: 'unidentified', known: {} }], issues: [issue] };
}

/** An object that does not say what it is. */
export function admitWithoutType(written: Written, place: ItemPlace, catalog: Catalog): Admitted {
  const known = knownOf(written, textOf(written['kind']));
  const items = [{ ...place, type: 'unidentified', known } as const];
  const missing = ['apiVersion', 'kind'].filter((field) => isAbsent(written[field]));
  if (missing.length === 2) return { items, issues: [noObjectIssue(written, place)] };
  const issues = ['apiVersion', 'kind']
    .filter((field) => textOf(written[field]) === undefined)
    .map((field): Issue => {
      const value = written[field];
      const error = isAbsent(value)
        ? fieldError.required(field)
        : fieldError.type(field, value, 'string');
      const versions = field === 'apiVersion' ? catalog.apiVersionsOf(known.kind ?? '') : [];
      return {
        severity: 'error',
        reason: 'Invalid',
        message: formatFieldError(error),
        ...(versions.length === 0 ? {} : { hint: `Write apiVersion: ${versions[0]}` }),
        field,
        path: pathIn(place, field),
      };
    });
  return { items, issues };
}

/** A kind that Fairway serves, under an apiVersion that it does not. */
export function admitOtherVersion(written: Written, place: ItemPlace, kind: Kind): Admitted {
  const served = apiVersionsOf(kind);
  const issue: Issue = {
    severity: 'error',
    reason: 'UnknownVersion',
    message: `${kind.kind} is not served as ${shown(String(written['apiVersion']))}`,
    hint: `Write apiVersion: ${served.join(' or ')}`,
    field: 'apiVersion',
    path: pathIn(place, 'apiVersion'),
  };
  const known = knownOf(written, kind.kind);
  return { items: [{ ...place, type: 'unidentified', known }], issues: [issue] };
}

/** A kind that Fairway does not serve: most likely another program's, perhaps a slip of the pen. */
export function admitUnknownKind(
  written: Written,
  place: ItemPlace,
  found: Extract<Lookup, { readonly type: 'unknown' }>,
  catalog: Catalog,
): Admitted {
  const { apiVersion, kind } = written;
  const issue: Issue = {
    severity: 'warning',
    reason: 'UnknownKind',
    message: `Fairway does not serve kind ${shown(String(kind))} of ${shown(String(apiVersion))}; the object is left out`,
    hint: unknownKindHint(found, catalog),
    field: 'kind',
    path: pathIn(place, 'kind'),
  };
  const near = found.nearest;
  if (near === undefined) return { items: [], issues: [issue] };
  const known = knownOf(written, near.kind);
  return { items: [{ ...place, type: 'unidentified', known }], issues: [issue] };
}

function unknownKindHint(
  found: Extract<Lookup, { readonly type: 'unknown' }>,
  catalog: Catalog,
): string {
  if (found.namesake !== undefined) {
    const [version] = apiVersionsOf(found.namesake);
    return `Fairway serves ${found.namesake.kind} of ${version}`;
  }
  if (found.nearest !== undefined) return `did you mean "${found.nearest.kind}"?`;
  return `Fairway serves ${catalog.kindNames()}`;
}

/** A mapping without any sign of being meant for Kubernetes, as a values.yaml or package.json. */
function noObjectIssue(written: Written, place: ItemPlace): Issue {
  const slips = ['apiVersion', 'kind'].flatMap((field) => {
    const key = Object.keys(written).find((one) => plain(one) === plain(field));
    return key === undefined ? [] : [`"${field}" instead of "${key}"`];
  });
  return {
    severity: 'warning',
    reason: 'NotAnObject',
    message: 'this is no Kubernetes object: it has neither apiVersion nor kind; it is left out',
    ...(slips.length === 0 ? {} : { hint: `did you mean ${slips.join(' and ')}?` }),
    path: place.path,
  };
}

/** A key without what is easily mistaken. */
function plain(key: string): string {
  return key.toLowerCase().replaceAll(/[-_ ]/g, '');
}

function knownOf(written: Written, kind: string | undefined): Partial<ObjectRef> {
  const metadata = isRecord(written['metadata']) ? written['metadata'] : {};
  const name = textOf(metadata['name']);
  return { ...(kind === undefined ? {} : { kind }), ...(name === undefined ? {} : { name }) };
}
