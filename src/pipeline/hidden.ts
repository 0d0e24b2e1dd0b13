// Objects that were written through the API and are now in a file as well. The file counts as long as it
// has them; when it no longer does, they are what they were: their write was acknowledged.

import { formatRef } from '../api/finding.ts';
import type { Finding } from '../api/finding.ts';
import type { Kind, KubeObject } from '../api/kind.ts';
import { kindKey } from '../store/snapshot.ts';
import type { Store } from '../store/store.ts';
import type { SourceRef } from '../store/table.ts';
import type { ObjectWrite } from '../store/write.ts';

/** The name of the source of what is written through the API. */
const API = 'api';

interface Hidden {
  readonly kind: Kind;
  readonly object: KubeObject;
  readonly source: SourceRef;
}

export class HiddenObjects {
  readonly #store: Store;
  readonly #hidden = new Map<string, Hidden>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** What a source delivers → what is to be written: to be called right before it is. */
  take(writes: readonly ObjectWrite[]): readonly ObjectWrite[] {
    return writes.map((write) => {
      if (write.op === 'put') this.#hide(write);
      return write.op === 'delete' ? this.#reveal(write) : write;
    });
  }

  /** What is told for as long as files and the API have the same objects. */
  findings(): readonly Finding[] {
    return [...this.#hidden.values()].map(({ kind, object }) => {
      const { namespace = '', name = '' } = object.metadata;
      const ref = { kind: kind.kind, namespace, name };
      return {
        severity: 'warning',
        reason: 'Duplicate',
        message: `${formatRef(ref)} was written through the API as well: what the file says counts`,
        hint: 'take it out of the file to have back what was written through the API',
        origin: { object: ref },
      };
    });
  }

  #hide({ kind, object, source }: ObjectWrite & { readonly op: 'put' }): void {
    const { namespace = '', name = '' } = object.metadata;
    const entry = this.#store.get(kind, namespace, name);
    if (entry?.source?.source !== API || source === undefined || source.source === API) return;
    const { object: hidden, source: own } = entry;
    this.#hidden.set(keyOf(kind, namespace, name), { kind, object: hidden, source: own });
  }

  #reveal(write: ObjectWrite & { readonly op: 'delete' }): ObjectWrite {
    const { kind, namespace, name } = write;
    const key = keyOf(kind, namespace, name);
    const hidden = this.#hidden.get(key);
    if (hidden === undefined) return write;
    this.#hidden.delete(key);
    // Gone for another reason, as with its namespace.
    if (this.#store.get(kind, namespace, name) === undefined) return write;
    return { op: 'put', ...hidden };
  }
}

function keyOf(kind: Kind, namespace: string, name: string): string {
  return [kindKey(kind), namespace, name].join('\n');
}
