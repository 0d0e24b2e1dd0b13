// Text with variables of nginx in it → a template of the model.

import type { RequestPart, TextTemplate } from '../../../model/template.ts';

const PARTS: Readonly<Record<string, RequestPart>> = {
  scheme: 'scheme',
  pass_access_scheme: 'scheme',
  host: 'host',
  server_name: 'host',
  http_host: 'authority',
  best_http_host: 'authority',
  request_method: 'method',
  request_uri: 'target',
  escaped_request_uri: 'escapedTarget',
  uri: 'path',
  document_uri: 'path',
  args: 'query',
  query_string: 'query',
  is_args: 'queryMark',
  remote_addr: 'client',
  the_real_ip: 'client',
  binary_remote_addr: 'client',
  req_id: 'requestId',
  request_id: 'requestId',
};

const VARIABLE = /\$(?:\{(\w+)\}|(\d)|(\w+))/g;

export interface ParsedText {
  readonly template: TextTemplate;
  /** Variables that Fairway does not have, with their dollar. */
  readonly unknown: readonly string[];
}

export function parseText(text: string): ParsedText {
  const template: TextTemplate[number][] = [];
  const unknown: string[] = [];
  let from = 0;
  for (const match of text.matchAll(VARIABLE)) {
    const [whole, braced, digit, plain] = match;
    if (match.index > from) template.push(text.slice(from, match.index));
    from = match.index + whole.length;
    const name = braced ?? plain ?? '';
    const part =
      digit === undefined ? partOf(name) : { of: 'group' as const, number: Number(digit) };
    if (part === undefined) unknown.push(whole);
    else template.push(part);
  }
  if (from < text.length) template.push(text.slice(from));
  return { template, unknown };
}

function partOf(name: string): TextTemplate[number] | undefined {
  if (/^\d$/.test(name)) return { of: 'group', number: Number(name) };
  if (Object.hasOwn(PARTS, name)) return { of: PARTS[name] as RequestPart };
  const named = /^(http|cookie|arg)_(\w+)$/.exec(name);
  const [, kind, rest = ''] = named ?? [];
  switch (kind) {
    case 'http':
      return { of: 'header', name: rest.toLowerCase().replaceAll('_', '-') };
    case 'cookie':
      return { of: 'cookie', name: rest };
    case 'arg':
      return { of: 'query', name: rest };
    default:
      return undefined;
  }
}
