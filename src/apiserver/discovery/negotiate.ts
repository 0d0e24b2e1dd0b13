// What a client accepts → the form an answer takes: the object itself, a Table, its metadata alone or
// the aggregated discovery, as JSON or YAML. Who asks for protobuf gets JSON: clients read an answer by
// its Content-Type, whatever they asked for.

import { PROTOBUF_CONTENT_TYPE } from '../protobuf/decode.ts';
import { parseAccept } from './accept.ts';
import type { AcceptClause } from './accept.ts';

/** Something an object can be turned into; `as`, `g` and `v` of the clause. */
export interface Conversion {
  readonly kind:
    | 'Table'
    | 'PartialObjectMetadata'
    | 'PartialObjectMetadataList'
    | 'APIGroupDiscoveryList';
  readonly group: string;
  readonly version: string;
}

export const TABLE: readonly Conversion[] = conversions('Table', 'meta.k8s.io', ['v1', 'v1beta1']);

/** For a list, and for watching one. */
export const LIST_CONVERSIONS: readonly Conversion[] = [
  ...TABLE,
  ...conversions('PartialObjectMetadataList', 'meta.k8s.io', ['v1', 'v1beta1']),
];

/** For one object; for watching as well, whose events carry one object each. */
export const OBJECT_CONVERSIONS: readonly Conversion[] = [
  ...TABLE,
  ...conversions('PartialObjectMetadata', 'meta.k8s.io', ['v1', 'v1beta1']),
];

export const DISCOVERY_CONVERSIONS: readonly Conversion[] = conversions(
  'APIGroupDiscoveryList',
  'apidiscovery.k8s.io',
  ['v2', 'v2beta1'],
);

function conversions(
  kind: Conversion['kind'],
  group: string,
  versions: readonly string[],
): readonly Conversion[] {
  return versions.map((version) => ({ kind, group, version }));
}

export interface Representation {
  readonly format: 'json' | 'yaml';
  /** undefined: the object as it is. */
  readonly conversion: Conversion | undefined;
  /** The header Content-Type of the answer. */
  readonly contentType: string;
}

export interface NotAcceptable {
  /** Status object to be sent with code 406. */
  readonly notAcceptable: Readonly<Record<string, unknown>>;
}

const JSON_TYPE = 'application/json';
const YAML_TYPE = 'application/yaml';
const FORMATS = [JSON_TYPE, YAML_TYPE];

/**
 * Chooses the representation the client wants most among JSON and YAML of the object itself and of the
 * conversions that exist for it.
 */
export function negotiate(
  accept: string | undefined,
  offered: readonly Conversion[] = [],
): Representation | NotAcceptable {
  const clauses = parseAccept(accept);
  const refused = new Set(
    clauses.filter((c) => c.quality === 0 && c.parameters.size === 0).map((c) => c.type),
  );
  const wanted = clauses.filter(({ quality }) => quality > 0);
  const stated = wanted.filter(({ type }) => type !== PROTOBUF_CONTENT_TYPE);
  // Instead of protobuf, but after everything the client can be given as it asked.
  const instead = wanted
    .filter(({ type }) => type === PROTOBUF_CONTENT_TYPE)
    .map((clause) => ({ ...clause, type: JSON_TYPE }));
  for (const clause of [...stated, ...instead]) {
    const found = representation(clause, offered, refused);
    if (found !== undefined) return found;
  }
  return notAcceptable();
}

function representation(
  clause: AcceptClause,
  offered: readonly Conversion[],
  refused: ReadonlySet<string>,
): Representation | undefined {
  const type = FORMATS.find((format) => matches(clause.type, format) && !refused.has(format));
  if (type === undefined) return undefined;
  const [as, g, v] = ['as', 'g', 'v'].map((name) => clause.parameters.get(name));
  const conversion = offered.find((c) => c.kind === as && c.group === g && c.version === v);
  if (conversion === undefined && (as ?? g ?? v) !== undefined) return undefined;
  const format = type === JSON_TYPE ? 'json' : 'yaml';
  return { format, conversion, contentType: contentTypeOf(type, conversion) };
}

function matches(range: string, type: string): boolean {
  return range === type || range === '*/*' || range === 'application/*';
}

/** Only of discovery do clients expect to be told what they got. */
function contentTypeOf(type: string, conversion: Conversion | undefined): string {
  if (conversion?.kind !== 'APIGroupDiscoveryList') return type;
  const { group, version, kind } = conversion;
  return `${type};g=${group};v=${version};as=${kind}`;
}

function notAcceptable(): NotAcceptable {
  return {
    notAcceptable: {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: `only the following media types are accepted: ${FORMATS.join(', ')}`,
      reason: 'NotAcceptable',
      code: 406,
    },
  };
}
