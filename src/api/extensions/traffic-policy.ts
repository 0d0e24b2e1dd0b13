// TrafficPolicy: what the Gateway API has no field for, attached to Gateways and HTTPRoutes (GEP-713,
// direct and overriding as a whole: the narrowest target's policy counts).
//
//   apiVersion: fairway.dev/v1alpha1
//   kind: TrafficPolicy
//   metadata: { name: inside-only }
//   spec:
//     targetRefs: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop, sectionName: admin }]
//     clients: { allow: [10.0.0.0/8] }

import { parseCidr } from '../../lib/cidr.ts';
import { FAIRWAY_GROUP } from '../fairway.ts';
import { PolicyStatus } from '../gateway/conditions.ts';
import { duration } from '../gateway/durations.ts';
import { defineKind } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { boolean, def, integer, list, object, oneOf, opt, string } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { rule } from '../gateway/rules.ts';

const doc =
  'Who may ask, how often and for how long: for all of a Gateway or an HTTPRoute, or a part.';

const networks = (text: string) =>
  opt(
    list(string({ minLength: 1, doc: 'An IP address, or a network as 10.0.0.0/8.' }), {
      listType: 'atomic',
      maxItems: 256,
      doc: text,
      rules: [
        rule<readonly string[]>('must be IP addresses or networks', (items) =>
          items.every((item) => parseCidr(item) !== undefined),
        ),
      ],
    }),
  );

const status = (text: string) => integer({ minimum: 400, maximum: 599, doc: text });

const Key = object(
  {
    type: oneOf(['ClientIP', 'Header', 'Cookie', 'QueryParam'], {
      doc: 'Where the text is found.',
    }),
    name: opt(string({ minLength: 1, maxLength: 256, doc: 'Of the header, cookie or parameter.' })),
  },
  { doc: 'A part of the request.' },
);

const schema = object(
  {
    ...typeMeta,
    metadata: ObjectMeta,
    spec: object(
      {
        targetRefs: list(
          object({
            group: oneOf(['gateway.networking.k8s.io'], { doc: 'Of the target.' }),
            kind: oneOf(['Gateway', 'HTTPRoute', 'GRPCRoute'], { doc: 'Of the target.' }),
            name: string({ minLength: 1, maxLength: 253, doc: 'Of the target.' }),
            sectionName: opt(
              string({
                minLength: 1,
                maxLength: 253,
                doc: 'A listener, or a rule with that name.',
              }),
            ),
          }),
          { listType: 'atomic', minItems: 1, maxItems: 16, doc: 'What the policy is for.' },
        ),
        clients: opt(
          object(
            { allow: networks('Nobody else may ask.'), deny: networks('They may not ask.') },
            { doc: 'Who may ask, by IP address; others are answered with 403.' },
          ),
        ),
        basicAuth: opt(
          object(
            {
              secretRef: object(
                { name: string({ minLength: 1, doc: 'Of the same namespace.' }) },
                {
                  doc: 'The Secret with names and hashed passwords, under the key auth, as htpasswd writes them.',
                },
              ),
              realm: def(string({ maxLength: 256, doc: 'What is asked for, for people.' }), ''),
            },
            { doc: 'Asks for a name and a password; without, the answer is 401.' },
          ),
        ),
        satisfy: def(
          oneOf(['All', 'Any'], { doc: 'Any: the address or the password is enough.' }),
          'All',
        ),
        rateLimits: opt(
          list(
            object({
              requests: integer({ minimum: 1, maximum: 1_000_000, doc: 'So many.' }),
              per: duration('In this time.'),
              burst: def(integer({ minimum: 0, maximum: 10_000_000, doc: 'More at once.' }), 0),
              statusCode: def(status('For those beyond.'), 429),
              key: opt(Key),
            }),
            {
              listType: 'atomic',
              maxItems: 8,
              doc: 'How often each client may ask, in each thread.',
            },
          ),
        ),
        concurrency: opt(
          object(
            {
              max: integer({
                minimum: 1,
                maximum: 1_000_000,
                doc: 'Requests of one client at once.',
              }),
              statusCode: def(status('For those beyond.'), 503),
            },
            { doc: 'How many requests of one client may be under way, in each thread.' },
          ),
        ),
        bodyBytesMax: opt(integer({ minimum: 1, doc: 'A longer body is answered with 413.' })),
        timeouts: opt(
          object(
            {
              connect: opt(duration('To connect to an endpoint.')),
              idle: opt(duration('Without a byte of the response.')),
            },
            { doc: 'What HTTPRoute has no times for.' },
          ),
        ),
        retryUnsafe: def(
          boolean({ doc: 'Retries of the rule are made for requests as POST, too.' }),
          false,
        ),
      },
      { doc: 'What the policy asks of requests.' },
    ),
    status: opt(PolicyStatus),
  },
  { doc },
);
export type TrafficPolicy = Infer<typeof schema>;

export const TrafficPolicy = defineKind<TrafficPolicy>({
  group: FAIRWAY_GROUP,
  version: 'v1alpha1',
  kind: 'TrafficPolicy',
  plural: 'trafficpolicies',
  namespaced: true,
  doc,
  schema,
  hasStatus: true,
  hasGeneration: true,
  columns: [
    {
      name: 'TARGETS',
      type: 'string',
      value: ({ spec }: TrafficPolicy) =>
        spec.targetRefs.map((t) => `${t.kind}/${t.name}`).join(','),
    },
  ],
});
