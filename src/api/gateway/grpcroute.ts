// GRPCRoute: which gRPC calls go where. What HTTPRoute says of paths is said here of services and
// methods.

import { defineKind } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { def, list, object, oneOf, opt, string } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { RouteStatus } from './conditions.ts';
import { ExtensionRef, headerModifier, RequestMirror } from './filters.ts';
import { GATEWAY_GROUP, HeaderName } from './fields.ts';
import { backendRules, weightedBackendFields } from './references.ts';
import { attachmentFields, hostnamesColumn, RouteHostnames, RuleName } from './routes.ts';
import { atMostOne, distinctRuleNames, fewMatches, filterFieldRules, rule } from './rules.ts';
import { SessionPersistence } from './sessionpersistence.ts';

const doc = 'Sends gRPC calls to backends, chosen by host, service, method and metadata.';

interface MethodMatch {
  readonly type: string;
  readonly service?: string;
  readonly method?: string;
}

// With the u flag, i folds letters as RE2 does, the Kelvin sign included.
const SERVICE = /^\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*$/iu;
const METHOD = /^[A-Za-z_][A-Za-z_0-9]*$/;

const GRPCMethodMatch = object(
  {
    type: def(
      oneOf(['Exact', 'RegularExpression'], {
        doc: 'How service and method are compared: as text, or as regular expressions in RE2 syntax.',
      }),
      'Exact',
    ),
    service: opt(
      string({
        maxLength: 1024,
        doc: 'The service with its package: helloworld.Greeter. Without it, any.',
      }),
    ),
    method: opt(string({ maxLength: 1024, doc: 'The method: SayHello. Without it, any.' })),
  },
  {
    doc: 'The service and the method that is called. Upper and lower case differ.',
    rules: [
      rule<MethodMatch>(
        "One or both of 'service' or 'method' must be specified",
        ({ service, method }) => service !== undefined || method !== undefined,
      ),
      rule<MethodMatch>(
        'service must only contain valid characters (matching ^(?i)\\.?[a-z_][a-z_0-9]*(\\.[a-z_][a-z_0-9]*)*$)',
        ({ type, service }) => type !== 'Exact' || service === undefined || SERVICE.test(service),
      ),
      rule<MethodMatch>(
        'method must only contain valid characters (matching ^[A-Za-z_][A-Za-z_0-9]*$)',
        ({ type, method }) => type !== 'Exact' || method === undefined || METHOD.test(method),
      ),
    ],
  },
);

const GRPCHeaderMatch = object(
  {
    name: HeaderName,
    type: def(
      oneOf(['Exact', 'RegularExpression'], {
        doc: 'Exact: the value is the same. RegularExpression: an expression in RE2 syntax.',
      }),
      'Exact',
    ),
    value: string({ minLength: 1, maxLength: 4096, doc: 'The value to compare with.' }),
  },
  { doc: 'A piece of metadata the call must have, and its value.' },
);

const GRPCRouteMatch = object(
  {
    method: opt(GRPCMethodMatch),
    headers: opt(
      list(GRPCHeaderMatch, {
        listType: 'map',
        keys: ['name'],
        maxItems: 16,
        doc: 'Metadata, all of which must match.',
      }),
    ),
  },
  { doc: 'One sort of call: everything said here must be true of it.' },
);

const GRPCRouteFilter = object(
  {
    type: oneOf(
      ['ResponseHeaderModifier', 'RequestHeaderModifier', 'RequestMirror', 'ExtensionRef'],
      { doc: 'What the filter does. The field of the same name says how.' },
    ),
    requestHeaderModifier: opt(headerModifier('request')),
    responseHeaderModifier: opt(headerModifier('response')),
    requestMirror: opt(RequestMirror),
    extensionRef: opt(ExtensionRef),
  },
  {
    doc: 'One step on the way of a call or of its answer.',
    rules: filterFieldRules({
      requestHeaderModifier: 'RequestHeaderModifier',
      responseHeaderModifier: 'ResponseHeaderModifier',
      requestMirror: 'RequestMirror',
      extensionRef: 'ExtensionRef',
    }),
  },
);

const grpcFilters = (text: string) =>
  opt(
    list(GRPCRouteFilter, {
      listType: 'atomic',
      maxItems: 16,
      doc: text,
      rules: [atMostOne('RequestHeaderModifier'), atMostOne('ResponseHeaderModifier')],
    }),
  );

const GRPCBackendRef = object(
  {
    ...weightedBackendFields,
    filters: grpcFilters('Filters for calls that go to this backend only.'),
  },
  { doc: 'One backend and its share of the calls.', rules: backendRules },
);

const GRPCRouteRule = object(
  {
    name: opt(RuleName),
    matches: opt(
      list(GRPCRouteMatch, {
        listType: 'atomic',
        maxItems: 64,
        doc: 'Calls this rule is for: those that any one match fits. Where several rules fit, the longest service wins, then method, then metadata; then the oldest route. Without matches, every call.',
      }),
    ),
    filters: grpcFilters('What is done to matching calls and their answers, in this order.'),
    backendRefs: opt(
      list(GRPCBackendRef, {
        listType: 'atomic',
        maxItems: 16,
        doc: 'Where matching calls go, each to one backend chosen by weight. The share of a backend that does not exist fails with UNAVAILABLE.',
      }),
    ),
    sessionPersistence: opt(SessionPersistence),
  },
  { doc: 'Some calls, and what becomes of them.' },
);

const schema = object(
  {
    ...typeMeta,
    metadata: ObjectMeta,
    spec: object(
      {
        ...attachmentFields,
        hostnames: opt(RouteHostnames),
        rules: opt(
          list(GRPCRouteRule, {
            listType: 'atomic',
            maxItems: 16,
            doc: 'What to do with which calls. Order matters only between rules that match equally well.',
            rules: [fewMatches, distinctRuleNames],
          }),
        ),
      },
      { doc: 'What the route should do.' },
    ),
    status: opt(RouteStatus),
  },
  { doc },
);
export type GRPCRoute = Infer<typeof schema>;

export const GRPCRoute = defineKind<GRPCRoute>({
  group: GATEWAY_GROUP,
  version: 'v1',
  kind: 'GRPCRoute',
  plural: 'grpcroutes',
  categories: ['gateway-api'],
  namespaced: true,
  doc,
  schema,
  hasStatus: true,
  hasGeneration: true,
  columns: [hostnamesColumn],
});
