// Objects → meta.k8s.io/v1 Table: what kubectl asks for in get, with and without --watch. Cells are
// text as kubectl prints it; the clock is given.

import type { Kind, KubeObject } from '../../api/kind.ts';
import type { Pod } from '../../api/core/pod.ts';
import { layout } from './layout.ts';
import type { Cell, ColumnDefinition } from './layout.ts';

const META_VERSION = 'meta.k8s.io/v1';

/** The parameter includeObject of a request: how much of each object goes with its row. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface RowOptions {
  /** Metadata when absent, as in kube-apiserver. */
  readonly includeObject?: IncludeObject;
  /** How a whole object is shown in its row; as it is when absent. */
  readonly shown?: (object: KubeObject) => KubeObject;
  /** Now, in milliseconds since 1970; ages count from here. */
  readonly nowMs: number;
}

/** metadata of the list; for a single object, its resourceVersion. */
export interface ListMetadata {
  readonly resourceVersion?: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

export interface TableOptions extends RowOptions {
  readonly listMetadata?: ListMetadata;
  /** For every event of a watch but the first: rows alone. Clients remember the columns. */
  readonly withoutDefinitions?: boolean;
}

export interface TableRowCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

export interface TableRow {
  readonly cells: readonly Cell[];
  /** What is special about the row; a pod that has ended is Completed. */
  readonly conditions?: readonly TableRowCondition[];
  readonly object: object | null;
}

export interface Table {
  readonly kind: 'Table';
  readonly apiVersion: typeof META_VERSION;
  readonly metadata: ListMetadata;
  readonly columnDefinitions: readonly ColumnDefinition[] | null;
  readonly rows: readonly TableRow[];
}

type TableKind = Pick<Kind, 'group' | 'kind' | 'columns' | 'showsAge'>;

export function toTable(
  kind: TableKind,
  objects: readonly KubeObject[],
  options: TableOptions,
): Table {
  return {
    kind: 'Table',
    apiVersion: META_VERSION,
    metadata: options.listMetadata ?? {},
    columnDefinitions: options.withoutDefinitions === true ? null : columnDefinitions(kind),
    rows: tableRows(kind, objects, options),
  };
}

export function columnDefinitions(kind: TableKind): readonly ColumnDefinition[] {
  return layout(kind).map(({ definition }) => definition);
}

export function tableRows(
  kind: TableKind,
  objects: readonly KubeObject[],
  { nowMs, includeObject = 'Metadata', shown = (object) => object }: RowOptions,
): readonly TableRow[] {
  const columns = layout(kind);
  return objects.map((object) => ({
    cells: columns.map(({ cell }) => cell(object, nowMs)),
    ...rowConditions(kind, object),
    object: included(object, includeObject, shown),
  }));
}

/**
 * The table of a bookmark, which is no object but says how far a watch has come: one row without
 * cells that mean anything, and `metadata` to read the resourceVersion from.
 */
export function bookmarkTable(
  kind: TableKind,
  metadata: KubeObject['metadata'],
  options: Pick<TableOptions, 'withoutDefinitions'> = {},
): Table {
  const definitions = columnDefinitions(kind);
  const { resourceVersion } = metadata;
  return {
    kind: 'Table',
    apiVersion: META_VERSION,
    metadata: resourceVersion === undefined ? {} : { resourceVersion },
    columnDefinitions: options.withoutDefinitions === true ? null : definitions,
    rows: [{ cells: definitions.map(() => null), object: partial(metadata) }],
  };
}

function included(
  object: KubeObject,
  include: IncludeObject,
  shown: (object: KubeObject) => KubeObject,
): object | null {
  switch (include) {
    case 'None':
      return null;
    case 'Metadata':
      return partial(object.metadata);
    case 'Object':
      return shown(object);
  }
}

function partial(metadata: KubeObject['metadata']): object {
  return { kind: 'PartialObjectMetadata', apiVersion: META_VERSION, metadata };
}

function rowConditions(kind: TableKind, object: KubeObject): Pick<TableRow, 'conditions'> {
  if (kind.kind !== 'Pod') return {};
  const { phase: reason } = (object as Pod).status;
  if (reason !== 'Succeeded' && reason !== 'Failed') return {};
  const message =
    reason === 'Succeeded' ? 'The pod has completed successfully.' : 'The pod failed.';
  return { conditions: [{ type: 'Completed', status: 'True', reason, message }] };
}
