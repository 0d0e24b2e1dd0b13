// Tables of Ingresses and requests, by family of annotations: what nginx-families.test.ts asks.

export interface Asked {
  readonly method?: string;
  readonly host: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: { readonly bytes: number; readonly chunked?: boolean };
}

export interface FamilyIngress {
  readonly host: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly paths?: readonly string[];
  /** Absent: a. */
  readonly service?: string;
}

export interface Family {
  readonly name: string;
  readonly ingresses: readonly FamilyIngress[];
  readonly requests: readonly Asked[];
  /** Of the ConfigMap. */
  readonly options?: Readonly<Record<string, string>>;
  /** Where nginx alone cannot say it: the answer, and the backend that gives it. */
  readonly expects?: (asked: Asked) => { readonly status: number; readonly name?: string };
}

function product<A, B, R>(as: readonly A[], bs: readonly B[], make: (a: A, b: B) => R): R[] {
  return as.flatMap((a) => bs.map((b) => make(a, b)));
}

/** One host for each set of annotations. */
function hosts(
  sets: readonly (readonly [
    annotations: Readonly<Record<string, string>>,
    paths?: readonly string[],
  ])[],
): readonly FamilyIngress[] {
  return sets.map(([annotations, paths], i) => ({
    host: `h${i}.example`,
    annotations,
    ...(paths === undefined ? {} : { paths }),
  }));
}

const TARGETS = [
  '/',
  '/a',
  '/a/',
  '/a/b',
  '/a/b/c?x=1&y=2',
  '/A/B',
  '/ab',
  '/a.c',
  '/api/v1/items',
  '/api/v12/',
  '/a%20b',
  '/a//b',
  '/a/../b',
  '/x?next=/a',
  '/caf%C3%A9/1',
  '/old/page.html',
];

function ofAll(
  ingresses: readonly FamilyIngress[],
  targets: readonly string[],
  headers: Readonly<Record<string, string>> = {},
): readonly Asked[] {
  return product(ingresses, targets, ({ host }, target) => ({ host, target, headers }));
}

const rewrites = hosts([
  [{ 'rewrite-target': '/$2' }, ['/a(/|$)(.*)']],
  [{ 'rewrite-target': '/$1' }, ['/(.*)']],
  [{ 'rewrite-target': '/' }, ['/a']],
  [{ 'rewrite-target': '/', 'use-regex': 'true' }, ['/']],
  [{ 'rewrite-target': '/v2/$1/$2' }, ['/api/v(\\d+)/(.*)']],
  [{ 'rewrite-target': '/q?path=$1' }, ['/a/(.*)']],
  [{ 'rewrite-target': '/new/$1', 'x-forwarded-prefix': '/old' }, ['/old/(.*)']],
  [{ 'use-regex': 'true' }, ['/a/[a-z]+', '/a', '/api/v\\d+$']],
  [{}, ['/a', '/a/b', '/api']],
]);

const redirects = hosts([
  [{ 'permanent-redirect': 'https://new.example/here' }],
  [{ 'permanent-redirect': 'https://new.example', 'permanent-redirect-code': '308' }],
  [{ 'temporal-redirect': 'https://new.example$request_uri' }],
  [{ 'temporal-redirect': 'https://new.example', 'temporal-redirect-code': '307' }],
  [{ 'temporal-redirect': 'https://t.example', 'permanent-redirect': 'https://p.example' }],
  [{ 'app-root': '/app' }],
  [{ 'app-root': '/app/start?x=1' }, ['/', '/a']],
  [{ 'force-ssl-redirect': 'true' }],
  [{ 'force-ssl-redirect': 'true', 'preserve-trailing-slash': 'true' }],
  [{ 'permanent-redirect': 'https://new.example/$1', 'use-regex': 'true' }, ['/a/(.*)', '/x']],
  [{ 'relative-redirects': 'true' }, ['/a/', '/api/v1/']],
  [{}, ['/a/', '/api/v1/']],
]);

const ADDRESSES = [
  '10.0.0.1',
  '10.1.2.3',
  '192.168.1.7',
  '192.168.2.7',
  '172.16.0.9',
  '8.8.8.8',
  '1.1.1.1',
  '203.0.113.9',
  '10.0.0.1, 8.8.8.8',
  '8.8.8.8, 10.0.0.1',
  '1.1.1.1, 203.0.113.9, 127.0.0.1',
  '2001:db8::1',
  '2001:db9::1',
  'nonsense',
];

const ranges = hosts([
  [{ 'allowlist-source-range': '10.0.0.0/8' }],
  [{ 'whitelist-source-range': '10.0.0.0/16,192.168.1.0/24' }],
  [{ 'denylist-source-range': '8.8.8.8' }],
  [{ 'denylist-source-range': '10.1.0.0/16', 'allowlist-source-range': '10.0.0.0/8' }],
  [{ 'denylist-source-range': '0.0.0.0/0' }],
  [{ 'allowlist-source-range': '2001:db8::/32' }],
  [{ 'allowlist-source-range': '127.0.0.1,203.0.113.0/24' }],
  [{}],
]);

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const CREDENTIALS = [
  undefined,
  basic('joe:secret'),
  basic('joe:Secret'),
  basic('joe:'),
  basic('ann:pass'),
  basic('ann:pass '),
  basic('nobody:secret'),
  basic(':secret'),
  basic('joe'),
  'Basic',
  'Basic !!!',
  'Bearer abc',
  `basic ${Buffer.from('joe:secret').toString('base64')}`,
  basic('joe:secret:more'),
];
const AUTH = { 'auth-type': 'basic', 'auth-secret': 'users', 'auth-realm': 'Members only' };
const passwords = hosts([
  [AUTH],
  [{ ...AUTH, 'auth-realm': '' }],
  [{ ...AUTH, satisfy: 'any', 'allowlist-source-range': '127.0.0.0/8' }],
  [{ ...AUTH, satisfy: 'any', 'allowlist-source-range': '10.0.0.0/8' }],
  [{ ...AUTH, satisfy: 'all', 'allowlist-source-range': '10.0.0.0/8' }],
  [{ ...AUTH, satisfy: 'any', 'denylist-source-range': '127.0.0.1' }],
  [{ ...AUTH, satisfy: 'any' }],
  [{ ...AUTH, 'temporal-redirect': 'https://new.example' }],
]);

const bodies = hosts([
  [{ 'proxy-body-size': '1k' }],
  [{ 'proxy-body-size': '8k' }],
  [{ 'proxy-body-size': '10' }],
  [{ 'proxy-body-size': '0' }],
  [{}],
]);
const SIZES = [0, 1, 9, 10, 11, 1023, 1024, 1025, 8191, 8192, 8193, 20_000];

const cors = hosts([
  [{ 'enable-cors': 'true' }],
  [{ 'enable-cors': 'true', 'cors-allow-origin': 'https://a.example' }],
  [{ 'enable-cors': 'true', 'cors-allow-origin': 'https://*.b.example, http://c.example:8080' }],
  [
    {
      'enable-cors': 'true',
      'cors-allow-methods': 'GET, PUT',
      'cors-allow-headers': 'X-One, X-Two',
      'cors-expose-headers': 'X-Three',
      'cors-max-age': '60',
    },
  ],
  [{ 'enable-cors': 'true', 'cors-allow-credentials': 'false' }],
  [{}],
]);
const ORIGINS = [
  undefined,
  'https://a.example',
  'http://a.example',
  'https://x.b.example',
  'https://x.y.b.example',
  'http://c.example:8080',
  'https://evil.example',
];

const limits = hosts([
  [{ 'limit-rpm': '1' }],
  [{ 'limit-rpm': '2' }],
  [{ 'limit-rpm': '3', 'limit-burst-multiplier': '1' }],
  [{ 'limit-rpm': '1', 'limit-burst-multiplier': '3' }],
  [{ 'limit-rpm': '2', 'limit-burst-multiplier': '2' }],
  [{ 'limit-rpm': '1', 'limit-allowlist': '10.0.0.0/8' }],
  [{ 'limit-rpm': '4', 'limit-burst-multiplier': '1' }],
]);

const COOKIES = [
  'a=1; Path=/',
  'a=1; Path=/app',
  'a=1; Path=/app/deep; HttpOnly',
  'a=1; path=/APP; Secure',
  'a=1',
  'a=1; Domain=inner.example',
  'a=1; Domain=.inner.example; Path=/app',
  'a=1; domain=INNER.example',
  'a=1; Domain=sub.inner.example',
  'a=1; Path=/app; SameSite=Lax~b=2; Path=/other',
  'a="x; y"; Path=/app',
  'a=1; Path=',
];
const cookies = hosts([
  [{ 'proxy-cookie-path': '/app /outer' }],
  [{ 'proxy-cookie-path': '/ /root/' }],
  [{ 'proxy-cookie-path': '/app/ /' }],
  [{ 'proxy-cookie-domain': 'inner.example outer.example' }],
  [{ 'proxy-cookie-domain': '.inner.example outer.example' }],
  [{ 'proxy-cookie-path': '/app /o', 'proxy-cookie-domain': 'inner.example outer.example' }],
  [{ 'proxy-cookie-path': '/nothing /o' }],
  [{ 'proxy-cookie-path': 'off' }],
  [{}],
]);

const LOCATIONS = [
  'http://inner.example/',
  'http://inner.example/app',
  'http://inner.example:8080/app?x=1',
  'https://inner.example/app',
  'http://other.example/',
  '/app',
  '/app/x',
  '/',
  'app/relative',
  'http://inner.example',
  '//inner.example/app',
  'http://INNER.example/app',
];
const moved = hosts([
  [{ 'proxy-redirect-from': 'http://inner.example/', 'proxy-redirect-to': 'https://o.example/' }],
  [{ 'proxy-redirect-from': 'http://inner.example/app', 'proxy-redirect-to': '/outer' }],
  [{ 'proxy-redirect-from': '/app', 'proxy-redirect-to': '/outer' }],
  [{ 'proxy-redirect-from': 'http://inner.example:8080/', 'proxy-redirect-to': '/eight/' }],
  [{ 'proxy-redirect-from': '/', 'proxy-redirect-to': '/all/' }],
  [{ 'proxy-redirect-from': 'off', 'proxy-redirect-to': '/x' }],
  [{ 'proxy-redirect-from': 'https://inner.example/', 'proxy-redirect-to': 'http://o.example/' }],
  [{}],
  [{ 'proxy-redirect-from': 'http://', 'proxy-redirect-to': 'https://' }],
]);

const NAMES = hosts([
  [{ 'upstream-vhost': 'inner.example' }],
  [{ 'server-alias': 'alias.example,other.example' }],
  [{ 'server-alias': '*.wild.example' }],
  [{}],
]);
const ASKED_NAMES = [
  ...NAMES.map(({ host }) => host),
  'H0.EXAMPLE',
  'h1.example:8080',
  'alias.example',
  'other.example',
  'Alias.Example:80',
  'x.wild.example',
  'x.y.wild.example',
  'wild.example',
  'unknown.example',
  'h0.example.evil',
];

interface CanaryTable {
  readonly annotations: Readonly<Record<string, string>>;
  readonly header?: string;
  readonly value?: string;
  readonly pattern?: RegExp;
  readonly cookie?: string;
  readonly weight: number;
}
const SURE: readonly CanaryTable[] = [
  { annotations: { 'canary-by-header': 'X-Try' }, header: 'x-try', weight: 0 },
  {
    annotations: { 'canary-by-header': 'X-Try', 'canary-by-header-value': 'new' },
    header: 'x-try',
    value: 'new',
    weight: 0,
  },
  {
    annotations: { 'canary-by-header': 'X-Try', 'canary-by-header-pattern': '^ne.$|beta' },
    header: 'x-try',
    pattern: /^ne.$|beta/,
    weight: 0,
  },
  { annotations: { 'canary-by-cookie': 'try' }, cookie: 'try', weight: 0 },
  {
    annotations: { 'canary-by-header': 'X-Try', 'canary-by-cookie': 'try', 'canary-weight': '100' },
    header: 'x-try',
    cookie: 'try',
    weight: 100,
  },
  {
    annotations: {
      'canary-by-header': 'X-Try',
      'canary-by-header-value': 'new',
      'canary-by-cookie': 'try',
      'canary-weight': '0',
    },
    header: 'x-try',
    value: 'new',
    cookie: 'try',
    weight: 0,
  },
  { annotations: { 'canary-weight': '100' }, weight: 100 },
];
const TRIES = [undefined, 'always', 'never', 'new', 'net', 'a beta b', 'Always'];
const TRY_COOKIES = [undefined, 'try=always', 'try=never', 'x=1; try=always', 'try=other'];

/** As the documents of ingress-nginx have it: header, then cookie, then weight. */
function chosen(asked: Asked): { status: number; name: string } {
  const index = Number(/\d+/.exec(asked.host)?.[0]);
  const table = SURE[index] as CanaryTable;
  const { header, value, pattern, cookie, weight } = table;
  const tried = header === undefined ? undefined : asked.headers?.[header];
  const to = (isCanary: boolean) => ({ status: 200, name: isCanary ? 'b' : `m${index}` });
  if (tried !== undefined) {
    if (value !== undefined) {
      if (tried === value) return to(true);
    } else if (pattern !== undefined) {
      if (pattern.test(tried)) return to(true);
    } else if (tried === 'always' || tried === 'never') return to(tried === 'always');
  }
  const crumb = cookie === undefined ? null : /\btry=(\w+)/.exec(asked.headers?.['cookie'] ?? '');
  if (crumb?.[1] === 'always' || crumb?.[1] === 'never') return to(crumb[1] === 'always');
  return to(weight === 100);
}

const defined = (entries: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(entries).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );

export const FAMILIES: readonly Family[] = [
  { name: 'rewrites and expressions', ingresses: rewrites, requests: ofAll(rewrites, TARGETS) },
  { name: 'redirects', ingresses: redirects, requests: ofAll(redirects, TARGETS) },
  {
    name: 'addresses behind proxies',
    options: {
      'use-forwarded-headers': 'true',
      'proxy-real-ip-cidr': '127.0.0.0/8,203.0.113.0/24',
    },
    ingresses: ranges,
    requests: product(ranges, ADDRESSES, ({ host }, from) => ({
      host,
      target: '/',
      headers: { 'x-forwarded-for': from },
    })),
  },
  {
    name: 'addresses',
    ingresses: ranges,
    requests: product(ranges, ADDRESSES, ({ host }, from) => ({
      host,
      target: '/',
      headers: { 'x-forwarded-for': from },
    })),
  },
  {
    name: 'names and passwords',
    ingresses: passwords,
    requests: product(passwords, CREDENTIALS, ({ host }, authorization) => ({
      host,
      target: '/',
      headers: defined({ authorization }),
    })),
  },
  {
    name: 'sizes of bodies',
    ingresses: bodies,
    requests: product(bodies, SIZES, ({ host }, bytes) =>
      bytes === 0
        ? []
        : [
            { method: 'POST', host, target: '/', body: { bytes } },
            { method: 'PUT', host, target: '/x', body: { bytes, chunked: true } },
          ],
    ).flat(),
  },
  {
    name: 'CORS',
    ingresses: cors,
    requests: product(cors, ORIGINS, ({ host }, origin) =>
      ['GET', 'POST', 'OPTIONS'].map((method) => ({
        method,
        host,
        target: '/',
        headers: defined({ origin }),
      })),
    ).flat(),
  },
  {
    name: 'requests per minute',
    ingresses: limits,
    requests: ofAll(
      limits,
      Array.from({ length: 22 }, (_, i) => `/${i}`),
    ),
  },
  {
    name: 'cookies of backends',
    ingresses: cookies,
    requests: product(cookies, COOKIES, ({ host }, cookie) => ({
      host,
      target: '/',
      headers: { 'x-give-cookie': cookie },
    })),
  },
  {
    name: 'redirects of backends',
    ingresses: moved,
    requests: product(moved, LOCATIONS, ({ host }, location) => ({
      host,
      target: '/',
      headers: { 'x-give-location': location, 'x-answer': '302' },
    })),
  },
  {
    name: 'names of hosts',
    ingresses: NAMES,
    requests: product(ASKED_NAMES, TARGETS.slice(0, 8), (host, target) => ({ host, target })),
  },
  {
    name: 'canaries',
    ingresses: SURE.flatMap(({ annotations }, i) => [
      // A canary is one of its backend: each has another.
      { host: `c${i}.example`, annotations: {}, service: `m${i}` },
      { host: `c${i}.example`, annotations: { canary: 'true', ...annotations }, service: 'b' },
    ]),
    requests: SURE.flatMap((_, i) =>
      product(TRIES, TRY_COOKIES, (tried, cookie) => ({
        host: `c${i}.example`,
        target: '/',
        headers: defined({ 'x-try': tried, cookie }),
      })),
    ),
    expects: chosen,
  },
];
