// The path of a request → what it asks of which resource (k8s.io/apiserver/pkg/endpoints/request).

import { failure } from './failure.ts';

export interface ResourceRequest {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  /** Empty for all namespaces, or for what has none. */
  readonly namespace: string;
  /** Empty for a collection. */
  readonly name: string;
  /** Empty for the object itself. */
  readonly subresource: string;
  /** What follows the subresource, with its leading slash: of proxies. */
  readonly rest: string;
}

/**
 * Reads `/api/v1/…` and `/apis/GROUP/VERSION/…`. Undefined for a path that is about no resource.
 * Throws a Failure when an escape is broken.
 */
export function parseResourcePath(path: string): ResourceRequest | undefined {
  const raw = path.split('/').slice(1);
  const segments = raw.map(decode);
  const [root = ''] = segments;
  if (root !== 'api' && root !== 'apis') return undefined;
  const group = root === 'apis' ? (segments[1] ?? '') : '';
  const at = root === 'apis' ? 2 : 1;
  const version = segments[at] ?? '';
  const isNamespaced = segments[at + 1] === 'namespaces' && segments.length > at + 3;
  // Of the namespace itself: /api/v1/namespaces/NAME/status and /finalize.
  const isOfNamespace =
    isNamespaced && segments.length === at + 4 && NAMESPACE_PARTS.has(segments[at + 3] ?? '');
  const start = isNamespaced && !isOfNamespace ? at + 3 : at + 1;
  const namespace = isNamespaced && !isOfNamespace ? (segments[at + 2] ?? '') : '';
  const [plural = '', name = '', subresource = '', ...rest] = segments.slice(start);
  if (version === '' || plural === '') return undefined;
  return {
    group,
    version,
    plural,
    namespace,
    name,
    subresource,
    rest: rest.length === 0 ? '' : `/${raw.slice(start + 3).join('/')}`,
  };
}

const NAMESPACE_PARTS = new Set(['status', 'finalize']);

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw failure.badRequest(`the path holds a broken escape: ${segment}`);
  }
}
