// Which requests a rule of HTTPRoute is for: path, method, headers and query parameters.

import { def, list, object, oneOf, opt, string } from '../schema/schema.ts';
import type { Infer, Rule } from '../schema/schema.ts';
import { HeaderName, HeaderValue } from './fields.ts';
import { METHODS } from './httpfilters.ts';
import { rule } from './rules.ts';

const PATH_CHARACTERS = "^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$";
const pathCharacters = new RegExp(PATH_CHARACTERS);

interface Path {
  readonly type: string;
  readonly value: string;
}

/** A rule on paths that are compared as text; a regular expression may be anything. */
const literal = (complaint: string, check: (value: string) => boolean): Rule =>
  rule<Path>(
    `${complaint} when type one of ['Exact', 'PathPrefix']`,
    ({ type, value }) => type === 'RegularExpression' || check(value),
  );

const contains = (part: string) =>
  literal(`must not contain '${part}'`, (value) => !value.includes(part));

const endsWith = (part: string) =>
  literal(`must not end with '${part}'`, (value) => !value.endsWith(part));

const PathMatch = object(
  {
    type: def(
      oneOf(['Exact', 'PathPrefix', 'RegularExpression'], {
        doc: 'Exact: this path and no other. PathPrefix: the path and all below it, by whole segments: /a takes /a/b and not /ab. RegularExpression: an expression in RE2 syntax.',
      }),
      'PathPrefix',
    ),
    value: def(string({ maxLength: 1024, doc: 'The path to compare with.' }), '/'),
  },
  {
    doc: 'The path of the request, without its query. Upper and lower case differ.',
    rules: [
      literal("value must be an absolute path and start with '/'", (value) =>
        value.startsWith('/'),
      ),
      contains('//'),
      contains('/./'),
      contains('/../'),
      contains('%2f'),
      contains('%2F'),
      contains('#'),
      endsWith('/..'),
      endsWith('/.'),
      rule<Path>("type must be one of ['Exact', 'PathPrefix', 'RegularExpression']", ({ type }) =>
        ['Exact', 'PathPrefix', 'RegularExpression'].includes(type),
      ),
      rule<Path>(
        `must only contain valid characters (matching ${PATH_CHARACTERS}) for types ['Exact', 'PathPrefix']`,
        ({ type, value }) => type === 'RegularExpression' || pathCharacters.test(value),
      ),
    ],
  },
);

const valueMatchType = def(
  oneOf(['Exact', 'RegularExpression'], {
    doc: 'Exact: the value is the same. RegularExpression: an expression in RE2 syntax.',
  }),
  'Exact',
);

const HeaderMatch = object(
  { name: HeaderName, type: valueMatchType, value: HeaderValue },
  { doc: 'A header the request must have, and its value.' },
);

const QueryParamMatch = object(
  {
    name: string({
      minLength: 1,
      maxLength: 256,
      pattern: "^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$",
      doc: 'Name of the parameter; upper and lower case differ.',
    }),
    type: valueMatchType,
    value: string({ minLength: 1, maxLength: 1024, doc: 'The value to compare with.' }),
  },
  { doc: 'A query parameter the request must have, and its value. Of several, the first counts.' },
);

const wholeSite = { type: 'PathPrefix', value: '/' };

/** What matches when a rule does not say: every request. */
export const everyRequest = [{ path: wholeSite }];

const HTTPRouteMatch = object(
  {
    path: def(PathMatch, wholeSite),
    method: opt(oneOf(METHODS, { doc: 'The method of the request. Without it, any.' })),
    headers: opt(
      list(HeaderMatch, {
        listType: 'map',
        keys: ['name'],
        maxItems: 16,
        doc: 'Headers, all of which must match.',
      }),
    ),
    queryParams: opt(
      list(QueryParamMatch, {
        listType: 'map',
        keys: ['name'],
        maxItems: 16,
        doc: 'Query parameters, all of which must match.',
      }),
    ),
  },
  { doc: 'One sort of request: everything said here must be true of it.' },
);
export type HTTPRouteMatch = Infer<typeof HTTPRouteMatch>;

export const HTTPRouteMatches = list(HTTPRouteMatch, {
  listType: 'atomic',
  maxItems: 64,
  doc: 'Requests this rule is for: those that any one match fits. Where several rules fit, the most exact match wins: Exact path, longest prefix, method, headers, query parameters; then the oldest route. Without matches, every request.',
});
