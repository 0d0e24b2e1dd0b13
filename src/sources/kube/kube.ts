// A kube-apiserver, or anything that speaks as one, `fairway up` included → admitted objects: the source
// for a node of a real cluster. Each kind has a reflector of its own (reflector.ts). What cannot be read
// leaves in force what was read before.

import { admit } from '../../api/admit.ts';
import { formatRef } from '../../api/finding.ts';
import type { Finding, Position } from '../../api/finding.ts';
import { apiVersionOf } from '../../api/kind.ts';
import type { Kind, KubeObject } from '../../api/kind.ts';
import type { ObjectWrite } from '../../store/write.ts';
import type { Source, SourceUpdate } from '../source.ts';
import type { KubeClient, KubeJson } from './client.ts';
import { KUBE_LIMITS } from './limits.ts';
import { problemOf } from './problem.ts';
import type { KubeProblem } from './problem.ts';
import { Reflector } from './reflector.ts';
import type { ReflectedChange } from './reflector.ts';

/** Which objects of a kind are read. */
export interface KubeInterest {
  readonly kind: Kind;
  /** As `!service.kubernetes.io/headless`. */
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** What is kept of an object; everything when absent. */
  readonly keep?: (object: KubeJson) => KubeJson;
}

export interface KubeSourceOptions {
  readonly client: KubeClient;
  readonly interests: readonly KubeInterest[];
  /** What keeps it from reading, whenever that changes; undefined when it reads again. */
  readonly onProblem: (problem: KubeProblem | undefined) => void;
  readonly random?: () => number;
}

/** Nothing is read before `start`. It goes on trying: an API server may come later than its nodes. */
export function createKubeSource(options: KubeSourceOptions): Source {
  return new KubeSource(options);
}

class KubeSource implements Source {
  readonly name = 'kube';
  readonly #options: KubeSourceOptions;
  readonly #findings = new Map<string, Finding>();
  /** By path: what each reflector complains of. */
  readonly #problems = new Map<string, KubeProblem>();
  #said = '';
  #writes: ObjectWrite[] = [];

  constructor(options: KubeSourceOptions) {
    this.#options = options;
  }

  async start(deliver: (update: SourceUpdate) => void, signal: AbortSignal): Promise<void> {
    const { interests } = this.#options;
    let isStarted = false;
    let timer: NodeJS.Timeout | undefined;
    const flush = (): void => {
      timer = undefined;
      if (signal.aborted) return;
      const writes = this.#writes;
      this.#writes = [];
      deliver({ writes, findings: [...this.#findings.values()] });
    };
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
    const take = (interest: KubeInterest, changes: readonly ReflectedChange[]): void => {
      for (const change of changes) this.#take(interest, change);
      if (isStarted && changes.length > 0) timer ??= setTimeout(flush, KUBE_LIMITS.batchMs);
    };
    const synced = interests.map(
      (interest) =>
        new Promise<void>((resolve) => {
          const reflector = this.#reflect(interest, (changes, isAll) => {
            take(interest, changes);
            if (isAll) resolve();
          });
          void reflector.run(signal).then(resolve);
        }),
    );
    await Promise.all(synced);
    if (signal.aborted) return;
    isStarted = true;
    flush();
  }

  /** Objects of a cluster are in no file. */
  locate(): Position | undefined {
    return undefined;
  }

  #reflect(
    { kind, labelSelector = '', fieldSelector = '' }: KubeInterest,
    onChanges: (changes: readonly ReflectedChange[], isAll: boolean) => void,
  ): Reflector {
    const { client, random = Math.random } = this.#options;
    const root = kind.group === '' ? '/api' : '/apis';
    const path = `${root}/${apiVersionOf(kind)}/${kind.plural}`;
    const query = new URLSearchParams({
      ...(labelSelector === '' ? {} : { labelSelector }),
      ...(fieldSelector === '' ? {} : { fieldSelector }),
    }).toString();
    return new Reflector({
      client,
      path,
      query,
      random,
      onSynced: (changes) => onChanges(changes, true),
      onChange: (change) => onChanges([change], false),
      onProblem: (error) => {
        if (error === undefined) this.#problems.delete(path);
        else this.#problems.set(path, problemOf(error, kind.plural, client.about));
        this.#say();
      },
    });
  }

  #say(): void {
    const [first] = this.#problems.values();
    const text = first?.message ?? '';
    if (text === this.#said) return;
    this.#said = text;
    this.#options.onProblem(first);
  }

  #take({ kind, keep }: KubeInterest, { namespace, name, object }: ReflectedChange): void {
    const key = `${kind.kind} ${namespace}/${name}`;
    this.#findings.delete(key);
    if (object === undefined) {
      this.#writes.push({ op: 'delete', kind, namespace, name });
      return;
    }
    const kept = keep?.(object) ?? object;
    const written = {
      ...kept,
      apiVersion: apiVersionOf(kind),
      kind: kind.kind,
      metadata: withoutManagers(kept.metadata),
    };
    // Fields that are newer than we are are left out without a word: the server knows better.
    const { object: admitted, errors } = admit(kind, written);
    if (errors.length > 0) {
      const ref = { kind: kind.kind, namespace, name };
      this.#findings.set(key, {
        severity: 'warning',
        reason: 'NotUnderstood',
        message: `${formatRef(ref)} of the cluster is left as it was: ${errors[0]!.path}: ${errors[0]!.message}`,
        hint: 'the API server takes what Fairway does not: please report it',
        origin: { object: ref },
      });
      return;
    }
    this.#writes.push({ op: 'put', kind, object: admitted });
    const { status } = admitted as KubeObject & { readonly status?: unknown };
    // A put leaves alone the status of what is there.
    if (status !== undefined) this.#writes.push({ op: 'status', kind, namespace, name, status });
  }
}

/** Who owns which field is half of an object, and nobody here asks. */
function withoutManagers(metadata: KubeJson['metadata']): object {
  const { managedFields: _managedFields, ...rest } = (metadata ?? {}) as Record<string, unknown>;
  return rest;
}
