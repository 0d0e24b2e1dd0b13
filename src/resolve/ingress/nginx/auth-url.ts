// auth-url and what belongs to it → a question to a Service of the cluster. What cannot be asked is
// refused: a filter that asks nobody stands in its place.

import { ConfigMap } from '../../../api/core/config-map.ts';
import type { AuthFilter } from '../../../model/filter.ts';
import type { TextTemplate } from '../../../model/template.ts';
import type { Snapshot } from '../../../store/snapshot.ts';
import type { BackendUse } from '../../gateway/backends.ts';
import { problem } from '../../status/conditions.ts';
import type { Problem } from '../../status/conditions.ts';
import type { NginxConfig } from './config.ts';
import type { NginxLocation } from './servers.ts';
import { serviceOfUrl } from './service-url.ts';
import type { AuthUrlSettings, NginxSettings } from './settings.ts';
import { parseText } from './variables.ts';

export type ResolvedAuthUrl =
  | { readonly filter: AuthFilter; readonly use: BackendUse }
  | { readonly problem: Problem; readonly closed: AuthFilter };

const FIELD = 'metadata.annotations[nginx.ingress.kubernetes.io/auth-url]';

/** Undefined where nobody has to be asked. */
export function resolveAuthUrl(
  settings: NginxSettings,
  location: NginxLocation,
  snapshot: Snapshot,
  config: NginxConfig,
): ResolvedAuthUrl | undefined {
  const asked = settings.authUrl ?? globalAuth(settings, config);
  if (asked === undefined) return undefined;
  const { origin } = location;
  const namespace = location.ingress?.metadata.namespace ?? '';
  const use = serviceOfUrl(asked.url, namespace, snapshot);
  const path = /^https?:\/\/[^/?]+([^]*)$/.exec(asked.url)?.[1] ?? '';
  const { template, unknown } = parseText(path);
  const isFixed = template.every((part) => typeof part === 'string');
  if (use === undefined || unknown.length > 0 || !isFixed) {
    const why =
      use === undefined ? 'it is no Service of the cluster' : 'its path has variables in it';
    return {
      problem: problem(
        'AuthUrlUnusable',
        FIELD,
        `requests are answered with 403: ${asked.url} cannot be asked, ${why}`,
        'use http://NAME.NAMESPACE.svc:PORT/path of the service that is asked',
      ),
      closed: questionOf(asked, { key: asked.url, path: '/', host: '', headers: [], origin }),
    };
  }
  const host = /^https?:\/\/([^/:?]+)/.exec(asked.url)?.[1] ?? '';
  const headers = setHeaders(asked.proxySetHeaders, snapshot);
  return {
    use,
    filter: questionOf(asked, { key: use.key, path: path || '/', host, headers, origin }),
  };
}

function globalAuth(
  { enableGlobalAuth }: NginxSettings,
  { global }: NginxConfig,
): AuthUrlSettings | undefined {
  if (!enableGlobalAuth || global.url === '') return undefined;
  return { ...global, proxySetHeaders: '', alwaysSetCookie: false };
}

function questionOf(
  asked: AuthUrlSettings,
  about: {
    readonly key: string;
    readonly path: string;
    readonly host: string;
    readonly headers: readonly { readonly name: string; readonly value: TextTemplate }[];
    readonly origin: AuthFilter['origin'];
  },
): AuthFilter {
  const redirect = asked.requestRedirect === '' ? '$request_uri' : asked.requestRedirect;
  const tells = [
    { name: 'x-original-url', value: parseText('$scheme://$http_host$request_uri').template },
    { name: 'x-original-method', value: parseText('$request_method').template },
    { name: 'x-sent-from', value: ['nginx-ingress-controller'] },
    { name: 'x-real-ip', value: parseText('$remote_addr').template },
    { name: 'x-forwarded-for', value: parseText('$remote_addr').template },
    { name: 'x-request-id', value: parseText('$req_id').template },
    { name: 'x-auth-request-redirect', value: parseText(redirect).template },
    ...about.headers,
  ];
  return {
    kind: 'auth',
    backend: about.key,
    question: {
      protocol: 'http',
      method: asked.method === '' ? 'GET' : asked.method,
      ...(about.host === '' ? {} : { host: about.host }),
      path: { kind: 'fixed', value: about.path },
      sends: 'all',
      tells,
      takes: asked.responseHeaders.map((name) => name.toLowerCase()),
      returns: ['www-authenticate', 'set-cookie'],
      setsCookies: true,
      allows: '2xx',
      ...(asked.signin === '' ? {} : { signIn: signInOf(asked) }),
    },
    bodyBytesMax: 0,
    origin: about.origin,
  };
}

/** Where a client without a permission is sent, and how it finds its way back. */
function signInOf({ signin, redirectParam }: AuthUrlSettings): TextTemplate {
  const param = redirectParam === '' ? 'rd' : redirectParam;
  const query = signin.split('?')[1] ?? '';
  const back = `${param}=$pass_access_scheme://$http_host$escaped_request_uri`;
  const has = query
    .split('&')
    .some((pair) => pair.startsWith(`${param}=`) && pair.length > param.length + 1);
  if (has) return parseText(signin).template;
  return parseText(`${signin}${query === '' ? '?' : '&'}${back}`).template;
}

function setHeaders(key: string, snapshot: Snapshot) {
  if (key === '') return [];
  const [namespace = '', name = ''] = key.split('/');
  const data = snapshot.get(ConfigMap, namespace, name)?.data ?? {};
  return Object.entries(data)
    .filter(([header]) => /^[-A-Za-z0-9_]+$/.test(header))
    .map(([header, value]) => ({ name: header.toLowerCase(), value: parseText(value).template }));
}
