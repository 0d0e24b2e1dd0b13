// Parts of the model in words and as YAML-ready data: what `fairway compile --target model` and the
// golden files show. Private keys never leave through here.

import type { BasicAuth } from './guard.ts';
import type { PathMatch, ValueMatch } from './match.ts';
import type { Model } from './model.ts';

/** `path under /cart` */
export function describePath(path: PathMatch): string {
  switch (path.kind) {
    case 'exact':
      return `path exactly ${path.value}`;
    case 'prefix':
      return path.value === '/' ? 'any path' : `path under ${path.value}`;
    case 'regex':
      return `path matching ${path.value}`;
    case 'search':
      return `path with ${path.value} in it`;
  }
}

/** `x-a=1`, or `x-a matching [0-9]+` */
export function describeValue({ name, value, regex }: ValueMatch): string {
  return regex === true ? `${name} matching ${value}` : `${name}=${value}`;
}

export function describeHost(host: string): string {
  return host === '' ? 'a request without a host' : host;
}

/** The whole model as plain data in a fixed order, keys of certificates left out. */
export function printableModel(model: Model): unknown {
  return {
    entryPoints: withoutSecrets(model.entryPoints),
    backends: sortedValues(model.backends),
    services: model.services,
    certificates: sortedValues(model.certificates).map(({ key, names, origin }) => ({
      key,
      names,
      origin,
    })),
  };
}

/** The same data with names in place of names and hashed passwords. */
function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) =>
      key === 'basic' ? [key, printableBasic(field as BasicAuth)] : [key, withoutSecrets(field)],
    ),
  );
}

/** Who may come in, without the hashes of their passwords. */
export function printableBasic({ realm, users }: BasicAuth): unknown {
  return { realm, users: users.map(([name]) => name) };
}

function sortedValues<T>(values: ReadonlyMap<string, T>): readonly T[] {
  return [...values.keys()].toSorted().map((key) => values.get(key) as T);
}
