// What is wrong with the metadata of an object of any kind, in Kubernetes' words
// (k8s.io/apimachinery/pkg/api/validation/objectmeta.go).

import type { Kind } from '../kind.ts';
import { ObjectMeta } from '../meta.ts';
import { fieldError } from '../schema/errors.ts';
import type { FieldError } from '../schema/errors.ts';
import { validate } from '../schema/validate.ts';
import {
  checkName,
  dns1035Label,
  dns1123Label,
  dns1123Subdomain,
  labelKey,
  labelValue,
  pathSegment,
} from './names.ts';
import type { NameForm } from './names.ts';

type Texts = Readonly<Record<string, string>>;

/** Bytes all annotations of an object may have together, keys and values. */
const ANNOTATIONS_BYTES_MAX = 256 * 1024;

/**
 * Validates metadata of an object that has a name, or a generateName the server will complete. `old`
 * is the stored metadata when this is an update. Finds nothing where the structure is unsound:
 * validating the object itself reports that.
 */
export function validateMetadata(
  kind: Pick<Kind, 'namespaced' | 'nameFormat'> & Partial<Pick<Kind, 'group'>>,
  metadata: ObjectMeta,
  old?: ObjectMeta,
): readonly FieldError[] {
  if (validate(ObjectMeta, metadata).length > 0) return [];
  const errors: FieldError[] = [];
  if (old === undefined) checkIdentity(kind, metadata, errors);
  else checkUnchanged(metadata, old, errors);
  if ((metadata.generation ?? 0) < 0) {
    const detail = 'must be greater than or equal to 0';
    errors.push(fieldError.invalid('metadata.generation', metadata.generation, detail));
  }
  checkLabels(metadata.labels, 'metadata.labels', errors);
  checkAnnotations(metadata.annotations, 'metadata.annotations', errors);
  checkOwners(metadata, errors);
  checkFinalizers(metadata, old, errors);
  if (STRICT_GROUPS.has(kind.group)) checkQualified(metadata, old, errors);
  return errors;
}

/** Groups of Kubernetes' own whose finalizers have a domain, or are the standard ones. */
const STRICT_GROUPS: ReadonlySet<string | undefined> = new Set([
  '',
  'apps',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'networking.k8s.io',
]);
const STANDARD_FINALIZERS: ReadonlySet<string> = new Set([
  'kubernetes',
  'orphan',
  'foregroundDeletion',
]);

/** Those that are there already may stay (k8s.io/kubernetes/pkg/apis/core/validation). */
function checkQualified(
  { finalizers = [] }: ObjectMeta,
  old: ObjectMeta | undefined,
  errors: FieldError[],
): void {
  for (const [i, finalizer] of finalizers.entries()) {
    const isKnown = STANDARD_FINALIZERS.has(finalizer) || old?.finalizers?.includes(finalizer);
    if (isKnown === true || finalizer.includes('/')) continue;
    const detail = 'name is neither a standard finalizer name nor is it fully qualified';
    errors.push(fieldError.invalid(`metadata.finalizers[${i}]`, finalizer, detail));
  }
}

function checkIdentity(
  kind: Pick<Kind, 'namespaced' | 'nameFormat'>,
  metadata: ObjectMeta,
  errors: FieldError[],
): void {
  const { name = '', generateName = '', namespace = '' } = metadata;
  const form = nameForm(kind.nameFormat);
  if (generateName !== '') {
    // Something will follow, so a final dash is no fault of the prefix.
    const masked = /.-$/.test(generateName) ? `${generateName.slice(0, -2)}a` : generateName;
    for (const detail of form(masked)) {
      errors.push(fieldError.invalid('metadata.generateName', generateName, detail));
    }
  }
  if (name !== '') checkName(form, name, 'metadata.name', errors);
  else if (generateName === '') {
    errors.push(fieldError.required('metadata.name', 'name or generateName is required'));
  }
  if (!kind.namespaced) {
    if (namespace !== '') {
      errors.push(fieldError.forbidden('metadata.namespace', 'not allowed on this type'));
    }
  } else if (namespace === '') errors.push(fieldError.required('metadata.namespace'));
  else checkName(dns1123Label, namespace, 'metadata.namespace', errors);
}

function nameForm(format: Kind['nameFormat']): NameForm {
  switch (format) {
    case 'dns1035Label':
      return dns1035Label;
    case 'dns1123Label':
      return dns1123Label;
    case 'path':
      return pathSegment;
    case undefined:
      return dns1123Subdomain;
  }
}

/** What identifies an object never changes once it is stored. */
const IMMUTABLE = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const;

function checkUnchanged(metadata: ObjectMeta, old: ObjectMeta, errors: FieldError[]): void {
  for (const field of IMMUTABLE) {
    // A writer that does not repeat what the system filled in does not want to clear it.
    if (metadata[field] !== undefined && metadata[field] !== old[field]) {
      errors.push(fieldError.invalid(`metadata.${field}`, metadata[field], 'field is immutable'));
    }
  }
  if (metadata.generation !== undefined && metadata.generation < (old.generation ?? 0)) {
    const detail = 'must not be decremented';
    errors.push(fieldError.invalid('metadata.generation', metadata.generation, detail));
  }
}

/** Labels of an object, or of a selector. */
export function checkLabels(labels: Texts | undefined, path: string, errors: FieldError[]): void {
  if (labels === undefined) return;
  for (const key of Object.keys(labels)) {
    checkName(labelKey, key, path, errors);
    checkName(labelValue, labels[key] ?? '', path, errors);
  }
}

export function checkAnnotations(
  annotations: Texts | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (annotations === undefined) return;
  let bytes = 0;
  for (const key of Object.keys(annotations)) {
    for (const detail of labelKey(key.toLowerCase())) {
      errors.push(fieldError.invalid(path, key, detail));
    }
    bytes += Buffer.byteLength(key) + Buffer.byteLength(annotations[key] ?? '');
  }
  if (bytes > ANNOTATIONS_BYTES_MAX) errors.push(fieldError.tooLong(path, ANNOTATIONS_BYTES_MAX));
}

function checkOwners(metadata: ObjectMeta, errors: FieldError[]): void {
  const path = 'metadata.ownerReferences';
  const owners = metadata.ownerReferences ?? [];
  let controller: string | undefined;
  for (const [i, owner] of owners.entries()) {
    const at = `${path}[${i}]`;
    if (owner.apiVersion === '') {
      errors.push(fieldError.required(`${at}.apiVersion`, 'must not be empty'));
    } else if (!/^([^/]+\/)?[^/]+$/.test(owner.apiVersion)) {
      const detail = 'must be <group>/<version> or <version>';
      errors.push(fieldError.invalid(`${at}.apiVersion`, owner.apiVersion, detail));
    }
    for (const field of ['kind', 'name', 'uid'] as const) {
      if (owner[field] === '') {
        errors.push(fieldError.required(`${at}.${field}`, 'must not be empty'));
      }
    }
    if (owner.apiVersion === 'v1' && owner.kind === 'Event') {
      const detail = '/v1, Kind=Event is disallowed from being an owner';
      errors.push(fieldError.invalid(at, owner, detail));
    }
    if (owner.controller !== true) continue;
    const current = `${owner.kind}/${owner.name}`;
    if (controller === undefined) controller = current;
    else {
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${current}`;
      errors.push(fieldError.invalid(path, owners, detail));
    }
  }
}

function checkFinalizers(
  metadata: ObjectMeta,
  old: ObjectMeta | undefined,
  errors: FieldError[],
): void {
  const path = 'metadata.finalizers';
  const finalizers = metadata.finalizers ?? [];
  for (const finalizer of finalizers) checkName(labelKey, finalizer, path, errors);
  if (finalizers.includes('foregroundDeletion') && finalizers.includes('orphan')) {
    const detail = 'finalizer foregroundDeletion and orphan cannot be both set';
    errors.push(fieldError.invalid(path, finalizers, detail));
  }
  if (old?.deletionTimestamp === undefined) return;
  const added = finalizers.filter((finalizer) => !(old.finalizers ?? []).includes(finalizer));
  if (added.length > 0) {
    const shown = `[]string{${added
      .toSorted()
      .map((name) => JSON.stringify(name))
      .join(', ')}}`;
    const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${shown}`;
    errors.push(fieldError.forbidden(path, detail));
  }
}
