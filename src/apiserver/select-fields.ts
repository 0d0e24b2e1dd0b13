// The fields objects of each kind can be selected by (`--field-selector`), beside their names.

import { Event } from '../api/core/event.ts';
import { Node } from '../api/core/node.ts';
import { Namespace } from '../api/core/namespace.ts';
import { Pod } from '../api/core/pod.ts';
import { Secret } from '../api/core/secret.ts';
import { Service } from '../api/core/service.ts';
import type { Kind, KubeObject } from '../api/kind.ts';
import type { View } from './registry/resources.ts';
import type { FieldReader } from './select.ts';

const BY_KIND: ReadonlyMap<Kind['kind'], ReadonlySet<string>> = new Map([
  [
    Pod.kind,
    new Set([
      'spec.nodeName',
      'spec.restartPolicy',
      'spec.schedulerName',
      'spec.serviceAccountName',
      'spec.hostNetwork',
      'status.phase',
      'status.podIP',
      'status.nominatedNodeName',
    ]),
  ],
  [
    Event.kind,
    new Set([
      'involvedObject.kind',
      'involvedObject.namespace',
      'involvedObject.name',
      'involvedObject.uid',
      'involvedObject.apiVersion',
      'involvedObject.resourceVersion',
      'involvedObject.fieldPath',
      'reason',
      'reportingComponent',
      'source',
      'type',
    ]),
  ],
  [Namespace.kind, new Set(['status.phase'])],
  [Node.kind, new Set(['spec.unschedulable'])],
  [Secret.kind, new Set(['type'])],
  [Service.kind, new Set(['spec.clusterIP', 'spec.type'])],
]);

/** The fields of a kind, for selecting; by the names a view has for them. */
export function selectableFields(kind: Kind, view?: View): FieldReader {
  const own = BY_KIND.get(kind.kind);
  return (asked) => {
    const field = view === undefined ? asked : view.storedField(asked);
    if (field === 'metadata.name') return ({ metadata }) => metadata.name ?? '';
    if (field === 'metadata.namespace') return ({ metadata }) => metadata.namespace ?? '';
    if (field === undefined) return undefined;
    if (kind.selectableFields?.includes(`.${field}`) === true) return reader(field);
    return own?.has(field) === true ? reader(field) : undefined;
  };
}

function reader(field: string): (object: KubeObject) => string {
  // An Event says who reported it in a structure; its component is what is asked for.
  const path = field === 'source' ? ['source', 'component'] : field.split('.');
  return (object) => {
    let value: unknown = object;
    for (const name of path) value = (value as Record<string, unknown> | undefined)?.[name];
    if (typeof value === 'string') return value;
    const isPlain = typeof value === 'boolean' || typeof value === 'number';
    return isPlain ? String(value) : emptyOf(field);
  };
}

/** What a boolean field is read as where it is left out. */
function emptyOf(field: string): string {
  return field === 'spec.unschedulable' || field === 'spec.hostNetwork' ? 'false' : '';
}
