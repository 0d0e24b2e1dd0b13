// XBackendTrafficPolicy (experimental): limits on retries, and session persistence, for a Service as
// a whole, whichever route leads there.

import { defineKind } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { def, described, integer, list, object, opt } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { PolicyStatus } from './conditions.ts';
import { duration, durationMs } from './durations.ts';
import { EXPERIMENTAL_GROUP } from './fields.ts';
import { LocalObjectReference } from './references.ts';
import { rule } from './rules.ts';
import { SessionPersistence } from './sessionpersistence.ts';

const doc = 'Limits retries to a Service, or keeps its clients on one pod, for all routes at once.';

const HOUR_MS = 3_600_000;

const Budget = object(
  {
    percent: def(
      integer({
        minimum: 0,
        maximum: 100,
        doc: 'How many of 100 requests within interval may be retries.',
      }),
      20,
    ),
    interval: def(
      duration('The time over which requests are counted: one second to one hour.', [
        rule<string>(
          'interval cannot be greater than one hour or less than one second',
          (self) => durationMs(self) >= 1000 && durationMs(self) <= HOUR_MS,
        ),
      ]),
      '10s',
    ),
  },
  { doc: 'The share of retries above which no more are made.' },
);

const MinRetryRate = object(
  {
    count: opt(
      integer({ minimum: 1, maximum: 1_000_000, doc: 'Number of retries within interval.' }),
    ),
    interval: opt(
      duration('The time count is for: up to one hour.', [
        rule<string>(
          'interval cannot be greater than one hour',
          (self) => durationMs(self) !== 0 && durationMs(self) <= HOUR_MS,
        ),
      ]),
    ),
  },
  { doc: 'Retries that are allowed however few requests there are.' },
);

const schema = object(
  {
    ...typeMeta,
    metadata: ObjectMeta,
    spec: object(
      {
        targetRefs: list(described(LocalObjectReference, 'A backend, such as a Service.'), {
          listType: 'map',
          keys: ['group', 'kind', 'name'],
          minItems: 1,
          maxItems: 16,
          doc: 'The backends this policy is for, all of their ports.',
        }),
        retryConstraint: opt(
          object(
            {
              budget: def(Budget, { percent: 20, interval: '10s' }),
              minRetryRate: def(MinRetryRate, { count: 10, interval: '1s' }),
            },
            { doc: 'Keeps retries from making a bad moment worse. Routes say what is retried.' },
          ),
        ),
        sessionPersistence: opt(SessionPersistence),
      },
      { doc: 'Which backends, and what holds for them.' },
    ),
    status: opt(PolicyStatus),
  },
  { doc },
);
export type XBackendTrafficPolicy = Infer<typeof schema>;

export const XBackendTrafficPolicy = defineKind<XBackendTrafficPolicy>({
  group: EXPERIMENTAL_GROUP,
  version: 'v1alpha1',
  kind: 'XBackendTrafficPolicy',
  plural: 'xbackendtrafficpolicies',
  shortNames: ['xbtrafficpolicy'],
  categories: ['gateway-api'],
  namespaced: true,
  doc,
  schema,
  hasStatus: true,
  hasGeneration: true,
});
