// Servers and locations as ingress-nginx makes them → an nginx.conf that plain nginx runs, each directive
// where the template of ingress-nginx has it. What Lua does there (redirects to HTTPS, the choice of an
// endpoint) is said with directives that come at the same point. The oracle of differential tests.

import type { NginxConfig } from '../../src/resolve/ingress/nginx/config.ts';
import { isRewritten } from '../../src/resolve/ingress/nginx/servers.ts';
import type {
  LocationBackend,
  NginxLocation,
  NginxServer,
} from '../../src/resolve/ingress/nginx/servers.ts';
import type { CorsSettings, NginxSettings } from '../../src/resolve/ingress/nginx/settings.ts';

export interface NginxTemplateOptions {
  readonly config: NginxConfig;
  /** Where it listens, in plain text: `127.0.0.1:8080`. */
  readonly listen: string;
  /** Port of a second listener whose requests count as HTTPS; absent for none. */
  readonly secureListen?: string;
  /** Whether the host has a certificate. */
  readonly hasTls: (hostname: string) => boolean;
  /** `address:port` of a backend; null when it has no endpoint. */
  readonly addressOf: (backend: LocationBackend) => string | null;
  /** Folder for the files of nginx, which exists. */
  readonly directory: string;
  /** Files of basic auth, by Secret. */
  readonly passwordFile?: (secret: string) => string;
}

/** The configuration. Backends see which Service they are in the field X-Served-By. */
export function renderNginx(
  servers: readonly NginxServer[],
  options: NginxTemplateOptions,
): string {
  const { directory, config } = options;
  return [
    `pid ${directory}/nginx.pid;`,
    `error_log ${directory}/error.log warn;`,
    'daemon off;',
    'worker_processes 1;',
    'events { worker_connections 256; }',
    'http {',
    '  access_log off;',
    ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (kind) => `  ${kind}_temp_path ${directory}/${kind};`,
    ),
    '  server_names_hash_bucket_size 256;',
    '  port_in_redirect off;',
    '  underscores_in_headers ' + (config.enableUnderscores ? 'on;' : 'off;'),
    '  map $request_uri $trimmed_uri { "~^(?<kept>.*)/$" $kept; default $request_uri; }',
    '  map $http_upgrade $connection_upgrade { default upgrade; "" ""; }',
    ...(config.useForwardedHeaders
      ? [
          ...config.proxyRealIpCidr.map((range) => `  set_real_ip_from ${range};`),
          '  real_ip_header X-Forwarded-For;',
          '  real_ip_recursive on;',
        ]
      : []),
    ...limitZones(servers),
    ...servers.flatMap((server) => renderServer(server, options)),
    '}',
    '',
  ].join('\n');
}

/** What is counted apart: requests of each Ingress, by second and by minute. */
function limitZones(servers: readonly NginxServer[]): readonly string[] {
  const zones = new Set<string>();
  for (const { locations } of servers) {
    for (const location of locations) {
      for (const { zone, rate } of limitsOf(location)) {
        zones.add(`  limit_req_zone $binary_remote_addr zone=${zone}:1m rate=${rate};`);
      }
    }
  }
  return [...zones];
}

function limitsOf({ ingress, settings }: NginxLocation) {
  if (settings === null || ingress === null) return [];
  const name = `${ingress.metadata.namespace}_${ingress.metadata.name}`;
  const { rps, rpm, burstMultiplier } = settings.limits;
  return [
    ...(rps === 0
      ? []
      : [{ zone: `${name}_rps`, rate: `${rps}r/s`, burst: rps * burstMultiplier }]),
    ...(rpm === 0
      ? []
      : [{ zone: `${name}_rpm`, rate: `${rpm}r/m`, burst: rpm * burstMultiplier }]),
  ];
}

function renderServer(server: NginxServer, options: NginxTemplateOptions): readonly string[] {
  const { listen, secureListen } = options;
  const isDefault = server.hostname === '';
  const flag = isDefault ? ' default_server' : '';
  const names = [isDefault ? '_' : serverName(server.hostname), ...server.aliases];
  return [
    '  server {',
    `    server_name ${names.map((name) => `"${name}"`).join(' ')};`,
    `    listen ${listen}${flag};`,
    ...(secureListen === undefined ? [] : [`    listen ${secureListen}${flag};`]),
    `    set $pass_access_scheme http;`,
    ...(secureListen === undefined
      ? []
      : [
          `    if ($server_port = ${secureListen.split(':')[1]}) { set $pass_access_scheme https; }`,
        ]),
    ...server.locations.flatMap((location) => renderLocation(server, location, options)),
    '  }',
  ];
}

/** One label before the rest. */
function serverName(hostname: string): string {
  if (!hostname.startsWith('*.')) return hostname;
  return `~^(?<subdomain>[\\w-]+)\\.${hostname.slice(2).replaceAll('.', '\\.')}$`;
}

function quoteRegex(path: string): string {
  return path.replaceAll(/[\\"]/g, '\\$&');
}

function renderLocation(
  server: NginxServer,
  location: NginxLocation,
  options: NginxTemplateOptions,
): readonly string[] {
  const { settings } = location;
  const path = quoteRegex(location.path);
  const modifier = server.isRegex
    ? `~* "^${path}"`
    : location.pathType === 'Exact'
      ? `= "${path}"`
      : `"${path}"`;
  const before =
    (settings?.appRoot ?? '') === ''
      ? []
      : [`    if ($uri = /) { return 302 $scheme://$http_host${settings?.appRoot}; }`];
  return [
    ...before,
    `    location ${modifier} {`,
    ...renderBody(server, location, options).map((line) => `      ${line}`),
    '    }',
  ];
}

function renderBody(
  server: NginxServer,
  location: NginxLocation,
  options: NginxTemplateOptions,
): readonly string[] {
  const { settings } = location;
  if (settings === null) return renderProxy(location, options);
  if (settings.denied !== undefined) return ['return 503;'];
  const { deny, allow } = settings;
  return [
    ...deny.map((range) => `deny ${range};`),
    ...allow.map((range) => `allow ${range};`),
    ...(allow.length > 0 ? ['deny all;'] : []),
    ...(settings.cors === undefined ? [] : renderCors(settings.cors)),
    ...renderBasic(location, settings, options),
    ...(settings.bodyBytesMax >= 0 ? [`client_max_body_size ${settings.bodyBytesMax};`] : []),
    ...limitsOf(location).map(
      ({ zone, burst }) => `limit_req zone=${zone} burst=${burst} nodelay;`,
    ),
    `limit_req_status ${options.config.limitReqStatus};`,
    `proxy_cookie_path ${settings.cookiePath};`,
    `proxy_cookie_domain ${settings.cookieDomain};`,
    ...(['off', 'default'].includes(settings.redirectFrom)
      ? ['proxy_redirect off;']
      : [`proxy_redirect ${settings.redirectFrom} ${settings.redirectTo};`]),
    ...(settings.satisfy === 'any' ? ['satisfy any;'] : []),
    ...(settings.relativeRedirects ? ['absolute_redirect off;'] : []),
    ...(settings.redirect === undefined
      ? []
      : [`return ${settings.redirect.code} ${settings.redirect.url};`]),
    ...renderSecurity(server, location, settings, options),
    ...(isRewritten(location)
      ? [
          `rewrite "(?i)${quoteRegex(location.path)}" ${settings.rewriteTarget} break;`,
          ...(settings.xForwardedPrefix === ''
            ? []
            : [`proxy_set_header X-Forwarded-Prefix "${settings.xForwardedPrefix}";`]),
        ]
      : []),
    ...renderProxy(location, options),
  ];
}

function renderSecurity(
  server: NginxServer,
  location: NginxLocation,
  settings: NginxSettings,
  { config, hasTls }: NginxTemplateOptions,
): readonly string[] {
  if (config.noTlsRedirectLocations.some((prefix) => location.path.startsWith(prefix))) return [];
  const wants = settings.forceSslRedirect || (settings.sslRedirect && hasTls(server.hostname));
  if (!wants) return [];
  const target = settings.preserveTrailingSlash ? '$request_uri' : '$trimmed_uri';
  return [
    `if ($pass_access_scheme = http) { return ${config.httpRedirectCode} https://$host${target}; }`,
  ];
}

function renderCors(cors: CorsSettings): readonly string[] {
  const isAny = cors.origins.length === 1 && cors.origins[0] === '*';
  const origins = cors.origins.map((origin) => {
    const quoted = origin.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return `(${quoted.replace('\\*', '[A-Za-z0-9\\-]+')})`;
  });
  const actual: readonly (readonly [string, string])[] = [
    ['Access-Control-Allow-Origin', isAny ? '*' : '$http_origin'],
    ...(cors.credentials ? [['Access-Control-Allow-Credentials', 'true'] as const] : []),
    ['Access-Control-Allow-Methods', cors.methods],
    ['Access-Control-Allow-Headers', cors.headers],
    ...(cors.exposeHeaders === ''
      ? []
      : [['Access-Control-Expose-Headers', cors.exposeHeaders] as const]),
    ['Access-Control-Max-Age', String(cors.maxAge)],
  ];
  const headers = [
    `add_header Access-Control-Allow-Origin "${isAny ? '*' : '$http_origin'}" always;`,
    ...(cors.credentials ? ['add_header Access-Control-Allow-Credentials "true" always;'] : []),
    `add_header Access-Control-Allow-Methods "${cors.methods}" always;`,
    `add_header Access-Control-Allow-Headers "${cors.headers}" always;`,
    ...(cors.exposeHeaders === ''
      ? []
      : [`add_header Access-Control-Expose-Headers "${cors.exposeHeaders}" always;`]),
    `add_header Access-Control-Max-Age "${cors.maxAge}" always;`,
  ];
  return [
    "set $cors '';",
    isAny
      ? "set $cors 'true';"
      : `if ($http_origin ~* (${origins.join('|')})$ ) { set $cors 'true'; }`,
    "if ($request_method = 'OPTIONS') { set $cors ${cors}options; }",
    // An empty value is not sent; the controller's own directive takes conditions, add_header does not.
    ...actual.map((_, i) => `set $cors_${i} '';`),
    `if ($cors = "true") { ${actual.map(([, value], i) => `set $cors_${i} "${value}";`).join(' ')} }`,
    ...actual.map(([name], i) => `add_header ${name} $cors_${i} always;`),
    `if ($cors = "trueoptions") { ${headers.join(' ')} return 204; }`,
  ];
}

function renderBasic(
  location: NginxLocation,
  { basicAuth }: NginxSettings,
  { passwordFile, config }: NginxTemplateOptions,
): readonly string[] {
  if (basicAuth === undefined || passwordFile === undefined) return [];
  if (config.noAuthLocations.some((prefix) => location.path.startsWith(prefix))) return [];
  return [
    `auth_basic "${basicAuth.realm}";`,
    `auth_basic_user_file ${passwordFile(basicAuth.secret)};`,
    'proxy_set_header Authorization "";',
  ];
}

function renderProxy(location: NginxLocation, options: NginxTemplateOptions): readonly string[] {
  const { backend, settings } = location;
  // The server that answers for the default backend.
  const address = backend === null ? null : options.addressOf(backend);
  if (backend === null || address === null) {
    const status = backend === null ? 404 : 503;
    // A redirect for a missing slash needs a proxy_pass, as the template always has one.
    return [
      'proxy_set_header Host $http_host;',
      `proxy_set_header X-Answer ${status};`,
      `proxy_pass http://${options.addressOf(FAILING) ?? '127.0.0.1:1'};`,
    ];
  }
  const { name = '', port } = backend.ref.service ?? {};
  const vhost = settings?.upstreamVhost ?? '';
  return [
    `proxy_set_header Host ${vhost === '' ? '$http_host' : `"${vhost}"`};`,
    'proxy_set_header X-Real-IP $remote_addr;',
    'proxy_set_header X-Forwarded-For $remote_addr;',
    'proxy_set_header X-Forwarded-Host $http_host;',
    'proxy_set_header X-Forwarded-Proto $pass_access_scheme;',
    'proxy_set_header X-Forwarded-Scheme $pass_access_scheme;',
    'proxy_set_header X-Scheme $pass_access_scheme;',
    'proxy_set_header X-Original-Forwarded-For $http_x_forwarded_for;',
    'proxy_set_header Proxy "";',
    `proxy_set_header X-Served-By "${backend.origin.namespace}/${name}:${port?.name ?? port?.number ?? ''}";`,
    'proxy_http_version 1.1;',
    `proxy_pass http://${address};`,
  ];
}

/** Stands for the place that answers with the status it is told. */
export const FAILING: LocationBackend = {
  ref: {},
  origin: { kind: '', namespace: '', name: '', field: '' },
};
