// What is wrong with a file → findings with positions. Positions are looked up only for findings that
// are told, and once per document as long as its text is the same.

import type { Finding, Position } from '../../api/finding.ts';
import type { SourceRef } from '../../store/table.ts';
import type { ParsedDocument } from './document.ts';
import type { Issue } from './item.ts';
import type { FilesLimits } from './limits.ts';
import type { FileVersion, Placed } from './version.ts';
import type { Spot } from './yaml/fault.ts';
import { locateFields } from './yaml/locate.ts';

export interface FileNames {
  /** As the user knows it. */
  readonly file: string;
  /** The contents were made by another program; a place in them would tell the user nothing. */
  readonly isGenerated: boolean;
}

const spots = new WeakMap<ParsedDocument, readonly Spot[]>();

/** Everything there is to say about one file. */
export function fileFindings(
  names: FileNames,
  version: FileVersion,
  limits: FilesLimits,
): readonly Finding[] {
  const findings: Finding[] = [
    ...refusalFindings(names, version),
    ...faultFindings(names, version),
  ];
  let untold = 0;
  for (const placed of version.placed) {
    const { issues } = placed.document;
    const room = Math.max(0, limits.fileFindingsMax - findings.length);
    untold += Math.max(0, issues.length - room);
    if (issues.length === 0 || room === 0) continue;
    const places = issueSpots(placed.document, limits);
    issues.slice(0, room).forEach((issue, i) => {
      findings.push(issueFinding(names, issue, placed, places[i]));
    });
  }
  if (untold > 0) findings.push(untoldFinding(names, untold, limits));
  return findings;
}

/** Documents of a version by their numbers, with their places. */
const indexes = new WeakMap<FileVersion, ReadonlyMap<number, { placed: Placed; place: number }>>();

function indexOf(version: FileVersion): ReadonlyMap<number, { placed: Placed; place: number }> {
  let index = indexes.get(version);
  if (index === undefined) {
    index = new Map(version.placed.map((placed, place) => [placed.id, { placed, place }]));
    indexes.set(version, index);
  }
  return index;
}

/** More items than a document can have within the limits. */
const ITEMS_MAX = 2 ** 26;

/** The place of an object among all of a file, for comparing. */
export function placeOf(version: FileVersion | undefined, ref: SourceRef): number {
  const place = version === undefined ? 0 : (indexOf(version).get(ref.document)?.place ?? 0);
  return place * ITEMS_MAX + (ref.item ?? 0);
}

/** The path in its document of the object that was delivered with `ref`. */
export function itemPath(version: FileVersion, ref: SourceRef): string {
  const items = indexOf(version).get(ref.document)?.placed.document.items ?? [];
  return items.find(({ item }) => item === ref.item)?.path ?? '';
}

/** The position of a field of what a file says about an object; empty for the object as a whole. */
export function locateInFile(
  names: FileNames,
  version: FileVersion,
  at: { readonly document: number; readonly path: string },
  limits: FilesLimits,
): Position | undefined {
  const placed = indexOf(version).get(at.document)?.placed;
  if (placed === undefined) return undefined;
  const [spot] = names.isGenerated
    ? []
    : locateFields(placed.document.text, [at.path], limits.nestingMax);
  return positionOf(names, placed, spot ?? { line: 1, column: 1 });
}

/** The position of a place in a document. */
function positionOf(names: FileNames, placed: Placed, spot: Spot): Position {
  const { file, isGenerated } = names;
  if (isGenerated) return { file, line: 1, column: 1 };
  return { file, line: placed.line + spot.line - 1, column: spot.column };
}

/** `k8s/web.yaml:12` */
export function formatPosition({ file, line }: Position): string {
  return `${file}:${line}`;
}

/** A finding about a file that has nothing to do with a place in it. */
export function pathFinding(
  file: string,
  what: Pick<Finding, 'severity' | 'reason' | 'message' | 'hint'>,
): Finding {
  return { ...what, origin: { position: { file, line: 1, column: 1 } } };
}

function refusalFindings({ file }: FileNames, { refusal }: FileVersion): readonly Finding[] {
  return refusal === undefined ? [] : [pathFinding(file, { severity: 'error', ...refusal })];
}

function faultFindings(names: FileNames, version: FileVersion): readonly Finding[] {
  const { file, isGenerated } = names;
  return version.faults.map(({ spot, message, hint }, i) => ({
    severity: 'error',
    reason: 'InvalidYAML',
    message: `cannot be read as YAML: ${message}${i === 0 ? whatStays(version) : ''}`,
    ...(hint === undefined ? {} : { hint }),
    origin: { position: isGenerated ? { file, line: 1, column: 1 } : { file, ...spot } },
  }));
}

/** What a mistake costs, said once for each file. */
function whatStays({ placed, staysWhole }: FileVersion): string {
  const count = placed.reduce((sum, { claims }) => sum + claims.length, 0);
  const objects = count === 1 ? 'object' : 'objects';
  if (staysWhole === true)
    return `; until it can, the ${count} ${objects} of the file stay as they were`;
  return count === 0
    ? '; nothing of the file is in force'
    : `; the document is left out, ${count} other ${objects} of the file are in force`;
}

function issueSpots(document: ParsedDocument, limits: FilesLimits): readonly Spot[] {
  let found = spots.get(document);
  if (found === undefined) {
    const paths = document.issues.slice(0, limits.fileFindingsMax).map(({ path }) => path);
    found = locateFields(document.text, paths, limits.nestingMax);
    spots.set(document, found);
  }
  return found;
}

function issueFinding(
  names: FileNames,
  { object, field, path: _path, ...rest }: Issue,
  placed: Placed,
  spot: Spot = { line: 1, column: 1 },
): Finding {
  const position = positionOf(names, placed, spot);
  return {
    ...rest,
    origin: {
      ...(object === undefined ? {} : { object }),
      ...(field === undefined ? {} : { field }),
      position,
    },
  };
}

function untoldFinding({ file }: FileNames, untold: number, limits: FilesLimits): Finding {
  return pathFinding(file, {
    severity: 'warning',
    reason: 'TooManyFindings',
    message: `${untold} more findings in this file (limit fileFindingsMax, ${limits.fileFindingsMax})`,
    hint: 'Mend the ones that are told; the others then appear.',
  });
}
