// Redirects of the model → RequestRedirect filters, as far as those can say it.

import type { RedirectResult } from '../model/model.ts';
import { describeTemplate } from '../model/template.ts';
import type { TemplatePart, TextTemplate } from '../model/template.ts';
import type { Json } from './types.ts';

export interface TranslatedRedirect {
  readonly filter: { readonly [field: string]: Json };
  /** How the answers differ. */
  readonly differences: readonly string[];
}

const STATUS_CODES = [301, 302, 303, 307, 308];
/** What a hostname of a filter may be. */
const HOSTNAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const PATH = /^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})*$/;

/** Or why it cannot be said. */
export function translateRedirect(
  result: RedirectResult,
  scheme: 'http' | 'https',
): TranslatedRedirect | { readonly trouble: string } {
  const { location, statusCode } = result;
  if (!STATUS_CODES.includes(statusCode)) {
    return {
      trouble: `a redirect with status ${statusCode} cannot be said: only ${STATUS_CODES.join(', ')}`,
    };
  }
  if (location === undefined) return { trouble: 'the redirect has no location' };
  const read = readLocation(location);
  if ('trouble' in read) return read;
  const { differences, ...parts } = read;
  const own: Record<string, Json> = { statusCode };
  if (parts.scheme !== undefined && parts.scheme !== scheme) own['scheme'] = parts.scheme;
  else if (parts.scheme !== undefined && parts.hostname !== undefined) own['scheme'] = parts.scheme;
  if (parts.hostname !== undefined) own['hostname'] = parts.hostname;
  if (parts.port !== undefined) own['port'] = parts.port;
  if (parts.path !== undefined)
    own['path'] = { type: 'ReplaceFullPath', replaceFullPath: parts.path };
  return { filter: own, differences };
}

interface ReadLocation {
  readonly scheme?: 'http' | 'https';
  readonly hostname?: string;
  readonly port?: number;
  readonly path?: string;
  readonly differences: readonly string[];
}

function readLocation(location: TextTemplate): ReadLocation | { readonly trouble: string } {
  const trouble = {
    trouble: `a redirect to ${describeTemplate(location)} cannot be said: only host, port and a fixed path can change`,
  };
  // Parts of the request as one character each, of those nobody writes, so that one expression reads the whole.
  const marks = new Map<string, string>([
    ['scheme', '\ue001'],
    ['host', '\ue002'],
    ['authority', '\ue002'],
    ['secureAuthority', '\ue002'],
    ['target', '\ue003'],
    ['trimmedTarget', '\ue004'],
    ['queryMark', '\ue005'],
    ['query', ''],
  ]);
  let text = '';
  for (const part of location as readonly TemplatePart[]) {
    if (typeof part === 'string') text += part;
    else if (part.of === 'group' || 'name' in part || !marks.has(part.of)) return trouble;
    else text += marks.get(part.of) ?? '';
  }
  const found =
    /^(?:(https?|\ue001):\/\/(\ue002|[^/\ue001-\ue005:?#]+)(?::(\d+))?)?([^\ue001-\ue005?#]*)([\ue003\ue004\ue005]?)(.*)$/s.exec(
      text,
    );
  if (found === null) return trouble;
  const [, scheme, host, port, path = '', rest = '', more = ''] = found;
  if (more !== '') return trouble;
  const isRelative = host === undefined;
  if (!PATH.test(path)) return trouble;
  const hostname = host === undefined || host === '\ue002' ? undefined : host.toLowerCase();
  if (hostname !== undefined && !HOSTNAME.test(hostname)) return trouble;
  if ((rest === '\ue003' || rest === '\ue004') && path !== '') return trouble;
  const keepsPath = rest === '\ue003' || rest === '\ue004';
  return {
    ...(scheme === 'http' || scheme === 'https' ? { scheme } : {}),
    ...(hostname === undefined ? {} : { hostname }),
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(keepsPath ? {} : { path: path === '' ? '/' : path }),
    differences: [
      ...(isRelative ? ['Location names scheme and host, and is not relative'] : []),
      ...(rest === '\ue004'
        ? ['a slash at the end of the path is kept in Location, and not dropped']
        : []),
      ...(rest === '' ? ['a query of the request is kept in Location, and not dropped'] : []),
      ...(path === '' && !keepsPath ? ['Location has a slash after the host'] : []),
    ],
  };
}
