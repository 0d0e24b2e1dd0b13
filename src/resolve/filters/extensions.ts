// Filters that only Fairway knows (ExtensionRef) → filters of the model. The kinds there are: PathRewrite.

import { PathRewrite } from '../../api/extensions/path-rewrite.ts';
import type { HTTPRouteFilter } from '../../api/gateway/httpfilters.ts';
import { parsePathTemplate } from '../../lib/path-template.ts';
import { compilePattern } from '../../lib/regex.ts';
import type { Filter } from '../../model/filter.ts';
import type { Origin } from '../../model/model.ts';
import type { Surroundings } from '../gateway/grants.ts';
import { problem } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';

export function resolveExtension(
  written: HTTPRouteFilter['extensionRef'],
  origin: Origin,
  { reader }: Surroundings,
): Filter | Problem {
  const field = `${origin.field}.extensionRef`;
  const { group = '', kind = '', name = '' } = written ?? {};
  if (group !== PathRewrite.group || kind !== PathRewrite.kind) {
    const what = group === '' ? kind : `${kind}.${group}`;
    return problem(
      'UnsupportedValue',
      field,
      `Fairway knows no filter ${what}`,
      `use ${PathRewrite.kind}.${PathRewrite.group}; requests that match the rule are answered with 500 until the filter is removed`,
    );
  }
  const found = reader.get(PathRewrite, origin.namespace, name);
  if (found === undefined) {
    const message = `PathRewrite ${origin.namespace}/${name} does not exist`;
    return problem('UnsupportedValue', field, message);
  }
  return pathRewrite(found, field, origin);
}

function pathRewrite(
  { metadata, spec }: PathRewrite,
  field: string,
  origin: Origin,
): Filter | Problem {
  const what = `PathRewrite ${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
  const pattern = compilePattern(spec.pattern);
  if ('trouble' in pattern) {
    const message = `the pattern of ${what} cannot be used: ${pattern.trouble}`;
    return problem('UnsupportedValue', field, message, 'write it in RE2 syntax');
  }
  const template = parsePathTemplate(spec.replacement, pattern);
  if ('trouble' in template) {
    const message = `the replacement of ${what} cannot be used: ${template.trouble}`;
    return problem(
      'UnsupportedValue',
      field,
      message,
      '$1 stands for the first group, $$ for a dollar',
    );
  }
  return { kind: 'rewrite', path: { kind: 'regex', pattern: spec.pattern, template }, origin };
}
