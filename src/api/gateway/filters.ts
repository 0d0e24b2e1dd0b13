// The filters that HTTPRoute and GRPCRoute have in common: header changes, mirrors, and filters of
// the implementation's own. A filter is a type and the one field that belongs to it.

import { def, described, integer, list, object, opt, string } from '../schema/schema.ts';
import { HeaderName, HeaderValue } from './fields.ts';
import { BackendObjectReference, LocalObjectReference } from './references.ts';
import { rule } from './rules.ts';

const Header = object({ name: HeaderName, value: HeaderValue }, { doc: 'A header and its value.' });

const headerList = (doc: string) =>
  opt(list(Header, { listType: 'map', keys: ['name'], maxItems: 16, doc }));

/** Changes headers of requests or of responses. */
export function headerModifier(what: 'request' | 'response') {
  return object(
    {
      set: headerList('Headers to put in place of what is there.'),
      add: headerList('Headers to add to; what is there stays, the new value follows it.'),
      remove: opt(
        list(string({ doc: 'Name of a header; upper and lower case are the same.' }), {
          listType: 'set',
          maxItems: 16,
          doc: 'Headers to take away.',
        }),
      ),
    },
    { doc: `Changes headers of the ${what}. A header should be named in one of the lists only.` },
  );
}

interface Fraction {
  readonly numerator: number;
  readonly denominator: number;
}

export const RequestMirror = object(
  {
    backendRef: described(
      BackendObjectReference,
      'Where copies go. If it does not exist, nothing is mirrored and the route says so.',
    ),
    percent: opt(
      integer({
        format: 'int32',
        minimum: 0,
        maximum: 100,
        doc: 'How many of 100 requests are mirrored. Without percent and fraction, all.',
      }),
    ),
    fraction: opt(
      object(
        {
          numerator: integer({
            format: 'int32',
            minimum: 0,
            doc: 'How many requests out of denominator are mirrored.',
          }),
          denominator: def(
            integer({
              format: 'int32',
              minimum: 1,
              doc: 'Out of how many requests numerator are mirrored.',
            }),
            100,
          ),
        },
        {
          doc: 'Which part of the requests is mirrored, finer than percent can say.',
          rules: [
            rule<Fraction>(
              'numerator must be less than or equal to denominator',
              ({ numerator, denominator }) => numerator <= denominator,
            ),
          ],
        },
      ),
    ),
  },
  {
    doc: 'Sends a copy of requests to another backend as well, and forgets its answers.',
    rules: [
      rule<{ readonly percent?: number; readonly fraction?: Fraction }>(
        'Only one of percent or fraction may be specified in HTTPRequestMirrorFilter',
        ({ percent, fraction }) => percent === undefined || fraction === undefined,
      ),
    ],
  },
);

export const ExtensionRef = described(
  LocalObjectReference,
  'An object that says what to do, of a kind only this implementation knows.',
);
