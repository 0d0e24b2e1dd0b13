// The ExternalAuth filter as written → as the model has it, or why the service it names cannot be asked.
// Such a filter is never left out: its rule answers 500 (HTTPExternalAuthFilter: must fail closed).

import type { HTTPRouteFilter } from '../../api/gateway/httpfilters.ts';
import type { AuthFilter, HeaderNames } from '../../model/filter.ts';
import type { Origin } from '../../model/model.ts';
import { resolveBackendRef } from '../gateway/backends.ts';
import type { BackendUse } from '../gateway/backends.ts';
import type { Surroundings } from '../gateway/grants.ts';
import { problem } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';

export type ResolvedAuth =
  | { readonly filter: AuthFilter; readonly use: BackendUse }
  /** Nobody can be asked. */
  | { readonly closed: Problem };

type Written = NonNullable<HTTPRouteFilter['externalAuth']>;

export function resolveAuth(
  written: Written | undefined,
  origin: Origin,
  surroundings: Surroundings,
): ResolvedAuth {
  const at = `${origin.field}.externalAuth`;
  if (written === undefined) {
    return { closed: problem('BackendNotFound', at, 'the filter does not say whom to ask') };
  }
  const { protocol, backendRef, forwardBody } = written;
  const field = `${at}.backendRef`;
  const isCall = protocol === 'GRPC';
  const resolved = resolveBackendRef(
    backendRef,
    { ...origin, field },
    surroundings,
    'TCP',
    isCall ? 'calls' : 'requests',
  );
  if ('problem' in resolved) {
    const { message } = resolved.problem;
    return {
      closed: { ...resolved.problem, message: `nobody can be asked, all is refused: ${message}` },
    };
  }
  const { use } = resolved;
  return {
    use,
    filter: {
      kind: 'auth',
      backend: use.key,
      question: isCall ? grpcQuestion(written) : httpQuestion(written),
      bodyBytesMax: Math.max(0, forwardBody?.maxSize ?? 0),
      origin,
    },
  };
}

function httpQuestion({ http = {} }: Written): AuthFilter['question'] {
  const { path = '', allowedHeaders = [], allowedResponseHeaders = [] } = http;
  return {
    protocol: 'http',
    path: { kind: 'prefix', value: cleanPrefix(path) },
    sends: allowedHeaders.map((name) => name.toLowerCase()),
    takes: namesOrAll(allowedResponseHeaders),
    returns: 'all',
    allows: '200',
  };
}

function grpcQuestion({ grpc = {} }: Written): AuthFilter['question'] {
  return { protocol: 'grpc', sends: namesOrAll(grpc.allowedHeaders ?? []) };
}

/** With one slash before and none after it: what follows begins with one. */
function cleanPrefix(path: string): string {
  const inner = path.replace(/^\/+|\/+$/g, '');
  return inner === '' ? '' : `/${inner}`;
}

function namesOrAll(names: readonly string[]): HeaderNames {
  return names.length === 0 ? 'all' : names.map((name) => name.toLowerCase());
}
