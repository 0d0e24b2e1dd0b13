// Session persistence (experimental): how the requests of one client keep going to one backend pod.

import { def, object, oneOf, opt, string } from '../schema/schema.ts';
import { duration } from './durations.ts';
import { rule } from './rules.ts';

interface Session {
  readonly type: string;
  readonly cookieConfig?: { readonly lifetimeType: string };
  readonly absoluteTimeout?: string;
}

export const SessionPersistence = object(
  {
    type: def(
      oneOf(['Cookie', 'Header'], { doc: 'What carries the session: a cookie or a header.' }),
      'Cookie',
    ),
    sessionName: opt(
      string({
        maxLength: 128,
        doc: 'Name of the cookie or header. Without it, the implementation chooses one.',
      }),
    ),
    absoluteTimeout: opt(duration('A session ends after this time, used or not.')),
    cookieConfig: opt(
      object(
        {
          lifetimeType: def(
            oneOf(['Permanent', 'Session'], {
              doc: 'Session cookies end with the browser. Permanent ones last for absoluteTimeout, which they need.',
            }),
            'Session',
          ),
        },
        { doc: 'Settings of the cookie; only with type Cookie.' },
      ),
    ),
  },
  {
    doc: 'Keeps the requests of one client on one backend pod. Without it, every request is balanced afresh.',
    rules: [
      rule<Session>(
        'AbsoluteTimeout must be specified when cookie lifetimeType is Permanent',
        ({ cookieConfig, absoluteTimeout }) =>
          cookieConfig?.lifetimeType !== 'Permanent' || absoluteTimeout !== undefined,
      ),
      rule<Session>(
        'cookieConfig can only be set with type Cookie',
        ({ type, cookieConfig }) => cookieConfig === undefined || type === 'Cookie',
      ),
    ],
  },
);
