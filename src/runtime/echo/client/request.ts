// The command line of echo-advanced's `client` as one description of the requests to send.
//
//   client http://echo:80/path --method=GET -H x-a:1 --count=20

import { parseDuration } from '../duration.ts';
import { EchoStartError } from '../errors.ts';
import { parseFlags, type Flags } from '../flags.ts';
import { parseInteger } from '../go-url.ts';

export interface ClientRequest {
  /** As given. */
  readonly url: string;
  readonly scheme: 'http' | 'https' | 'grpc' | 'tcp' | 'udp';
  readonly host: string;
  readonly port: number;
  /** `host:port` as written in the URL. */
  readonly authority: string;
  /** Path and query exactly as given; "/" if there is none. */
  readonly path: string;
  readonly method: string;
  /** Without Host, names as given. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The Host header, which becomes authority and SNI; empty if none was given. */
  readonly hostHeader: string;
  readonly count: number;
  /** Requests started per second; 0 for all at once. */
  readonly perSecond: number;
  /** For the whole set of requests. */
  readonly timeoutMs: number;
  /** What TCP, UDP and gRPC send. */
  readonly message: string;
  /** What an answer over TCP or UDP must contain. */
  readonly expected: string;
  readonly isHttp2: boolean;
  readonly isServerFirst: boolean;
  readonly family: 0 | 4 | 6;
  readonly tls: {
    readonly serverName: string;
    readonly alpn: readonly string[] | undefined;
    readonly caPath: string;
    readonly certPath: string;
    readonly keyPath: string;
    readonly isVerified: boolean;
  };
}

const FLAGS = {
  flags: {
    count: 'value',
    qps: 'value',
    timeout: 'value',
    header: 'value',
    method: 'value',
    msg: 'value',
    expect: 'value',
    http2: 'switch',
    'server-first': 'switch',
    'new-connection-per-request': 'switch',
    ipv4: 'switch',
    ipv6: 'switch',
    ca: 'value',
    'client-cert': 'value',
    'client-key': 'value',
    'insecure-skip-verify': 'switch',
    'server-name': 'value',
    alpn: 'value',
  },
  letters: { H: 'header', k: 'insecure-skip-verify', '4': 'ipv4', '6': 'ipv6' },
} as const;

const COUNT_MAX = 100_000;

/** Throws EchoStartError with the real client's sentence if it would refuse the command line. */
export function readClientRequest(args: readonly string[]): ClientRequest {
  const flags = parseFlags(args, FLAGS);
  const [given = '', ...more] = flags.words;
  if (given === '' || more.length > 0)
    throw refuse(`accepts 1 arg(s), received ${flags.words.length}`);
  const headers = readHeaders(flags);
  return {
    ...readUrl(/^[a-z][a-z0-9+.-]*:/i.test(given) ? given : `http://${given}`),
    ...readTimes(flags),
    method: flags.last('method') || 'GET',
    headers: headers.filter(([name]) => name.toLowerCase() !== 'host'),
    hostHeader: headers.findLast(([name]) => name.toLowerCase() === 'host')?.[1] ?? '',
    message: flags.last('msg') ?? 'HelloWorld',
    expected: flags.last('expect') ?? 'StatusCode=200',
    isHttp2: flags.isOn('http2'),
    isServerFirst: flags.isOn('server-first'),
    family: flags.isOn('ipv4') ? 4 : flags.isOn('ipv6') ? 6 : 0,
    tls: {
      serverName: flags.last('server-name') ?? '',
      alpn: flags.all('alpn').length === 0 ? undefined : flags.list('alpn'),
      caPath: flags.last('ca') ?? '',
      certPath: flags.last('client-cert') ?? '',
      keyPath: flags.last('client-key') ?? '',
      // Without an authority nothing could be verified, and the real client does not try.
      isVerified: flags.all('ca').length > 0 && !flags.isOn('insecure-skip-verify'),
    },
  };
}

/** `-H a:1,b:2` is two headers: the real client reads the flag as a list. */
function readHeaders(flags: Flags): (readonly [string, string])[] {
  return flags.list('header').map((header) => {
    const colon = header.indexOf(':');
    if (colon === -1)
      throw refuse(`invalid header format: ${JSON.stringify(header)} (want name:value)`);
    return [header.slice(0, colon), header.slice(colon + 1).trim()];
  });
}

function readTimes(flags: Flags): Pick<ClientRequest, 'count' | 'perSecond' | 'timeoutMs'> {
  const count = parseInteger(flags.last('count') ?? '1');
  const perSecond = parseInteger(flags.last('qps') ?? '0');
  const timeout = parseDuration(flags.last('timeout') ?? '5s');
  if (count === undefined || count > COUNT_MAX)
    throw refuse(`invalid argument "${flags.last('count')}" for "--count"`);
  if (perSecond === undefined) throw refuse(`invalid argument "${flags.last('qps')}" for "--qps"`);
  if (!timeout.ok) throw refuse(timeout.error);
  return {
    count: Math.max(1, count),
    perSecond: Math.max(0, perSecond),
    timeoutMs: timeout.durationMs || 5_000,
  };
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

function readUrl(
  url: string,
): Pick<ClientRequest, 'url' | 'scheme' | 'host' | 'port' | 'authority' | 'path'> {
  const [, scheme = '', authority = '', path = ''] =
    /^([^:]+):(?:\/\/([^/?#]*)(.*))?$/s.exec(url) ?? [];
  const known = scheme.toLowerCase();
  if (!isScheme(known)) throw refuse(`no protocol handler found for scheme ${scheme || url}`);
  const [, bracketed, plain = '', portText] =
    /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/.exec(authority) ?? [];
  const host = bracketed ?? plain;
  const port = portText ? Number(portText) : (DEFAULT_PORTS[known] ?? 0);
  if (host === '' || port === 0) throw refuse(`no host or port in ${url}`);
  return {
    url,
    scheme: known,
    host,
    port,
    authority,
    path: path.startsWith('/') ? path : `/${path}`,
  };
}

function isScheme(text: string): text is ClientRequest['scheme'] {
  return ['http', 'https', 'grpc', 'tcp', 'udp'].includes(text);
}

function refuse(message: string): EchoStartError {
  return new EchoStartError('FW_ECHO_CONFIG', message);
}
