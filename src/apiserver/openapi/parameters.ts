// The parameters of requests, as OpenAPI describes them. kubectl looks for fieldValidation and dryRun
// before it sends them.

type Parameter = Readonly<Record<string, unknown>>;

function query(
  name: string,
  type: 'string' | 'integer' | 'boolean',
  description: string,
): Parameter {
  return { name, in: 'query', description, schema: { type, uniqueItems: true } };
}

export function inPath(name: 'name' | 'namespace', kind: string): Parameter {
  const description = name === 'name' ? `Name of the ${kind}.` : 'Namespace of the object.';
  return {
    name,
    in: 'path',
    description,
    required: true,
    schema: { type: 'string', uniqueItems: true },
  };
}

export const PRETTY = query('pretty', 'string', 'Whether the answer is indented.');

const dryRun = query('dryRun', 'string', 'All: everything is checked, nothing is stored.');

const writing: readonly Parameter[] = [
  dryRun,
  query('fieldManager', 'string', 'Who writes; required for server-side apply.'),
  query(
    'fieldValidation',
    'string',
    'What happens to unknown and duplicate fields: Ignore, Warn (the default) or Strict.',
  ),
];

const selecting: readonly Parameter[] = [
  query('continue', 'string', 'Asks for the next part, as the part before said.'),
  query('fieldSelector', 'string', 'Objects whose fields have these values.'),
  query('labelSelector', 'string', 'Objects whose labels are like this.'),
  query('limit', 'integer', 'How many objects a part of the list may have.'),
  query('resourceVersion', 'string', 'The state the answer must show, or the watch begins after.'),
  query('resourceVersionMatch', 'string', 'NotOlderThan or Exact, for resourceVersion of a list.'),
  query('sendInitialEvents', 'boolean', 'The watch begins with all objects there are.'),
  query('timeoutSeconds', 'integer', 'Seconds after which the request ends.'),
];

const watching: readonly Parameter[] = [
  query('allowWatchBookmarks', 'boolean', 'The watch tells now and then how far it is.'),
  query('watch', 'boolean', 'Changes are sent as they happen, instead of a list.'),
];

const deleting: readonly Parameter[] = [
  dryRun,
  query('gracePeriodSeconds', 'integer', 'Seconds the object has to end; 0 ends it at once.'),
  query('orphanDependents', 'boolean', 'Deprecated: use propagationPolicy Orphan.'),
  query('propagationPolicy', 'string', 'What happens to owned objects.'),
];

/** By x-kubernetes-action. */
export const PARAMETERS = {
  list: [...selecting, ...watching],
  get: [],
  post: writing,
  put: writing,
  patch: [...writing, query('force', 'boolean', 'Takes fields over from other managers.')],
  delete: deleting,
  deletecollection: [...deleting, ...selecting],
} as const;

export type Action = keyof typeof PARAMETERS;
