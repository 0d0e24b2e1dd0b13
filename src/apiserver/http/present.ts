// In which form a client wants objects: whole, as rows of a table, or their metadata alone; each in the
// version it asked for.

import { apiVersionOf } from '../../api/kind.ts';
import type { Kind, KubeObject } from '../../api/kind.ts';
import type { ObjectMeta } from '../../api/meta.ts';
import { objectText, passingText } from '../object-text.ts';
import { inVersion } from '../registry/resources.ts';
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

function whole({ kind, version }: PresentOptions): Presenter {
  const apiVersion = apiVersionOf({ group: kind.group, version });
  const show = (object: KubeObject): string => {
    const shown = inVersion(object, apiVersion);
    return shown === object ? objectText(object) : JSON.stringify(shown);
  };
  return {
    form: apiVersion,
    saysMoreAtFirst: false,
    one: (object) => passingText(inVersion(object, apiVersion)),
    event: show,
    bookmark: (_, metadata) => ({ kind: kind.kind, apiVersion, metadata }),
    envelope: (metadata) => ({
      head: { kind: `${kind.kind}List`, apiVersion, metadata },
      items: 'items',
    }),
    items: (objects) => objects.map(show).join(','),
  };
}

function table({ kind, version, includeObject, now }: PresentOptions): Presenter {
  const apiVersion = apiVersionOf({ group: kind.group, version });
  const show = (object: KubeObject, withoutDefinitions: boolean): string =>
    JSON.stringify(
      toTable(kind, [inVersion(object, apiVersion)], {
        includeObject,
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
      const shown = objects.map((object) => inVersion(object, apiVersion));
      const rows = tableRows(kind, shown, { includeObject, nowMs: now().getTime() });
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
