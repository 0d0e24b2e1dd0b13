// Which columns a kind has in `kubectl get`, NAME and AGE among them, and in which order. Age stands
// before the first column that only `-o wide` shows. What upstream does otherwise for one kind is named
// here.

import { ageOf } from '../../api/core/columns.ts';
import type { Column, Kind, KubeObject } from '../../api/kind.ts';
import { isBuiltIn } from '../built-in.ts';
import { columnDoc } from './docs.ts';

/** A column of meta.k8s.io/v1 Table, as clients read it. */
export interface ColumnDefinition {
  readonly name: string;
  readonly type: string;
  /** `name` marks the column that names the object; else empty. */
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

/** What a cell may hold; null shows as nothing. */
export type Cell = string | number | boolean | null;

export interface LaidOutColumn {
  readonly definition: ColumnDefinition;
  readonly cell: (object: KubeObject, nowMs: number) => Cell;
}

const NAME_DOC = 'Name of the object, unique among its kind in its namespace.';
const AGE_DOC = 'How long ago the object was created.';
const DEFAULT_CLASS = 'ingressclass.kubernetes.io/is-default-class';

/** Kinds with a column behind Age that is not a wide one: the column before Age. */
const AGE_AFTER: ReadonlyMap<string, string> = new Map([['Node', 'Roles']]);

type LaidOutKind = Pick<Kind, 'group' | 'kind' | 'columns' | 'showsAge'>;

export function layout(kind: LaidOutKind): readonly LaidOutColumn[] {
  const columns = kind.columns.map((column) => kindColumn(kind, column));
  // Events are about another object, and about when: their own name is of little use.
  if (kind.kind === 'Event') return [...columns, nameColumn(kind, 1)];
  // A definition has its columns in the order it wants, and Age where it says so.
  if (kind.showsAge === false) return [nameColumn(kind, 0), ...columns];
  const age = agePlace(kind);
  return [nameColumn(kind, 0), ...columns.slice(0, age), ageColumn(kind), ...columns.slice(age)];
}

function agePlace({ kind, columns }: LaidOutKind): number {
  const before = AGE_AFTER.get(kind);
  if (before !== undefined) return columns.findIndex((column) => column.name === before) + 1;
  const wide = columns.findIndex((column) => (column.priority ?? 0) > 0);
  return wide === -1 ? columns.length : wide;
}

function nameColumn({ kind }: LaidOutKind, priority: number): LaidOutColumn {
  return {
    definition: { name: 'Name', type: 'string', format: 'name', description: NAME_DOC, priority },
    cell: ({ metadata }) => {
      const name = metadata.name ?? '';
      const isDefault = kind === 'IngressClass' && metadata.annotations?.[DEFAULT_CLASS] === 'true';
      return isDefault ? `${name} (default)` : name;
    },
  };
}

function ageColumn(kind: LaidOutKind): LaidOutColumn {
  const type = isBuiltIn(kind) ? 'string' : 'date';
  return {
    definition: { name: 'Age', type, format: '', description: AGE_DOC, priority: 0 },
    cell: ({ metadata }, nowMs) => ageOf(metadata.creationTimestamp, nowMs) ?? '<unknown>',
  };
}

function kindColumn({ kind, showsAge }: LaidOutKind, column: Column): LaidOutColumn {
  const { name, type, priority = 0, format = '', description, value } = column;
  // What a user's kind has no value for shows as nothing.
  const nothing = showsAge === undefined ? '<none>' : null;
  return {
    definition: {
      name,
      type,
      format,
      description: description ?? columnDoc(kind, name),
      priority,
    },
    cell: (object, nowMs) => value(object, nowMs) ?? nothing,
  };
}
