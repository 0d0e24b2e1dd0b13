// Names, owners and references of objects, as controllers need them.

import { apiVersionOf } from '../../api/kind.ts';
import type { Kind, KubeObject } from '../../api/kind.ts';
import type { ObjectMeta } from '../../api/meta.ts';
import { keyOf } from '../../store/table.ts';

export type OwnerReference = NonNullable<ObjectMeta['ownerReferences']>[number];

export type Labels = Readonly<Record<string, string>>;

/** `namespace/name` of an object. */
export function objectKey({ metadata }: KubeObject): string {
  return keyOf(metadata.namespace ?? '', metadata.name ?? '');
}

export function uidOf({ metadata }: KubeObject): string {
  return metadata.uid ?? '';
}

export function isTerminating({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** The reference to the one owner that manages the object. */
export function controllerOf({ metadata }: KubeObject): OwnerReference | undefined {
  return metadata.ownerReferences?.find((reference) => reference.controller === true);
}

/** The reference by which `owner` manages an object. */
export function controllerReference(kind: Kind, owner: KubeObject): OwnerReference {
  return {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    name: owner.metadata.name ?? '',
    uid: uidOf(owner),
    controller: true,
    blockOwnerDeletion: true,
  };
}

export function withOwner<T extends KubeObject>(object: T, owner: OwnerReference): T {
  const ownerReferences = [...(object.metadata.ownerReferences ?? []), owner];
  return { ...object, metadata: { ...object.metadata, ownerReferences } };
}

export function withoutOwner<T extends KubeObject>(object: T, ownerUid: string): T {
  const { ownerReferences = [], ...metadata } = object.metadata;
  const left = ownerReferences.filter(({ uid }) => uid !== ownerUid);
  return {
    ...object,
    metadata: left.length === 0 ? metadata : { ...metadata, ownerReferences: left },
  };
}

/** When the object was created, in milliseconds since the epoch; 0 when that is not known. */
export function createdMs({ metadata }: KubeObject): number {
  return metadata.creationTimestamp === undefined ? 0 : Date.parse(metadata.creationTimestamp);
}

/** Older objects first, then by name, as Kubernetes decides between equals. */
export function compareAge(a: KubeObject, b: KubeObject): number {
  return createdMs(a) - createdMs(b) || compareText(a.metadata.name ?? '', b.metadata.name ?? '');
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** RFC 3339 in seconds, as Kubernetes writes times. */
export function timestamp(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
