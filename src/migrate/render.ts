// Generated objects → YAML with comments that say which Ingress, and which line, each piece comes from.

import { Document, isCollection, isMap, LineCounter, parseAllDocuments } from 'yaml';
import type { Node } from 'yaml';
import type { Origin as FindingOrigin, Position } from '../api/finding.ts';
import type { Origin } from '../model/model.ts';
import { textOf } from './text.ts';
import type { GeneratedObject, Remark } from './types.ts';

export interface RenderedFile {
  readonly name: string;
  readonly text: string;
}

/** Where something stands in the Ingresses: `shop.yaml:12`. */
export type Place = (origin: Origin) => string | undefined;

/** One file for the Gateway and what belongs to it, and one for each namespace with routes. */
export function renderFiles(
  objects: readonly GeneratedObject[],
  place: Place,
): readonly RenderedFile[] {
  const files = new Map<string, GeneratedObject[]>();
  for (const object of objects) {
    const isShared = object.kind === 'Gateway' || object.spec['parentRef'] !== undefined;
    const name = isShared ? '00-gateway.yaml' : `routes-${object.namespace}.yaml`;
    files.set(name, [...(files.get(name) ?? []), object]);
  }
  return [...files]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, own]) => ({ name, text: own.map((o) => renderObject(o, place)).join('---\n') }));
}

/** The object as JSON, without remarks. */
export function plainObject({
  apiVersion,
  kind,
  namespace,
  name,
  spec,
  data,
}: GeneratedObject): object {
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace === '' ? {} : { namespace }),
    },
    ...(data === undefined ? { spec } : { data }),
  };
}

export function renderObject(object: GeneratedObject, place: Place): string {
  const document = new Document(plainObject(object), { aliasDuplicateObjects: false });
  for (const { path, text } of mergeRemarks(object.remarks, place)) {
    const node = path.length === 0 ? undefined : (document.getIn(path, true) as Node | undefined);
    const comment = text
      .split('\n')
      .map((line) => ` ${line}`)
      .join('\n');
    if (path.length === 0) (document.contents as Node).commentBefore = comment;
    else if (node !== undefined && (isCollection(node) || 'commentBefore' in node))
      node.commentBefore = comment;
    else if (node !== undefined) node.commentBefore = comment;
  }
  return document.toString({ lineWidth: 0 });
}

/** The one rule of an HTTPRoute that an origin speaks of, as YAML; undefined when there is none. */
export function renderRule(
  objects: readonly GeneratedObject[],
  { kind, namespace, name, field }: Origin,
): string | undefined {
  const object = objects.find(
    (o) => o.kind === kind && o.namespace === namespace && o.name === name,
  );
  const index = Number(/^spec\.rules\[(\d+)\]/.exec(field)?.[1] ?? -1);
  const rules = object?.spec['rules'];
  if (object === undefined || !Array.isArray(rules) || rules[index] === undefined) return undefined;
  const { parentRefs, hostnames } = object.spec;
  const spec = {
    ...(parentRefs === undefined ? {} : { parentRefs }),
    ...(hostnames === undefined ? {} : { hostnames }),
    rules: [rules[index] as GeneratedObject['spec']],
  };
  return renderObject({ ...object, spec, remarks: [] }, () => undefined);
}

/** Several remarks for one place are lines of one comment. */
function mergeRemarks(
  remarks: readonly Remark[],
  place: Place,
): readonly { readonly path: Remark['path']; readonly text: string }[] {
  const byPath = new Map<string, { path: Remark['path']; lines: string[] }>();
  for (const { path, text, origin } of remarks) {
    const key = path.join('.');
    const known = byPath.get(key) ?? { path, lines: [] };
    byPath.set(key, known);
    const at = origin === undefined ? '' : describeOrigin(origin, place);
    const line = text === '' ? at : at === '' ? text : `${text}: ${at}`;
    // What users wrote must not end the comment.
    const safe = line.replaceAll(/[\r\n\0]+/g, ' ');
    if (safe !== '' && !known.lines.includes(safe)) known.lines.push(safe);
  }
  return [...byPath.values()].map(({ path, lines }) => ({ path, text: lines.join('\n') }));
}

export function describeOrigin(origin: Origin, place: Place): string {
  if (origin.kind === '') return '';
  const at = place(origin);
  const object = `${origin.kind} ${origin.namespace}/${origin.name}`;
  return `${object}${origin.field === '' ? '' : ` ${origin.field}`}${at === undefined ? '' : ` (${at})`}`;
}

/** Finds generated objects in the files they were rendered to. */
export function createGeneratedLocator(
  files: readonly RenderedFile[],
): (origin: FindingOrigin) => Position | undefined {
  let index:
    | Map<string, { file: string; document: Document.Parsed; lines: LineCounter }>
    | undefined;
  const build = (): NonNullable<typeof index> => {
    const made: NonNullable<typeof index> = new Map();
    for (const { name, text } of files) {
      const lines = new LineCounter();
      for (const document of parseAllDocuments(text, { lineCounter: lines })) {
        if (!('contents' in document) || !isMap(document.contents)) continue;
        const of = (path: readonly string[]): string => textOf(document.getIn(path));
        const key = `${of(['kind'])} ${of(['metadata', 'namespace'])}/${of(['metadata', 'name'])}`;
        made.set(key, { file: name, document: document as Document.Parsed, lines });
      }
    }
    return made;
  };
  return ({ object, field = '' }) => {
    if (object === undefined) return undefined;
    index ??= build();
    const found = index.get(`${object.kind} ${object.namespace}/${object.name}`);
    if (found === undefined) return undefined;
    const path = Array.from(field.matchAll(/([^.[\]]+)|\[(\d+)\]/g), ([, name, number]) =>
      number === undefined ? (name ?? '') : Number(number),
    );
    while (path.length > 0 && !found.document.hasIn(path)) path.pop();
    const node = (
      path.length === 0 ? found.document.contents : found.document.getIn(path, true)
    ) as Node | null;
    const start = node?.range?.[0] ?? 0;
    const { line, col } = found.lines.linePos(start);
    return { file: found.file, line, column: col };
  };
}
