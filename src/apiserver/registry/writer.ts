// Writing: what a client sends → an object in the store and on disk, or a refusal. Everything from
// reading the object before to writing the one after happens in one turn, so no write is ever lost to
// another (k8s.io/apiserver/pkg/registry/generic/registry/store.go).

import { randomUUID } from 'node:crypto';
import { admit } from '../../api/admit.ts';
import type { Admission } from '../../api/admit.ts';
import { CustomResourceDefinition } from '../../api/apiextensions/crd.ts';
import { Namespace } from '../../api/core/namespace.ts';
import type { Kind, KubeObject } from '../../api/kind.ts';
import type { ObjectMeta } from '../../api/meta.ts';
import { fieldError } from '../../api/schema/errors.ts';
import type { FieldError } from '../../api/schema/errors.ts';
import { deepEqual } from '../../lib/equal.ts';
import type { Store } from '../../store/store.ts';
import type { ObjectWrite } from '../../store/write.ts';
import { apply } from '../apply/apply.ts';
import { conflictCauses, conflictMessage } from '../apply/conflicts.ts';
import { LAST_APPLIED } from '../apply/last-applied.ts';
import { checkManagedFields } from '../apply/managed-fields.ts';
import { shareFields } from '../apply/shared-fields.ts';
import { trackUpdate } from '../apply/track.ts';
import { failure } from '../failure.ts';
import { API_SOURCE } from '../storage/storage.ts';
import { CLEANUP_FINALIZER, FINALIZERS, graceOf, lingers } from './deletion.ts';
import type { DeleteOptions } from './deletion.ts';
import { randomSuffix } from './names.ts';
import { apiVersionFor, inVersion } from './resources.ts';
import type { Resource } from './resources.ts';
import { asStatusErrors } from './status-errors.ts';

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

/** What a write is about, beside the object itself. */
export interface WriteContext {
  readonly resource: Resource;
  /** Of the path. Empty for what has none. */
  readonly namespace: string;
  /** `status`, or empty for the object itself. */
  readonly subresource: '' | 'status';
  /** Who owns the fields that are written. */
  readonly manager: string;
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
  /** What is odd about how the body is written, as `duplicate field "spec.a"`. */
  readonly oddities?: readonly string[];
  /** The text of a patch: who is strict about what it leads to is shown it. */
  readonly patch?: string;
  readonly now: Date;
  /** Told to the client beside the answer. */
  readonly warn: (text: string) => void;
}

export interface WriterOptions {
  readonly store: Store;
  /** Fills in what has to be given at once, as the addresses of a Service. Throws a Failure. */
  readonly complete: (kind: Kind, object: KubeObject, old: KubeObject | undefined) => KubeObject;
  /** Where an object is written down, as `shop.yaml:12`; undefined when it is in no file. */
  readonly fileOf: (kind: Kind, namespace: string, name: string) => string | undefined;
  /** Definitions of kinds that are always there, as `httproutes.gateway.networking.k8s.io`. */
  readonly lastingDefinitions: ReadonlySet<string>;
}

export interface Written {
  readonly object: KubeObject;
  readonly created: boolean;
}

type Fields = Readonly<Record<string, unknown>>;
type WithStatus = KubeObject & { readonly status?: unknown };
type ManagedFields = NonNullable<ObjectMeta['managedFields']>;

const DEFINITION = CustomResourceDefinition as unknown as Kind;
/** Namespaces a cluster is not without (k8s.io/kubernetes/plugin/pkg/admission, NamespaceLifecycle). */
const LASTING_NAMESPACES: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public']);

export class Writer {
  readonly #options: WriterOptions;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  create(context: WriteContext, body: unknown): KubeObject {
    const { resource, dryRun } = context;
    const { kind } = resource;
    const sent = identify(context, body);
    if (sent.metadata.resourceVersion !== undefined && sent.metadata.resourceVersion !== '') {
      throw failure.badRequest('resourceVersion should not be set on objects to be created');
    }
    const { name = '', generateName = '' } = sent.metadata;
    const named = name === '' && generateName !== '' ? `${generateName}${randomSuffix()}` : name;
    const { namespace } = context;
    this.#checkDefinition(kind);
    this.#checkNamespace(kind, namespace, named);
    if (named !== '' && this.#options.store.get(kind, namespace, named) !== undefined) {
      throw failure.alreadyExists(kind, named);
    }
    const fresh = withMetadata(withoutStatus(kind, sent), {
      ...writable(sent.metadata),
      ...(named === '' ? {} : { name: named }),
      ...(kind.namespaced ? { namespace } : {}),
    });
    const object = this.#admitted(context, fresh, undefined);
    const managedFields = trackUpdate({
      ...this.#tracking(context),
      before: undefined,
      after: object,
    });
    return this.#put(kind, undefined, withManagers(object, managedFields), dryRun);
  }

  /** Replaces an object that is there, or one part of it. */
  update(context: WriteContext, name: string, body: unknown): KubeObject {
    const { kind } = context.resource;
    const old = this.#existing(kind, context.namespace, name);
    const sent = identify(context, body);
    if (sent.metadata.name !== undefined && sent.metadata.name !== name) {
      throw failure.badRequest(
        `the name of the object (${sent.metadata.name}) does not match the name on the URL (${name})`,
      );
    }
    return this.#replace(context, old, sent);
  }

  /** Changes an object that is there by what `change` makes of it. */
  change(context: WriteContext, name: string, change: (object: KubeObject) => unknown): KubeObject {
    const { resource, namespace } = context;
    const old = this.#existing(resource.kind, namespace, name);
    const sent = identify(context, change(inVersion(old, apiVersionFor(resource))));
    const { name: sentName = '' } = sent.metadata;
    if (sentName !== name) {
      throw failure.badRequest(
        `the name of the object (${sentName}) does not match the name on the URL (${name})`,
      );
    }
    return this.#replace(context, old, sent);
  }

  /** Server-side apply. */
  apply(context: WriteContext, name: string, body: unknown, force: boolean): Written {
    const { resource, namespace, dryRun } = context;
    const { kind } = resource;
    const sent = identify(context, body);
    const sentName = sent.metadata.name ?? '';
    if (sentName !== name) {
      throw failure.badRequest(
        `the name of the object (${sentName}) does not match the name on the URL (${name})`,
      );
    }
    if ((sent.metadata.managedFields ?? []).length > 0) {
      throw failure.badRequest('metadata.managedFields must be nil');
    }
    const live = this.#options.store.get(kind, namespace, name)?.object;
    if (live === undefined && context.subresource !== '') throw failure.notFound(kind, name);
    if (live === undefined) {
      this.#checkDefinition(kind);
      this.#checkNamespace(kind, namespace, name);
    } else {
      checkPreconditions(kind, live, sent.metadata);
    }
    this.#tellUnknown(context, admit(kind, sent).unknown);
    const outcome = apply({
      ...this.#tracking(context),
      live: live as unknown as Fields | undefined,
      applied: withMetadata(sent, withoutEmptyMaps(sent.metadata)) as unknown as Fields,
      force,
    });
    if (outcome.outcome === 'invalid') throw failure.invalid(kind, name, outcome.errors);
    if (outcome.outcome === 'conflicts') {
      const { conflicts } = outcome;
      throw failure.managerConflict(conflictMessage(conflicts), conflictCauses(conflicts));
    }
    const applied = outcome.object as unknown as KubeObject;
    if (live !== undefined && applied === live) return { object: live, created: false };
    const { managedFields } = outcome;
    if (live === undefined) {
      const wanted = withMetadata(withoutStatus(kind, applied), {
        ...writable(applied.metadata),
        name,
        ...(kind.namespaced ? { namespace } : {}),
      });
      const object = withManagers(this.#admitted(context, wanted, undefined), managedFields);
      return { object: this.#put(kind, undefined, object, dryRun), created: true };
    }
    return { object: this.#store(context, live, applied, managedFields), created: false };
  }

  /** Deletes an object, or begins to. Returns what is left of it, or undefined when it is gone. */
  remove(
    context: WriteContext,
    name: string,
    options: DeleteOptions,
  ): { readonly object: KubeObject; readonly gone: boolean } {
    const { store } = this.#options;
    const { resource, namespace, dryRun } = context;
    const { kind } = resource;
    const object = this.#existing(kind, namespace, name);
    if (kind === (Namespace as Kind) && LASTING_NAMESPACES.has(name)) {
      throw failure.forbidden(kind, name, 'this namespace may not be deleted');
    }
    if (kind === DEFINITION && this.#options.lastingDefinitions.has(name)) {
      const why = `Fairway serves ${name} itself: its definition stays, and so do its objects`;
      throw failure.forbidden(kind, name, why);
    }
    this.#checkFile(context, name);
    const { uid, resourceVersion } = options.preconditions;
    if (uid !== undefined && uid !== object.metadata.uid) {
      throw failure.conflict(
        kind,
        name,
        `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${object.metadata.uid}`,
      );
    }
    if (resourceVersion !== undefined && resourceVersion !== object.metadata.resourceVersion) {
      throw failure.conflict(
        kind,
        name,
        `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${object.metadata.resourceVersion}`,
      );
    }
    if (dryRun) return { object, gone: !lingers(kind, object) };
    const cleanup = kind === DEFINITION ? CLEANUP_FINALIZER : undefined;
    const current = withFinalizer(withFinalizer(object, FINALIZERS[options.propagation]), cleanup);
    if (!lingers(kind, current, options.gracePeriodSeconds)) {
      store.writeKept([{ op: 'delete', kind, namespace, name }]);
      return { object: current, gone: true };
    }
    const gracePeriodSeconds = graceOf(kind, current, options.gracePeriodSeconds);
    // In one batch: a deletion that is refused leaves no finalizer behind.
    store.writeKept([
      ...(current === object ? [] : [this.#putOf(kind, current)]),
      { op: 'terminate', kind, namespace, name, gracePeriodSeconds },
    ]);
    return { object: store.get(kind, namespace, name)?.object ?? current, gone: false };
  }

  #replace(context: WriteContext, old: KubeObject, sent: KubeObject): KubeObject {
    const { kind } = context.resource;
    checkPreconditions(kind, old, sent.metadata);
    return this.#store(context, old, sent);
  }

  /** Admits what is to replace `old`, notes who owns what, and puts it in the store. */
  #store(
    context: WriteContext,
    old: KubeObject,
    sent: KubeObject,
    decided?: ManagedFields,
  ): KubeObject {
    const { resource, subresource, dryRun } = context;
    const { kind } = resource;
    const storedForm = { ...sent, apiVersion: old.apiVersion };
    const sentManagers = decided === undefined ? sent.metadata.managedFields : undefined;
    const errors = checkManagedFields(sentManagers);
    if (errors.length > 0) throw failure.invalid(kind, old.metadata.name ?? '', errors);
    if (subresource === 'status') {
      const status = (storedForm as WithStatus).status;
      const wanted = { ...old, ...(status === undefined ? {} : { status }) };
      const object = this.#admitted(context, wanted, old);
      return this.#putStatus(context, old, object, decided);
    }
    const wanted = withMetadata(withStatusOf(kind, old, storedForm), {
      ...writable(sent.metadata),
      ...systemMetadata(old.metadata),
    });
    const object = this.#admitted(context, wanted, old);
    const { namespace = '', name = '' } = old.metadata;
    if (this.#options.fileOf(kind, namespace, name) !== undefined) {
      // `kubectl apply` and `diff` of the very file add their note of it, and nothing else.
      if (isSame(kind, old, withoutLastApplied(object))) return old;
      this.#checkFile(context, name);
    }
    const managedFields =
      decided ??
      trackUpdate({
        ...this.#tracking(context),
        before: old,
        after: withManagers(object, sentManagers ?? old.metadata.managedFields),
      });
    const stored = withManagers(object, managedFields);
    if (isSame(kind, old, stored) && sameManagers(old, stored)) return old;
    return this.#put(kind, old, stored, dryRun);
  }

  #putStatus(
    context: WriteContext,
    old: KubeObject,
    object: KubeObject,
    decided: ManagedFields | undefined,
  ): KubeObject {
    const { store } = this.#options;
    const { resource, dryRun } = context;
    const { kind } = resource;
    const managedFields =
      decided ?? trackUpdate({ ...this.#tracking(context), before: old, after: object });
    const after = withManagers(object, managedFields);
    const { status } = object as WithStatus;
    if (deepEqual((old as WithStatus).status, status) && sameManagers(old, after)) return old;
    if (dryRun) return after;
    const { namespace = '', name = '' } = old.metadata;
    store.writeKept([{ op: 'status', kind, namespace, name, status, managedFields }]);
    return store.get(kind, namespace, name)?.object ?? after;
  }

  /** Pruned, defaulted, validated and completed. Throws a Failure that names every field. */
  #admitted(context: WriteContext, wanted: KubeObject, old: KubeObject | undefined): KubeObject {
    const { kind } = context.resource;
    let admission: Admission<KubeObject> = admit(kind, wanted, kind.carryOver ? undefined : old);
    this.#tellUnknown(context, admission.unknown);
    const name = wanted.metadata.name ?? wanted.metadata.generateName ?? '';
    const refuseIf = (errors: readonly FieldError[]): void => {
      if (errors.length === 0) return;
      const isStatus = context.subresource === 'status';
      throw failure.invalid(kind, name, isStatus ? asStatusErrors(errors) : errors);
    };
    refuseIf(admission.errors);
    if (old !== undefined && kind.carryOver !== undefined) {
      admission = admit(kind, kind.carryOver(old, admission.object), old);
      refuseIf(admission.errors);
    }
    return context.subresource === ''
      ? this.#options.complete(kind, admission.object, old)
      : admission.object;
  }

  #tellUnknown(context: WriteContext, unknown: Admission<KubeObject>['unknown']): void {
    const { fieldValidation, oddities = [], patch, resource } = context;
    if ((unknown.length === 0 && oddities.length === 0) || fieldValidation === 'Ignore') return;
    const fields = unknown.map(({ path }) => `unknown field ${JSON.stringify(path)}`);
    const texts = [...oddities, ...fields];
    if (fieldValidation !== 'Strict') {
      for (const text of texts) context.warn(text);
      return;
    }
    const all = `strict decoding error: ${texts.join(', ')}`;
    if (patch !== undefined) {
      throw failure.invalid({ group: '', plural: '', kind: '' }, '', [
        fieldError.invalid('patch', patch, all),
      ]);
    }
    const { kind } = resource.kind;
    throw failure.badRequest(
      `${kind} in version ${JSON.stringify(resource.version)} cannot be handled as a ${kind}: ${all}`,
    );
  }

  #existing(kind: Kind, namespace: string, name: string): KubeObject {
    const entry = this.#options.store.get(kind, namespace, name);
    if (entry === undefined) throw failure.notFound(kind, name);
    return entry.object;
  }

  /** What is created of a kind that is about to go would go with it, unseen. */
  #checkDefinition({ plural, group }: Kind): void {
    const entry = this.#options.store.get(DEFINITION, '', `${plural}.${group}`);
    if (entry?.object.metadata.deletionTimestamp === undefined) return;
    throw failure.methodNotAllowed(
      'create not allowed while custom resource definition is terminating',
    );
  }

  #checkNamespace(kind: Kind, namespace: string, name: string): void {
    if (!kind.namespaced) return;
    const entry = this.#options.store.get(Namespace, '', namespace);
    if (entry === undefined) throw failure.notFound(Namespace, namespace);
    if (entry.object.metadata.deletionTimestamp !== undefined) {
      throw failure.forbidden(
        kind,
        name,
        `unable to create new content in namespace ${namespace} because it is being terminated`,
      );
    }
  }

  /** What is in a file is changed there: whatever else was written would be lost with the next save. */
  #checkFile({ resource, namespace }: WriteContext, name: string): void {
    const place = this.#options.fileOf(resource.kind, namespace, name);
    if (place === undefined) return;
    throw failure.forbidden(
      resource.kind,
      name,
      `the object is written in ${place}: change it there, and it takes effect when the file is saved`,
    );
  }

  #tracking(context: WriteContext): Tracking {
    const { resource, manager, subresource, now } = context;
    return {
      manager,
      subresource,
      apiVersion: apiVersionFor(resource),
      now: `${now.toISOString().slice(0, 19)}Z`,
      schema: resource.kind.schema,
      hasStatus: resource.kind.hasStatus,
    };
  }

  #put(kind: Kind, old: KubeObject | undefined, object: KubeObject, dryRun: boolean): KubeObject {
    const { store } = this.#options;
    const { namespace = '', name = '' } = object.metadata;
    if (dryRun) return old === undefined ? asIfCreated(kind, object) : object;
    const { finalizers = [], deletionTimestamp } = object.metadata;
    const isReleased = deletionTimestamp !== undefined && finalizers.length === 0;
    // The last of those whom the deletion waited for has let go.
    const isOver = isReleased && !lingers(kind, object);
    const changes = store.writeKept([
      this.#putOf(kind, object),
      ...(isOver ? [{ op: 'delete' as const, kind, namespace, name }] : []),
    ]);
    return changes[0]?.after ?? store.get(kind, namespace, name)?.object ?? object;
  }

  #putOf(kind: Kind, object: KubeObject): ObjectWrite {
    return { op: 'put', kind, object, source: API_SOURCE };
  }
}

interface Tracking {
  readonly manager: string;
  readonly subresource: string;
  readonly apiVersion: string;
  readonly now: string;
  readonly schema: Kind['schema'];
  readonly hasStatus: boolean;
}

/** What was sent as an object of the kind, for the namespace of the path. Throws a Failure. */
function identify({ resource, namespace }: WriteContext, body: unknown): KubeObject {
  const { kind } = resource;
  const wanted = apiVersionFor(resource);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw failure.badRequest(`the body of the request is not a ${kind.kind}`);
  }
  const { apiVersion, kind: sentKind, metadata } = body as Fields;
  if (sentKind !== undefined && sentKind !== kind.kind) {
    throw failure.badRequest(
      `${text(sentKind)} in version ${JSON.stringify(resource.version)} cannot be handled as a ${kind.kind}: the kinds differ`,
    );
  }
  if (apiVersion !== undefined && apiVersion !== wanted) {
    throw failure.badRequest(
      `the API version in the data (${text(apiVersion)}) does not match the expected API version (${wanted})`,
    );
  }
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    throw failure.badRequest(`the ${kind.kind} has no metadata`);
  }
  const sentNamespace = (metadata as ObjectMeta).namespace ?? '';
  if (kind.namespaced && sentNamespace !== '' && sentNamespace !== namespace) {
    throw failure.badRequest(
      'the namespace of the provided object does not match the namespace sent on the request',
    );
  }
  checkTimes(resource, metadata as Fields);
  const apiVersionStored = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
  return {
    ...(body as object),
    apiVersion: apiVersionStored,
    kind: kind.kind,
    metadata: metadata as ObjectMeta,
  };
}

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** Times of the server's own are not taken from a client, but have to be times. Throws a Failure. */
function checkTimes({ kind, version }: Resource, metadata: Fields): void {
  for (const field of ['creationTimestamp', 'deletionTimestamp']) {
    const value = metadata[field];
    if (value === undefined || value === null) continue;
    if (typeof value === 'string' && RFC3339.test(value) && !Number.isNaN(Date.parse(value))) {
      continue;
    }
    throw failure.badRequest(
      `${kind.kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind.kind}: metadata.${field} is no time as 2026-01-31T12:00:00Z: ${JSON.stringify(value)}`,
    );
  }
}

function withMetadata(object: KubeObject, metadata: ObjectMeta): KubeObject {
  return { ...object, metadata };
}

function withFinalizer(object: KubeObject, finalizer: string | undefined): KubeObject {
  const { finalizers = [] } = object.metadata;
  if (finalizer === undefined || finalizers.includes(finalizer)) return object;
  return withMetadata(object, { ...object.metadata, finalizers: [...finalizers, finalizer] });
}

function withManagers(object: KubeObject, managedFields: ManagedFields | undefined): KubeObject {
  return managedFields === object.metadata.managedFields
    ? object
    : withMetadata(object, {
        ...object.metadata,
        managedFields: shareFields(managedFields ?? []),
      });
}

function sameManagers(a: KubeObject, b: KubeObject): boolean {
  return deepEqual(a.metadata.managedFields ?? [], b.metadata.managedFields ?? []);
}

/** Metadata a client may set; the rest is the server's. */
function writable(metadata: ObjectMeta): ObjectMeta {
  const {
    uid: _uid,
    resourceVersion: _resourceVersion,
    generation: _generation,
    creationTimestamp: _creationTimestamp,
    deletionTimestamp: _deletionTimestamp,
    deletionGracePeriodSeconds: _deletionGracePeriodSeconds,
    selfLink: _selfLink,
    managedFields: _managedFields,
    ...rest
  } = metadata as ObjectMeta & { readonly selfLink?: string };
  return withoutEmptyMaps(rest);
}

/** An empty map is no map: clients that compare would see a difference in it. */
function withoutEmptyMaps({ labels, annotations, ...rest }: ObjectMeta): ObjectMeta {
  return { ...rest, ...unlessEmpty({ labels }), ...unlessEmpty({ annotations }) };
}

function unlessEmpty(field: Readonly<Record<string, unknown>>): object {
  const [value] = Object.values(field);
  if (value === undefined || value === null) return {};
  const isEmpty =
    typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length === 0;
  return isEmpty ? {} : field;
}

const SYSTEM_METADATA = [
  'name',
  'namespace',
  'generateName',
  'uid',
  'creationTimestamp',
  'generation',
  'resourceVersion',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
] as const;

/** What the server has said about an object, and a client cannot change. */
function systemMetadata(metadata: ObjectMeta): ObjectMeta {
  const own = SYSTEM_METADATA.flatMap((field) =>
    metadata[field] === undefined ? [] : [[field, metadata[field]] as const],
  );
  return Object.fromEntries(own);
}

function withoutStatus(kind: Kind, object: KubeObject): KubeObject {
  if (!kind.hasStatus) return object;
  const { status: _status, ...rest } = object as WithStatus;
  return rest;
}

/** The status is changed by writing it, not by writing the object. */
function withStatusOf(kind: Kind, old: KubeObject, object: KubeObject): KubeObject {
  if (!kind.hasStatus) return object;
  const { status } = old as WithStatus;
  const rest = withoutStatus(kind, object);
  return status === undefined ? rest : ({ ...rest, status } as KubeObject);
}

function checkPreconditions(kind: Kind, old: KubeObject, sent: ObjectMeta): void {
  const { name = '', uid, resourceVersion } = old.metadata;
  if (sent.uid !== undefined && sent.uid !== '' && sent.uid !== uid) {
    throw failure.conflict(
      kind,
      name,
      `Precondition failed: UID in precondition: ${sent.uid}, UID in object meta: ${uid}`,
    );
  }
  const asked = sent.resourceVersion;
  if (asked !== undefined && asked !== '' && asked !== resourceVersion) {
    throw failure.conflict(kind, name);
  }
}

function withoutLastApplied(object: KubeObject): KubeObject {
  const { [LAST_APPLIED]: _, ...annotations } = object.metadata.annotations ?? {};
  return withMetadata(object, { ...object.metadata, annotations });
}

/** Nothing changed but, at most, what the server counts and who owns what. */
function isSame(kind: Kind, old: KubeObject, wanted: KubeObject): boolean {
  return (
    deepEqual(writable(old.metadata), writable(wanted.metadata)) &&
    deepEqual(contentOf(kind, old), contentOf(kind, wanted))
  );
}

function contentOf(kind: Kind, object: KubeObject): unknown {
  const { metadata: _metadata, ...rest } = kind.hasStatus ? withoutStatus(kind, object) : object;
  return rest;
}

/** What a dry run shows of an object that is not created. */
function asIfCreated(kind: Kind, object: KubeObject): KubeObject {
  return withMetadata(object, {
    ...object.metadata,
    uid: randomUUID(),
    creationTimestamp: `${new Date().toISOString().slice(0, 19)}Z`,
    ...(kind.hasGeneration ? { generation: 1 } : {}),
  });
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
