// HTTPRoute: which HTTP requests go where, and what is done to them on the way. The kind most people
// write most of.

import { defineKind } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { def, integer, list, object, opt } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { RouteStatus } from './conditions.ts';
import { duration, durationMs } from './durations.ts';
import { GATEWAY_GROUP } from './fields.ts';
import { httpFilters, replacesPrefix } from './httpfilters.ts';
import type { HTTPRouteFilter } from './httpfilters.ts';
import { everyRequest, HTTPRouteMatches } from './httpmatches.ts';
import type { HTTPRouteMatch } from './httpmatches.ts';
import { backendRules, weightedBackendFields } from './references.ts';
import { attachmentFields, hostnamesColumn, RouteHostnames, RuleName } from './routes.ts';
import { distinctRuleNames, existsOne, fewMatches, rule } from './rules.ts';
import { SessionPersistence } from './sessionpersistence.ts';

const doc = 'Sends HTTP requests to backends, chosen by host, path, method, headers and query.';

const HTTPBackendRef = object(
  {
    ...weightedBackendFields,
    filters: opt(httpFilters('Filters for requests that go to this backend only.')),
  },
  { doc: 'One backend and its share of the requests.', rules: backendRules },
);

interface Timeouts {
  readonly request?: string;
  readonly backendRequest?: string;
}

const HTTPRouteTimeouts = object(
  {
    request: opt(
      duration(
        'From a request to the end of its answer, retries included; then 504. 0s: no limit.',
      ),
    ),
    backendRequest: opt(
      duration('For one attempt at one backend, so no longer than request. 0s: no limit.'),
    ),
  },
  {
    doc: 'How long requests may take.',
    rules: [
      rule<Timeouts>(
        'backendRequest timeout cannot be longer than request timeout',
        ({ request, backendRequest }) =>
          request === undefined ||
          backendRequest === undefined ||
          durationMs(request) === 0 ||
          durationMs(backendRequest) <= durationMs(request),
      ),
    ],
  },
);

const HTTPRouteRetry = object(
  {
    codes: opt(
      list(integer({ minimum: 400, maximum: 599, doc: 'A status code.' }), {
        listType: 'set',
        doc: 'Statuses of a backend after which the request is tried again. Connection errors count as well.',
      }),
    ),
    attempts: opt(
      integer({ minimum: 1, doc: 'How many times to try again after the first attempt.' }),
    ),
    backoff: opt(duration('The least time to wait before trying again.')),
  },
  { doc: 'When a request that failed is tried again (experimental).' },
);

interface RouteRule {
  readonly matches: readonly HTTPRouteMatch[];
  readonly filters?: readonly HTTPRouteFilter[];
  readonly backendRefs?: readonly { readonly filters?: readonly HTTPRouteFilter[] }[];
}

/** Replacing a prefix needs to know which prefix it was. */
const hasOnePrefix = ({ matches }: RouteRule) =>
  matches.length === 1 && matches[0]?.path.type === 'PathPrefix';

const redirectsPrefix = (filter: HTTPRouteFilter) => replacesPrefix(filter.requestRedirect);
const rewritesPrefix = (filter: HTTPRouteFilter) => replacesPrefix(filter.urlRewrite);

const HTTPRouteRule = object(
  {
    name: opt(RuleName),
    matches: def(HTTPRouteMatches, everyRequest),
    filters: opt(
      httpFilters('What is done to matching requests and their answers, in this order.'),
    ),
    backendRefs: opt(
      list(HTTPBackendRef, {
        listType: 'atomic',
        maxItems: 16,
        doc: 'Where matching requests go, each to one backend chosen by weight. The share of a backend that does not exist, and every request of a rule without backends or redirect, is answered with 500.',
      }),
    ),
    timeouts: opt(HTTPRouteTimeouts),
    retry: opt(HTTPRouteRetry),
    sessionPersistence: opt(SessionPersistence),
  },
  {
    doc: 'Some requests, and what becomes of them.',
    rules: [
      rule<RouteRule>(
        'RequestRedirect filter must not be used together with backendRefs',
        ({ filters = [], backendRefs = [] }) =>
          backendRefs.length === 0 ||
          filters.every(({ requestRedirect }) => requestRedirect === undefined),
      ),
      rule<RouteRule>(
        'When using RequestRedirect filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified',
        (self) => !existsOne(self.filters, redirectsPrefix) || hasOnePrefix(self),
      ),
      rule<RouteRule>(
        'When using URLRewrite filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified',
        (self) => !existsOne(self.filters, rewritesPrefix) || hasOnePrefix(self),
      ),
      rule<RouteRule>(
        'Within backendRefs, when using RequestRedirect filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified',
        (self) =>
          !existsOne(self.backendRefs, ({ filters }) => existsOne(filters, redirectsPrefix)) ||
          hasOnePrefix(self),
      ),
      rule<RouteRule>(
        'Within backendRefs, When using URLRewrite filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified',
        (self) =>
          !existsOne(self.backendRefs, ({ filters }) => existsOne(filters, rewritesPrefix)) ||
          hasOnePrefix(self),
      ),
    ],
  },
);

const HTTPRouteRules = list(HTTPRouteRule, {
  listType: 'atomic',
  minItems: 1,
  maxItems: 16,
  doc: 'What to do with which requests. Order matters only between rules that match equally well. Without rules, every request matches and none has a backend.',
  rules: [fewMatches, distinctRuleNames],
});

const schema = object(
  {
    ...typeMeta,
    metadata: ObjectMeta,
    spec: object(
      {
        ...attachmentFields,
        hostnames: opt(RouteHostnames),
        rules: def(HTTPRouteRules, [{ matches: everyRequest }]),
      },
      { doc: 'What the route should do.' },
    ),
    status: opt(RouteStatus),
  },
  { doc },
);
export type HTTPRoute = Infer<typeof schema>;

export const HTTPRoute = defineKind<HTTPRoute>({
  group: GATEWAY_GROUP,
  version: 'v1',
  versions: ['v1', 'v1beta1'],
  kind: 'HTTPRoute',
  plural: 'httproutes',
  categories: ['gateway-api'],
  namespaced: true,
  doc,
  schema,
  hasStatus: true,
  hasGeneration: true,
  columns: [hostnamesColumn],
});
