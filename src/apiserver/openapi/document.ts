// The kinds that are served → /openapi/v3: an index, and one document for each group and version.
// Nothing is made before it is asked for, and what was made is kept for as long as its kinds are there:
// a kind that comes or goes costs its own group and version only.

import { createHash } from 'node:crypto';

import type { Kind } from '../../api/kind.ts';
import { catalogOf } from '../discovery/catalog.ts';
import { kindComponents, sharedComponents } from './components.ts';
import { kindPaths, rootOf } from './paths.ts';

export interface OpenApiDocument {
  /** JSON. */
  readonly text: string;
  /** Of the text; in the URL of the index, so that clients keep a document for good. */
  readonly hash: string;
}

/** `/openapi/v3` as a document; undefined for a group and version that are not served. */
export interface OpenApi {
  index(): OpenApiDocument;
  /** `name` as in the index: `api/v1`, `apis/apps/v1`. */
  document(name: string): OpenApiDocument | undefined;
}

const all = new WeakMap<readonly Kind[], OpenApi>();

/** What is published of a set of kinds; one for each array. */
export function openApiOf(kinds: readonly Kind[]): OpenApi {
  let openApi = all.get(kinds);
  if (openApi === undefined) {
    openApi = lazily(kinds);
    all.set(kinds, openApi);
  }
  return openApi;
}

function lazily(kinds: readonly Kind[]): OpenApi {
  const sources = sourcesOf(kinds);
  const made = new Map<string, OpenApiDocument>();
  let index: OpenApiDocument | undefined;
  const document = (name: string): OpenApiDocument | undefined => {
    const source = sources.get(name);
    if (source === undefined) return undefined;
    const known = made.get(name) ?? build(source);
    made.set(name, known);
    return known;
  };
  return {
    document,
    index: () => {
      index ??= hashed({
        paths: Object.fromEntries(
          Array.from(sources.keys(), (name) => [
            name,
            { serverRelativeURL: `/openapi/v3/${name}?hash=${document(name)?.hash ?? ''}` },
          ]),
        ),
      });
      return index;
    },
  };
}

interface Source {
  readonly version: string;
  readonly kinds: readonly Kind[];
}

/** In the order of discovery. Groups with nothing but reviews have no document. */
function sourcesOf(kinds: readonly Kind[]): ReadonlyMap<string, Source> {
  const sources = new Map<string, Source>();
  for (const { name, versions } of catalogOf(kinds).groups) {
    for (const { version } of versions) {
      const served = kinds
        .filter((kind) => kind.group === name && kind.versions.includes(version))
        .toSorted((a, b) => (a.plural < b.plural ? -1 : 1));
      if (served.length > 0) {
        sources.set(rootOf(name, version).slice(1), { version, kinds: served });
      }
    }
  }
  return sources;
}

interface Part {
  readonly source: Source;
  readonly document: OpenApiDocument;
}

/** First kind → the documents it begins; another set of kinds often has the same. */
const parts = new WeakMap<Kind, Part[]>();
/** Versions of one kind that are kept at once; dynamic kinds have new identities when they change. */
const PARTS_MAX = 8;

function build(source: Source): OpenApiDocument {
  const [first] = source.kinds;
  if (first === undefined) return hashed({});
  const known = parts.get(first) ?? [];
  const same = known.find((part) => isSame(part.source, source));
  if (same !== undefined) return same.document;
  const document = hashed(openApiObject(source));
  parts.set(first, [{ source, document }, ...known].slice(0, PARTS_MAX));
  return document;
}

function isSame(a: Source, b: Source): boolean {
  return (
    a.version === b.version &&
    a.kinds.length === b.kinds.length &&
    a.kinds.every((kind, i) => kind === b.kinds[i])
  );
}

function openApiObject({ version, kinds }: Source): object {
  return {
    openapi: '3.0.0',
    info: { title: 'Fairway', version },
    paths: Object.assign({}, ...kinds.map((kind) => kindPaths(kind, version))) as object,
    components: {
      schemas: Object.assign(
        {},
        ...kinds.map((kind) => kindComponents(kind, version)),
        sharedComponents(),
      ) as object,
    },
  };
}

function hashed(document: object): OpenApiDocument {
  const text = JSON.stringify(document);
  return { text, hash: createHash('sha256').update(text).digest('hex').toUpperCase() };
}
