// Requests that were made, from a HAR file or an access log (common, combined, with a host in front, or
// JSON by line) → questions. Lines that cannot be read are named.

import type { RequestProbe } from '../../model/answer.ts';
import { textOf } from '../text.ts';
import type { Question } from './requests.ts';

export interface Recorded {
  readonly questions: readonly Question[];
  /** `access.log:12: …` */
  readonly troubles: readonly string[];
}

interface RecordedRequest {
  readonly method: string;
  readonly target: string;
  readonly host?: string;
  readonly scheme?: 'http' | 'https';
  readonly client?: string;
  readonly headers?: readonly (readonly [string, string])[];
}

/** Troubles that are named; more are counted. */
const TROUBLES_MAX = 20;
const METHOD = /^[A-Z]{3,20}$/;
/** host:port? client ident user [time] "METHOD target protocol" … */
const LINE =
  /^(?:(?<host>[A-Za-z0-9_.*-]+(?::\d+)?)\s+)?(?<client>[0-9a-fA-F.:]+|-|[A-Za-z0-9.-]+)\s+\S+\s+\S+\s+\[[^\]]*\]\s+"(?<request>(?:[^"\\]|\\.)*)"/;
/** Of the connection, and what a log invents. */
const NOT_SENT = /^(?::|host$|connection$|content-length$|transfer-encoding$|accept-encoding$)/i;

/** `hosts` are asked in turn where a log does not say which one was meant. */
export function readRecorded(file: string, text: string, hosts: readonly string[]): Recorded {
  const trimmed = text.trimStart();
  if (trimmed.startsWith('{') && /"log"\s*:/.test(trimmed.slice(0, 2000))) {
    const har = readHar(file, trimmed);
    if (har !== undefined) return finish(har.requests, har.troubles, hosts);
  }
  const requests: RecordedRequest[] = [];
  const troubles: string[] = [];
  text.split('\n').forEach((line, i) => {
    const plain = line.trim();
    if (plain === '') return;
    const read = plain.startsWith('{') ? readJsonLine(plain) : readLine(plain);
    if (typeof read === 'string') troubles.push(`${file}:${i + 1}: ${read}`);
    else requests.push(read);
  });
  return finish(requests, troubles, hosts);
}

function readHar(
  file: string,
  text: string,
): { requests: RecordedRequest[]; troubles: string[] } | undefined {
  let har: unknown;
  try {
    har = JSON.parse(text);
  } catch (error) {
    // Perhaps it is JSON by line after all.
    if (text.includes('\n{')) return undefined;
    return {
      requests: [],
      troubles: [
        `${file}: it is no JSON: ${error instanceof Error ? error.message : String(error)}`,
      ],
    };
  }
  const entries = (har as { log?: { entries?: unknown } }).log?.entries;
  if (!Array.isArray(entries)) return undefined;
  const requests: RecordedRequest[] = [];
  const troubles: string[] = [];
  entries.forEach((entry: unknown, i) => {
    const { method, url, headers } = ((entry as { request?: object } | null)?.request ??
      {}) as Record<string, unknown>;
    const read = typeof url === 'string' ? fromUrl(textOf(method) || 'GET', url) : 'it has no url';
    if (typeof read === 'string') {
      troubles.push(`${file}: entry ${i + 1}: ${read}`);
      return;
    }
    const list = Array.isArray(headers) ? (headers as { name?: unknown; value?: unknown }[]) : [];
    const fields = list.map(
      ({ name, value }) => [textOf(name).toLowerCase(), textOf(value)] as const,
    );
    requests.push({ ...read, headers: fields.filter(([name]) => usable(name)) });
  });
  return { requests, troubles };
}

function usable(name: string): boolean {
  return name !== '' && !NOT_SENT.test(name) && /^[-!#$%&'*+.^_`|~0-9A-Za-z]+$/.test(name);
}

function fromUrl(method: string, url: string): RecordedRequest | string {
  const found = /^(https?):\/\/([^/?#]+)([^#]*)/i.exec(url);
  if (found === null) return `"${url.slice(0, 80)}" is no URL`;
  if (!METHOD.test(method)) return `"${method.slice(0, 30)}" is no method`;
  const [, scheme = '', host = '', target = ''] = found;
  return {
    method,
    scheme: scheme.toLowerCase() === 'https' ? 'https' : 'http',
    host,
    target: target.startsWith('/') ? target : `/${target}`,
  };
}

function readLine(line: string): RecordedRequest | string {
  const found = LINE.exec(line);
  if (found === null) return 'it is no line of an access log (common, combined or JSON)';
  const { host, client = '', request = '' } = found.groups ?? {};
  const read = readRequestLine(request);
  if (typeof read === 'string') return read;
  return {
    ...read,
    ...(host === undefined ? {} : { host: host.replace(/:\d+$/, '') }),
    ...(isAddress(client) ? { client } : {}),
  };
}

function readRequestLine(request: string): RecordedRequest | string {
  const [method = '', target = '', ...rest] = request.split(' ');
  if (!METHOD.test(method) || rest.length > 1) return `"${request.slice(0, 80)}" is no request`;
  if (/^https?:\/\//.test(target)) return fromUrl(method, target);
  if (!target.startsWith('/')) return `"${target.slice(0, 80)}" is no path`;
  return { method, target };
}

function isAddress(text: string): boolean {
  return /^(?:\d{1,3}\.){3}\d{1,3}$/.test(text) || /^[0-9a-fA-F]*:[0-9a-fA-F:.]+$/.test(text);
}

const FIELDS = {
  method: ['method', 'request_method', 'verb', 'requestMethod'],
  target: ['uri', 'request_uri', 'path', 'url', 'requestURI', 'request_path'],
  host: ['host', 'vhost', 'http_host', 'server_name', 'authority', 'requestHost'],
  scheme: ['scheme', 'x_scheme', 'proto', 'x_forwarded_proto'],
  client: ['remote_addr', 'client', 'client_ip', 'remoteAddr', 'ip'],
} as const;

function readJsonLine(line: string): RecordedRequest | string {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return 'it is no JSON';
  }
  const text = (names: readonly string[]): string | undefined => {
    const name = names.find((n) => typeof value[n] === 'string' && value[n] !== '');
    return name === undefined ? undefined : String(value[name]);
  };
  const whole = text(['request']);
  const target = text(FIELDS.target);
  const read =
    target === undefined
      ? readRequestLine(whole ?? '')
      : /^https?:\/\//.test(target)
        ? fromUrl(text(FIELDS.method) ?? 'GET', target)
        : readRequestLine(`${text(FIELDS.method) ?? 'GET'} ${target.replaceAll(' ', '%20')}`);
  if (typeof read === 'string') return read;
  const host = text(FIELDS.host)?.replace(/:\d+$/, '');
  const scheme = text(FIELDS.scheme);
  const client = text(FIELDS.client);
  return {
    ...read,
    ...(host === undefined ? {} : { host }),
    ...(scheme === 'http' || scheme === 'https' ? { scheme } : {}),
    ...(client !== undefined && isAddress(client) ? { client } : {}),
  };
}

/** Hosts a request without one is asked of. */
const HOSTS_MAX = 20;

function finish(
  requests: readonly RecordedRequest[],
  troubles: readonly string[],
  hosts: readonly string[],
): Recorded {
  const questions = new Map<string, Question>();
  for (const { method, target, host, scheme, client, headers = [] } of requests) {
    const names = host === undefined ? hosts.slice(0, HOSTS_MAX) : [host];
    const schemes = scheme === undefined ? (['http', 'https'] as const) : [scheme];
    for (const name of names) {
      for (const own of schemes) {
        const probe: RequestProbe = {
          scheme: own,
          port: own === 'https' ? 443 : 80,
          method,
          host: name,
          target,
          headers,
          ...(client === undefined ? {} : { client }),
        };
        questions.set(JSON.stringify(probe), { probe, form: 'recorded' });
      }
    }
  }
  const more = troubles.length - TROUBLES_MAX;
  return {
    questions: [...questions.values()],
    troubles:
      more > 0
        ? [...troubles.slice(0, TROUBLES_MAX), `… and ${more} more lines that cannot be read`]
        : troubles,
  };
}
