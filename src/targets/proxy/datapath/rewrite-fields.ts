// Fields of a response that name places of the backend, put into the words of the proxy: cookies' paths
// and domains, and where Location and Refresh point.
//
// Budget: 1 µs for a response with such fields, of rules that ask for it.

import { compilePattern } from '../../../lib/regex.ts';
import type { FieldChange } from '../../../model/filter.ts';
import { fillTemplate } from '../../../model/template.ts';
import type { TemplateSource, TextTemplate } from '../../../model/template.ts';
import type { FilterProgram } from '../program.ts';
import type { Fields } from './stream.ts';

type RewriteFieldsProgram = Extract<FilterProgram, { kind: 'rewriteFields' }>;

export function rewriteFields(
  fields: Fields,
  { cookieDomain, cookiePath, location, locationBase = [] }: RewriteFieldsProgram,
  source: TemplateSource,
): Fields {
  return fields.map((value, i) => {
    if (i % 2 === 0) return value;
    switch (fields[i - 1]!.toLowerCase()) {
      case 'set-cookie': {
        const moved =
          cookieDomain === undefined
            ? value
            : changeAttribute(value, 'domain', cookieDomain, source);
        return cookiePath === undefined
          ? moved
          : changeAttribute(moved, 'path', cookiePath, source);
      }
      case 'location':
        return location === undefined ? value : changePlace(value, location, locationBase, source);
      case 'refresh': {
        const at = value.toLowerCase().indexOf('url=');
        if (location === undefined || at === -1) return value;
        return value.slice(0, at + 4) + changeText(value.slice(at + 4), location, source);
      }
      default:
        return value;
    }
  });
}

function changePlace(
  value: string,
  change: FieldChange,
  base: TextTemplate,
  source: TemplateSource,
): string {
  const changed = changeText(value, change, source);
  return changed !== value && changed.startsWith('/')
    ? fillTemplate(base, source) + changed
    : changed;
}

function changeAttribute(
  cookie: string,
  name: string,
  change: FieldChange,
  source: TemplateSource,
): string {
  const parts = cookie.split(';');
  return parts
    .map((part, i) => {
      const equals = part.indexOf('=');
      if (i === 0 || equals === -1 || part.slice(0, equals).trim().toLowerCase() !== name) {
        return part;
      }
      return part.slice(0, equals + 1) + changeText(part.slice(equals + 1).trim(), change, source);
    })
    .join(';');
}

/** The beginning of the text, or what the expression takes of it, is replaced. */
function changeText(
  text: string,
  { from, regex, to }: FieldChange,
  source: TemplateSource,
): string {
  if (regex !== true) {
    return text.startsWith(from) ? fillTemplate(to, source) + text.slice(from.length) : text;
  }
  const pattern = compilePattern(from);
  const groups = 'find' in pattern ? pattern.find(text) : null;
  if (groups === null) return text;
  const filled = fillTemplate(to, {
    part: (of) => source.part(of),
    header: (name) => source.header(name),
    cookie: (name) => source.cookie(name),
    query: (name) => source.query(name),
    group: (n) => groups[n] ?? '',
  });
  return text.replace(groups[0] ?? '', () => filled);
}
