// The subresource eviction of pods: a deletion with the options that are in it (policy/v1 Eviction).

import { Pod } from '../../api/core/pod.ts';
import type { Kind } from '../../api/kind.ts';
import { failure } from '../failure.ts';
import { readDeleteOptions } from './deletion.ts';
import type { DeleteOptions } from './deletion.ts';

export function isEvictable(kind: Kind): boolean {
  return kind === (Pod as Kind);
}

/** How the pod is to be deleted. Throws a Failure for what is no Eviction of it. */
export function readEviction(body: unknown, name: string, query: URLSearchParams): DeleteOptions {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw failure.badRequest('the body of the request is not an Eviction');
  }
  const { kind, apiVersion, metadata, deleteOptions } = body as Readonly<Record<string, unknown>>;
  const isEviction = kind === undefined || kind === 'Eviction';
  if (!isEviction || (apiVersion !== undefined && !VERSIONS.has(apiVersion))) {
    throw failure.badRequest(
      `the body of the request is ${JSON.stringify(kind)} of ${JSON.stringify(apiVersion)}, not an Eviction of policy/v1`,
    );
  }
  const named = (metadata as { readonly name?: unknown } | null | undefined)?.name ?? '';
  if (named !== '' && named !== name) {
    throw failure.badRequest('name in URL does not match name in Eviction object');
  }
  return readDeleteOptions(deleteOptions, query);
}

const VERSIONS: ReadonlySet<unknown> = new Set(['policy/v1', 'policy/v1beta1']);
