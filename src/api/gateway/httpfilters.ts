// Filters of HTTPRoute: what happens to a request or its answer besides being forwarded.

import {
  boolean,
  def,
  described,
  integer,
  list,
  object,
  oneOf,
  opt,
  string,
} from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { ExtensionRef, headerModifier, RequestMirror } from './filters.ts';
import { HeaderName, PortNumber, PreciseHostname } from './fields.ts';
import { BackendObjectReference } from './references.ts';
import { atMostOne, filterFieldRules, rule, selectedFieldRules } from './rules.ts';

export const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
] as const;

const PathModifier = object(
  {
    type: oneOf(['ReplaceFullPath', 'ReplacePrefixMatch'], {
      doc: 'Whether the whole path is replaced, or the prefix that the rule matched.',
    }),
    replaceFullPath: opt(
      string({ maxLength: 1024, doc: 'The new path, with type ReplaceFullPath. The query stays.' }),
    ),
    replacePrefixMatch: opt(
      string({
        maxLength: 1024,
        doc: 'What comes in place of the matched prefix: with match /a and /b here, /a/x becomes /b/x. The rule must have one match, of type PathPrefix.',
      }),
    ),
  },
  {
    doc: 'How the path changes.',
    rules: [
      ...selectedFieldRules('type', 'ReplaceFullPath', 'replaceFullPath'),
      ...selectedFieldRules('type', 'ReplacePrefixMatch', 'replacePrefixMatch'),
    ],
  },
);
type PathModifier = Infer<typeof PathModifier>;

const RequestRedirect = object(
  {
    scheme: opt(
      oneOf(['http', 'https'], {
        doc: 'Scheme of the new address. Without it, that of the request; with it and without port, its well-known port.',
      }),
    ),
    hostname: opt(
      described(PreciseHostname, 'Host of the new address. Without it, the Host of the request.'),
    ),
    path: opt(described(PathModifier, 'Path of the new address. Without it, that of the request.')),
    port: opt(
      described(
        PortNumber,
        'Port of the new address. Without it, the well-known port of scheme, or else the port of the listener.',
      ),
    ),
    statusCode: def(
      integer({
        enum: [301, 302, 303, 307, 308],
        doc: 'Status of the answer. 307 and 308 keep the method of the request.',
      }),
      302,
    ),
  },
  { doc: 'Answers with a redirect to another address; nothing is forwarded.' },
);

const UrlRewrite = object(
  {
    hostname: opt(described(PreciseHostname, 'Host header for the backend.')),
    path: opt(described(PathModifier, 'Path for the backend.')),
  },
  { doc: 'Changes host or path of the request on its way to the backend.' },
);

const notBesideOthers = (message: string) =>
  rule<readonly string[]>(message, (self) => !self.includes('*') || self.length <= 1);

const Cors = object(
  {
    allowOrigins: opt(
      list(
        string({
          minLength: 1,
          maxLength: 253,
          pattern:
            '(^\\*$)|(^(http(s)?):\\/\\/(((\\*\\.)?([a-zA-Z0-9\\-]+\\.)*[a-zA-Z0-9-]+|\\*)(:([0-9]{1,5}))?)$)',
          doc: 'scheme://host with an optional port. The host may begin with *. for any number of labels, or be *.',
        }),
        {
          listType: 'set',
          maxItems: 64,
          doc: 'Origins whose scripts may read the answer, or * alone for all.',
          rules: [notBesideOthers("AllowOrigins cannot contain '*' alongside other origins")],
        },
      ),
    ),
    allowMethods: opt(
      list(oneOf([...METHODS, '*'], { doc: 'A method, or * for all.' }), {
        listType: 'set',
        maxItems: 9,
        doc: 'Methods that scripts may use, or * alone for all. GET, HEAD and POST always may.',
        rules: [notBesideOthers("AllowMethods cannot contain '*' alongside other methods")],
      }),
    ),
    allowHeaders: opt(
      list(HeaderName, {
        listType: 'set',
        maxItems: 64,
        doc: 'Request headers that scripts may set, or * alone for all.',
        rules: [notBesideOthers("AllowHeaders cannot contain '*' alongside other methods")],
      }),
    ),
    exposeHeaders: opt(
      list(HeaderName, {
        listType: 'set',
        maxItems: 64,
        doc: 'Response headers that scripts may read besides the usual ones, or *.',
      }),
    ),
    allowCredentials: opt(
      boolean({
        doc: 'Scripts may send cookies and other credentials. Then no header of the answer is *: what was asked for is named instead.',
      }),
    ),
    maxAge: def(
      integer({
        format: 'int32',
        minimum: 1,
        doc: 'For how many seconds a browser may keep the answer to a preflight request.',
      }),
      5,
    ),
  },
  { doc: 'Answers cross-origin (CORS) questions of browsers in place of the backend.' },
);

const authHeaders = (doc: string) =>
  opt(list(string({ doc: 'Name of a header.' }), { listType: 'set', maxItems: 64, doc }));

const ExternalAuth = object(
  {
    protocol: oneOf(['HTTP', 'GRPC'], {
      doc: "HTTP: status 200 means allowed. GRPC: Envoy's ext_authz protocol.",
    }),
    backendRef: described(BackendObjectReference, 'The service that is asked.'),
    grpc: opt(
      object(
        {
          allowedHeaders: authHeaders('Request headers the service gets to see. Empty: all.'),
        },
        { doc: 'Settings for protocol GRPC.' },
      ),
    ),
    http: opt(
      object(
        {
          path: opt(
            string({
              maxLength: 1024,
              pattern: "^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$",
              doc: 'Put before the path of the request when the service is asked.',
            }),
          ),
          allowedHeaders: authHeaders(
            'Request headers the service gets to see besides Host, method, path, Content-Length and Authorization.',
          ),
          allowedResponseHeaders: authHeaders(
            "Headers of the service's answer that the backend gets to see. Empty: all but the host.",
          ),
        },
        { doc: 'Settings for protocol HTTP.' },
      ),
    ),
    forwardBody: opt(
      object(
        {
          maxSize: opt(
            integer({ doc: 'Largest body in bytes that is held back and sent along. 0: none.' }),
          ),
        },
        { doc: 'Sends the body of the request to the service as well. Without it, no body.' },
      ),
    ),
  },
  {
    doc: 'Asks another service whether the request may pass. If it cannot be asked, the answer is no.',
    rules: [
      ...selectedFieldRules('protocol', 'GRPC', 'grpc'),
      ...selectedFieldRules('protocol', 'HTTP', 'http'),
    ],
  },
);

const HTTPRouteFilter = object(
  {
    type: oneOf(
      [
        'RequestHeaderModifier',
        'ResponseHeaderModifier',
        'RequestMirror',
        'RequestRedirect',
        'URLRewrite',
        'ExtensionRef',
        'CORS',
        'ExternalAuth',
      ],
      { doc: 'What the filter does. The field of the same name says how.' },
    ),
    requestHeaderModifier: opt(headerModifier('request')),
    responseHeaderModifier: opt(headerModifier('response')),
    requestMirror: opt(RequestMirror),
    requestRedirect: opt(RequestRedirect),
    urlRewrite: opt(UrlRewrite),
    cors: opt(Cors),
    externalAuth: opt(ExternalAuth),
    extensionRef: opt(ExtensionRef),
  },
  {
    doc: 'One step on the way of a request or of its answer.',
    rules: filterFieldRules({
      cors: 'CORS',
      requestHeaderModifier: 'RequestHeaderModifier',
      responseHeaderModifier: 'ResponseHeaderModifier',
      requestMirror: 'RequestMirror',
      requestRedirect: 'RequestRedirect',
      urlRewrite: 'URLRewrite',
      extensionRef: 'ExtensionRef',
      externalAuth: 'ExternalAuth',
    }),
  },
);
export type HTTPRouteFilter = Infer<typeof HTTPRouteFilter>;

/** The filters of a rule, or of one backend of a rule. */
export function httpFilters(doc: string) {
  return list(HTTPRouteFilter, {
    listType: 'atomic',
    maxItems: 16,
    doc,
    rules: [
      rule<readonly HTTPRouteFilter[]>(
        'May specify either httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite, but not both',
        (filters) =>
          !filters.some((filter) => filter.type === 'RequestRedirect') ||
          !filters.some((filter) => filter.type === 'URLRewrite'),
      ),
      atMostOne('CORS'),
      atMostOne('RequestHeaderModifier'),
      atMostOne('ResponseHeaderModifier'),
      atMostOne('RequestRedirect'),
      atMostOne('URLRewrite'),
    ],
  });
}

/** True when the path of a redirect or rewrite depends on which prefix was matched. */
export function replacesPrefix(change: { readonly path?: PathModifier } | undefined): boolean {
  return (
    change?.path?.type === 'ReplacePrefixMatch' && change.path.replacePrefixMatch !== undefined
  );
}
