// In which form a client wants objects: whole, as rows of a table, or their metadata alone; each in the
// version it asked for.

import { apiVersionOf } from '../../api/kind.ts';
import type { Kind, KubeObject } from '../../api/kind.ts';
import type { ObjectMeta } from '../../api/meta.ts';
import { objectText, passingText } from '../object-text.ts';
import { inVersion } from '../registry/resources.ts';
import type { View } from '../registry/resources.ts';
import { bookmarkTable, columnDefinitions, tableRows, toTable } from '../table/table.ts';
import type { IncludeObject } from '../table/table.ts';

export type Form = 'Object' | 'Table' | 'PartialObjectMetadata';

export interface ListMetadata {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

export interface Presenter {
  /** What forms the same text has the same name. */
  readonly form: string;
  /** The first event of a watch has more in it than the others. */
  readonly saysMoreAtFirst: boolean;
  /** As JSON, as are `event` and `items`. */
  one(object: KubeObject): string;
  event(object: KubeObject, isFirst: boolean): string;
  bookmark(kind: Kind, metadata: ObjectMeta): unknown;
  /** A list without its items, and the name of the field they go into. */
  envelope(metadata: ListMetadata): { readonly head: object; readonly items: string };
  /** With commas between them. */
  items(objects: readonly KubeObject[]): string;
}

export interface PresentOptions {
  readonly kind: Kind;
  readonly version: string;
  readonly form: Form;
  readonly includeObject: IncludeObject;
  readonly now: () => Date;
  /** Where objects are shown in the words of another group. */
  readonly view?: View;
}

const META_V1 = 'meta.k8s.io/v1';

export function createPresenter(options: PresentOptions): Presenter {
  switch (options.form) {
    case 'Object':
      return whole(options);
    case 'Table':
      return table(options);
    case 'PartialObjectMetadata':
      return partial(options);
  }
}

/** How an object looks to a client, and in which apiVersion. */
function shownBy({ kind, version, view }: PresentOptions) {
  const apiVersion = apiVersionOf(view?.kind ?? { group: kind.group, version });
  const show = (object: KubeObject): KubeObject =>
    view === undefined ? inVersion(object, apiVersion) : view.fromStored(object);
  return { apiVersion, show };
}

function whole(options: PresentOptions): Presenter {
  const { kind } = options;
  const { apiVersion, show } = shownBy(options);
  const text = (object: KubeObject): string => {
    const shown = show(object);
    return shown === object ? objectText(object) : JSON.stringify(shown);
  };
  return {
    form: apiVersion,
    saysMoreAtFirst: false,
    one: (object) => passingText(show(object)),
    event: text,
    bookmark: (_, metadata) => ({ kind: kind.kind, apiVersion, metadata }),
    envelope: (metadata) => ({
      head: { kind: kind.listKind ?? `${kind.kind}List`, apiVersion, metadata },
      items: 'items',
    }),
    items: (objects) => objects.map(text).join(','),
  };
}

function table(options: PresentOptions): Presenter {
  const { kind, includeObject, now } = options;
  const { apiVersion, show: shown } = shownBy(options);
  const show = (object: KubeObject, withoutDefinitions: boolean): string =>
    JSON.stringify(
      toTable(kind, [object], {
        includeObject,
        shown,
        withoutDefinitions,
        nowMs: now().getTime(),
        listMetadata: { resourceVersion: object.metadata.resourceVersion ?? '' },
      }),
    );
  return {
    form: `${apiVersion} table ${includeObject}`,
    saysMoreAtFirst: true,
    one: (object) => show(object, false),
    event: (object, isFirst) => show(object, !isFirst),
    bookmark: (_, metadata) => bookmarkTable(kind, metadata, { withoutDefinitions: true }),
    envelope: (metadata) => ({
      head: {
        kind: 'Table',
        apiVersion: META_V1,
        metadata,
        columnDefinitions: columnDefinitions(kind),
      },
      items: 'rows',
    }),
    items: (objects) => {
      const rows = tableRows(kind, objects, { includeObject, shown, nowMs: now().getTime() });
      return JSON.stringify(rows).slice(1, -1);
    },
  };
}

function partial({ kind, version }: PresentOptions): Presenter {
  const show = ({ metadata }: KubeObject): string =>
    JSON.stringify({ kind: 'PartialObjectMetadata', apiVersion: META_V1, metadata });
  return {
    form: `${kind.group}/${version} metadata`,
    saysMoreAtFirst: false,
    one: show,
    event: show,
    bookmark: (_, metadata) => ({ kind: 'PartialObjectMetadata', apiVersion: META_V1, metadata }),
    envelope: (metadata) => ({
      head: { kind: 'PartialObjectMetadataList', apiVersion: META_V1, metadata },
      items: 'items',
    }),
    items: (objects) => objects.map(show).join(','),
  };
}
