// Who may ask, how often, and how large requests may be → a TrafficPolicy, as the standard has no fields
// for them. Where a policy cannot say it and others would be let in, the rule is closed.

import type { Action } from '../model/model.ts';
import type { NginxConfig } from '../resolve/ingress/nginx/config.ts';
import { parseSize } from '../resolve/ingress/nginx/settings.ts';
import { lose, saidBy, settingsOf } from './context.ts';
import type { Context } from './context.ts';
import type { Json } from './types.ts';

type JsonObject = { readonly [field: string]: Json };

/** Ranges one policy may list. */
const RANGES_MAX = 256;
const LIMITS = ['limit-rps', 'limit-rpm', 'limit-connections', 'limit-burst-multiplier'];
const SIZE = ['proxy-body-size'];
const TIMES = ['proxy-connect-timeout', 'proxy-read-timeout', 'proxy-send-timeout'];
export const ACCESS = [
  'whitelist-source-range',
  'allowlist-source-range',
  'denylist-source-range',
  'configuration-snippet',
  'server-snippet',
  'satisfy',
];
export const BASIC = ['auth-type', 'auth-secret', 'auth-secret-type', 'auth-realm', 'satisfy'];

export function translateGuard(
  context: Context,
  action: Action,
):
  | { readonly policy?: JsonObject }
  | { readonly closed: string; readonly annotations: readonly string[] } {
  const { guard, timeouts, origin } = action;
  if (guard === undefined && timeouts === undefined) return {};
  if (guard?.clientCertificate !== undefined) {
    return {
      closed:
        'clients must show a certificate here, which a Gateway asks of a whole port and not of a host',
      annotations: [
        'auth-tls-secret',
        'auth-tls-verify-client',
        'auth-tls-error-page',
        'auth-tls-match-cn',
        'auth-tls-pass-certificate-to-upstream',
      ],
    };
  }
  const hasAccess = guard?.clients !== undefined || guard?.basic !== undefined;
  if (context.standardOnly) {
    if (hasAccess) {
      const what =
        guard?.basic === undefined
          ? 'only some clients may ask, by their address'
          : 'a password is asked for';
      return {
        closed: `${what}, for which the standard has no field`,
        annotations: [...ACCESS, ...BASIC],
      };
    }
    const lost = saidBy(context, origin, [...LIMITS, ...SIZE, ...TIMES]);
    if (lost.length > 0)
      lose(
        context,
        action,
        'lost',
        lost,
        'the standard has no limits of rate and size, and no times for connecting and for silence',
      );
    return {};
  }
  const basic = basicOf(context, action);
  if (typeof basic === 'string') return { closed: basic, annotations: BASIC };
  const { deny = [], allow } = guard?.clients ?? {};
  if (deny.length > RANGES_MAX || (allow?.length ?? 0) > RANGES_MAX) {
    return {
      closed: `more than ${RANGES_MAX} networks are listed, and a TrafficPolicy takes no more`,
      annotations: ACCESS,
    };
  }
  const exempt = [
    ...(guard?.rates ?? []),
    ...(guard?.requests === undefined ? [] : [guard.requests]),
  ].some((r) => r.exempt.length > 0);
  if (exempt)
    lose(
      context,
      action,
      'lost',
      ['limit-allowlist', 'limit-whitelist'],
      'limits count everybody: a TrafficPolicy has no exceptions',
    );
  const policy: JsonObject = {
    ...(guard?.clients === undefined
      ? {}
      : {
          clients: {
            ...(allow === undefined ? {} : { allow }),
            ...(deny.length === 0 ? {} : { deny }),
          },
        }),
    ...basic,
    ...(guard?.satisfy === 'any' ? { satisfy: 'Any' } : {}),
    ...((guard?.rates.length ?? 0) === 0
      ? {}
      : {
          rateLimits: (guard?.rates ?? []).map(({ requests, perMs, burst, statusCode }) => ({
            requests,
            per: perMs === 60_000 ? '1m' : '1s',
            burst,
            statusCode,
          })),
        }),
    ...(guard?.requests === undefined
      ? {}
      : { concurrency: { max: guard.requests.max, statusCode: guard.requests.statusCode } }),
    ...(guard?.bodyBytesMax === undefined ? {} : { bodyBytesMax: guard.bodyBytesMax }),
    ...timesOf(action),
  };
  return Object.keys(policy).length === 0 ? {} : { policy };
}

/** What rules have whose Ingress says nothing. */
export function usualPolicy(config: NginxConfig): JsonObject {
  const bodyBytesMax = parseSize(config.bodySize) ?? 0;
  return {
    ...(bodyBytesMax > 0 ? { bodyBytesMax } : {}),
    ...timesOf({
      timeouts: {
        requestMs: 0,
        backendRequestMs: 0,
        connectMs: config.connectTimeout * 1000,
        idleMs: config.readTimeout * 1000,
      },
    }),
  };
}

function timesOf({ timeouts }: Pick<Action, 'timeouts'>): { timeouts?: JsonObject } {
  const { connectMs = 0, idleMs = 0 } = timeouts ?? {};
  if (connectMs === 0 && idleMs === 0) return {};
  return {
    timeouts: {
      ...(connectMs > 0 ? { connect: span(connectMs) } : {}),
      ...(idleMs > 0 ? { idle: span(idleMs) } : {}),
    },
  };
}

/** Durations have at most five digits. */
function span(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds > 99_999 ? `${Math.min(99_999, Math.round(seconds / 60))}m` : `${seconds}s`;
}

function basicOf(context: Context, action: Action): JsonObject | string {
  if (action.guard?.basic === undefined) return {};
  const basic = settingsOf(context, action.origin)?.basicAuth;
  const [namespace = '', name = ''] = (basic?.secret ?? '').split('/');
  if (basic === undefined || name === '') return 'a password is asked for, and nobody says of whom';
  if (basic.isMap)
    return 'passwords are kept as auth-map, which a TrafficPolicy does not read: keep them as htpasswd under the key auth';
  if (namespace !== action.origin.namespace)
    return `passwords are in namespace ${namespace}, which a TrafficPolicy does not read`;
  return { basicAuth: { secretRef: { name }, realm: basic.realm } };
}
