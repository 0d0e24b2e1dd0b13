// GatewayParameters: what Fairway lets be set for all Gateways of a class (GatewayClass.spec.parametersRef)
// and for one Gateway (Gateway.spec.infrastructure.parametersRef). A ConfigMap says the same with one key
// for each value, as `timeouts.head: 5s`.
//
//   apiVersion: fairway.dev/v1alpha1
//   kind: GatewayParameters
//   metadata: { name: behind-a-proxy }
//   spec:
//     clientAddress: { from: XForwardedFor, trustedProxies: [10.0.0.0/8] }
//     tls: { minVersion: '1.3' }

import { parseCidr } from '../../lib/cidr.ts';
import { FAIRWAY_GROUP } from '../fairway.ts';
import { duration, durationMs } from '../gateway/durations.ts';
import { defineKind } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { integer, list, object, oneOf, opt, string } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';

const doc = 'Settings for the Gateways of a class, or for one Gateway.';

const TIMEOUT_MS_MAX = 24 * 3_600_000;

const timeout = (text: string) =>
  opt(
    duration(text, [
      {
        message: 'must be more than 0s and at most 24h',
        check: (written: string) => {
          const ms = durationMs(written);
          return ms > 0 && ms <= TIMEOUT_MS_MAX;
        },
      },
    ]),
  );

const count = (minimum: number, maximum: number, text: string) =>
  opt(integer({ format: 'int32', minimum, maximum, doc: text }));

/** The settings. Every one may be left out, and is then that of the class, or the default. */
export const PARAMETERS = object(
  {
    limits: opt(
      object(
        {
          targetBytes: count(256, 65_536, 'Bytes of a request target; more is 414.'),
          headBytes: count(1024, 1_048_576, 'Bytes of a request head; more is 431.'),
          headFields: count(8, 1000, 'Header fields of a request; more is 431.'),
          streams: count(1, 1000, 'HTTP/2: requests a client may have under way at once.'),
        },
        { doc: 'How much a client may send at once.' },
      ),
    ),
    timeouts: opt(
      object(
        {
          head: timeout('From the first byte of a request to the end of its head; then 408.'),
          bodyIdle: timeout('Without a byte of a body; then the request is given up.'),
          keepAlive: timeout('Without a request; then the connection is closed.'),
          handshake: timeout('For a TLS handshake; then the connection is closed.'),
        },
        { doc: 'How long clients may take.' },
      ),
    ),
    tls: opt(
      object(
        {
          minVersion: opt(
            oneOf(['1.2', '1.3'], { doc: 'The oldest version of TLS that is taken.' }),
          ),
        },
        { doc: 'Where TLS of clients ends.' },
      ),
    ),
    clientAddress: opt(
      object(
        {
          from: oneOf(['XForwardedFor', 'ProxyProtocol'], {
            doc: 'What proxies in front say it by: the header X-Forwarded-For, or the PROXY protocol, version 1 or 2.',
          }),
          trustedProxies: list(
            string({
              maxLength: 43,
              doc: 'An address or a network, as 10.0.0.0/8.',
              rules: [
                {
                  message: 'must be an address or a network, such as 10.0.0.0/8 or fd00::/8',
                  check: (written: string) => parseCidr(written) !== undefined,
                },
              ],
            }),
            {
              listType: 'set',
              minItems: 1,
              maxItems: 64,
              doc: 'Whose word is taken. What others say of the address is left out.',
            },
          ),
        },
        { doc: 'Who the client is, when proxies stand in front. Without it: who connects.' },
      ),
    ),
  },
  { doc: 'The settings. What is left out is that of the class, or the default.' },
);
export type Parameters = Infer<typeof PARAMETERS>;

const schema = object({ ...typeMeta, metadata: ObjectMeta, spec: PARAMETERS }, { doc });
export type GatewayParameters = Infer<typeof schema>;

export const GatewayParameters = defineKind<GatewayParameters>({
  group: FAIRWAY_GROUP,
  version: 'v1alpha1',
  kind: 'GatewayParameters',
  plural: 'gatewayparameters',
  namespaced: true,
  doc,
  schema,
  hasGeneration: true,
});
