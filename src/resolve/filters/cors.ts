// The CORS filter as written → as the model has it.

import type { HTTPRouteFilter } from '../../api/gateway/httpfilters.ts';
import type { CorsFilter } from '../../model/filter.ts';
import type { Origin } from '../../model/model.ts';

/** Without allowOrigins, no origin is allowed. */
export function corsFilter(written: HTTPRouteFilter['cors'], origin: Origin): CorsFilter {
  const { allowOrigins, allowMethods, allowHeaders, exposeHeaders, allowCredentials, maxAge } =
    written ?? { maxAge: 5 };
  return {
    kind: 'cors',
    allowOrigins: allowOrigins ?? [],
    allowMethods: allowMethods ?? [],
    allowHeaders: allowHeaders ?? [],
    exposeHeaders: exposeHeaders ?? [],
    allowCredentials: allowCredentials ?? false,
    maxAgeSeconds: maxAge,
    origin,
  };
}
