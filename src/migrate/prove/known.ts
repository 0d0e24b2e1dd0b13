// Differences that are known and have one explanation, whatever the rule: forms of paths and hosts that two
// proxies read differently, and what only one of them has. Each is recognized by asking once more without
// what it is about.

export interface KnownDifference {
  readonly id: string;
  readonly text: string;
}

/** What differs with every request, and is left out of what is compared. */
export const EVERYWHERE: readonly KnownDifference[] = [
  {
    id: 'told',
    text: 'ingress-nginx tells backends of the client in X-Real-IP, X-Request-ID, X-Scheme, X-Forwarded-Scheme, -Port, -Host, -Proto and -For, whatever the client said of itself; a Gateway does it in a way of its own',
  },
  {
    id: 'hsts',
    text: 'answers of the Gateway itself on HTTPS (404, redirects) have no Strict-Transport-Security; those of backends have it',
  },
  {
    id: 'limits',
    text: 'rates, times and retries are not asked: a single request does not show them',
  },
];

export const KNOWN = {
  normalized:
    'backends see paths with dots resolved, slashes merged and plain letters unescaped, and no longer the bytes that were sent',
  escapes: 'backends see the same path with other characters escaped',
  'path-forms':
    'paths with escapes, dots or doubled slashes: ingress-nginx undoes all of them before it looks for a rule; a Gateway refuses escaped slashes, and compares other escapes as they are',
  'host-forms':
    'a host with a port, in upper case or with a final dot stands in Location as the Gateway writes it',
  'no-certificate':
    'hosts without a certificate are not served by HTTPS any longer; ingress-nginx shows one that nobody trusts, and answers',
  'wildcard-labels': 'a wildcard takes any number of labels, and not one only',
  underscores: 'header fields with an underscore in their name reach backends',
  'body-size':
    'large bodies are not refused with 413 where no policy limits them, or no rule takes the request',
  'large-redirect':
    'requests with a body that is too large are answered with 413, and not redirected',
  'trusted-proxies':
    'what a proxy in front says of the client (X-Forwarded-*) decides nothing any longer',
  case: 'upper and lower case differ in prefixes that stand for expressions',
  segments:
    'a prefix that stands for an expression takes the path itself and whole segments below it, and not what only begins with it',
} as const;

export type KnownId = keyof typeof KNOWN;

/** What only a proxy says, in lower case. */
export const TOLD =
  /^(?:forwarded|x-real-ip|x-request-id|x-forwarded-(?:for|host|port|proto|scheme)|x-scheme|x-original-forwarded-(?:for|host)|proxy): /;
