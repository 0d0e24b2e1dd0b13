// The kinds users define: each CustomResourceDefinition in the store becomes a kind the API serves, is
// told whether its names were accepted, and takes its objects with it when it goes
// (k8s.io/apiextensions-apiserver: establish, naming and finalizer controllers).

import { terminatingStatus } from '../../api/apiextensions/terminate.ts';
import { acceptedStatus } from '../../api/apiextensions/accept.ts';
import { CustomResourceDefinition } from '../../api/apiextensions/crd.ts';
import { customKinds } from '../../api/custom/kind.ts';
import type { CustomKinds } from '../../api/custom/kind.ts';
import type { Kind, KubeObject } from '../../api/kind.ts';
import { kindKey } from '../../store/snapshot.ts';
import type { Change, Store } from '../../store/store.ts';
import type { ObjectWrite } from '../../store/write.ts';
import { CLEANUP_FINALIZER } from '../registry/deletion.ts';
import type { Resource } from '../registry/resources.ts';

/** What is told whenever there are other kinds than before. */
export interface CustomResources {
  /** One for each served version: the kind objects are stored as, with the schema of the version. */
  readonly resources: readonly Resource[];
  /** One for each definition, in the version its objects are stored in. */
  readonly kinds: readonly Kind[];
}

export interface DefinitionsOptions {
  readonly store: Store;
  /** Kinds that are there without a definition; definitions of theirs change nothing. */
  readonly builtIn: readonly Kind[];
  readonly onKinds: (custom: CustomResources) => void;
  readonly now: () => Date;
}

const KIND = CustomResourceDefinition as unknown as Kind;
const COMPILED = new WeakMap<CustomResourceDefinition['spec'], CustomKinds>();

/** The kinds of definitions, whether they are established or not. Made once for each specification. */
export function kindsOf(crd: CustomResourceDefinition): CustomKinds {
  let kinds = COMPILED.get(crd.spec);
  if (kinds === undefined) COMPILED.set(crd.spec, (kinds = customKinds(crd)));
  return kinds;
}

/** Follows the definitions of a store until the returned function is called. */
export function followDefinitions(options: DefinitionsOptions): () => void {
  const { store } = options;
  const follower = new Follower(options);
  follower.look();
  return store.subscribe((changes) => follower.notice(changes));
}

class Follower {
  readonly #options: DefinitionsOptions;
  readonly #builtIn: ReadonlySet<string>;
  #isDue = false;
  /** Keys of kinds whose definitions are about to go: their objects are waited for. */
  #ending: ReadonlySet<string> = new Set();
  #known = '';

  constructor(options: DefinitionsOptions) {
    this.#options = options;
    this.#builtIn = new Set(options.builtIn.map(({ group, plural }) => `${plural}.${group}`));
  }

  notice(changes: readonly Change[]): void {
    const concerns = changes.some(
      ({ kind }) => kind.kind === KIND.kind || this.#ending.has(kindKey(kind)),
    );
    if (!concerns || this.#isDue) return;
    this.#isDue = true;
    // Not within the write that is being told of.
    queueMicrotask(() => {
      this.#isDue = false;
      this.look();
    });
  }

  look(): void {
    const { store } = this.#options;
    // What one round deletes lets the next one go on: the last object, then the definition.
    for (let changed = 1; changed > 0;) {
      const writes = this.#custom().flatMap((crd) => this.#settle(crd));
      changed = writes.length === 0 ? 0 : store.write(writes).length;
    }
    this.#publish();
  }

  #custom(): readonly CustomResourceDefinition[] {
    const all = this.#options.store.snapshot().list(CustomResourceDefinition);
    return all.filter(({ metadata }) => !this.#builtIn.has(metadata.name ?? ''));
  }

  #settle(crd: CustomResourceDefinition): readonly ObjectWrite[] {
    const { builtIn, now } = this.#options;
    const { name = '', deletionTimestamp } = crd.metadata;
    if (deletionTimestamp !== undefined) return this.#end(crd);
    const others = this.#custom().filter((other) => other !== crd && isEstablished(other));
    const taken = [
      ...builtIn.map((kind) => ({ ...kind, listKind: `${kind.kind}List` })),
      ...others.map((other) => kindsOf(other).storage),
    ];
    const time = `${now().toISOString().slice(0, 19)}Z`;
    const status = acceptedStatus(crd, taken, time);
    if (status === crd.status) return [];
    return [{ op: 'status', kind: KIND, namespace: '', name, status }];
  }

  /** Deletes the objects of a definition, and then the definition. */
  #end(crd: CustomResourceDefinition): readonly ObjectWrite[] {
    const { store } = this.#options;
    const { storage } = kindsOf(crd);
    const { name = '', finalizers = [] } = crd.metadata;
    const others = finalizers.filter((finalizer) => finalizer !== CLEANUP_FINALIZER);
    const objects = store.snapshot().list(storage as Kind);
    if (objects.length === 0 && others.length === 0) {
      return [{ op: 'delete', kind: KIND, namespace: '', name }];
    }
    const writes: ObjectWrite[] = objects.flatMap((object) => removal(storage, object));
    const time = `${this.#options.now().toISOString().slice(0, 19)}Z`;
    const status = terminatingStatus(crd, objects.length, time);
    if (status !== crd.status) {
      writes.push({ op: 'status', kind: KIND, namespace: '', name, status });
    }
    if (objects.length === 0 && others.length < finalizers.length) {
      const object = { ...crd, metadata: { ...crd.metadata, finalizers: others } };
      const source = store.get(KIND, '', name)?.source;
      writes.push({ op: 'put', kind: KIND, object, ...(source === undefined ? {} : { source }) });
    }
    return writes;
  }

  #publish(): void {
    const crds = this.#custom();
    this.#ending = new Set(
      crds
        .filter(({ metadata }) => metadata.deletionTimestamp !== undefined)
        .map((crd) => kindKey(kindsOf(crd).storage)),
    );
    const established = crds.filter(isEstablished);
    const known = established
      .map(({ metadata }) => `${metadata.uid}/${metadata.generation}`)
      .join();
    if (known === this.#known) return;
    this.#known = known;
    const all = established.map(kindsOf);
    this.#options.onKinds({
      kinds: all.map(({ storage }) => storage),
      resources: all.flatMap(({ storage, served }) =>
        served.map((kind) => ({
          kind: { ...kind, version: storage.version } as Kind,
          version: kind.version,
        })),
      ),
    });
  }
}

function isEstablished({ status }: CustomResourceDefinition): boolean {
  return status?.conditions?.some((c) => c.type === 'Established' && c.status === 'True') === true;
}

function removal(kind: Kind, { metadata }: KubeObject): readonly ObjectWrite[] {
  const { namespace = '', name = '', finalizers = [], deletionTimestamp } = metadata;
  if (finalizers.length === 0) return [{ op: 'delete', kind, namespace, name }];
  if (deletionTimestamp !== undefined) return [];
  return [{ op: 'terminate', kind, namespace, name, gracePeriodSeconds: 0 }];
}
