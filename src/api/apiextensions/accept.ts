// Whether the names of a definition are free, and what its status then says: a kind is served once its
// names are accepted, and stays served.

import type { CustomResourceDefinition } from './crd.ts';

type Status = NonNullable<CustomResourceDefinition['status']>;
type Names = NonNullable<Status['acceptedNames']>;
type Condition = NonNullable<Status['conditions']>[number];

/** Names others of the same group are served by; those of the definition itself are not among them. */
export interface TakenNames {
  readonly group: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly kind: string;
  readonly listKind?: string;
}

interface Conflict {
  readonly reason: string;
  readonly message: string;
}

/** The status of a definition at `time` (RFC 3339): the same object when nothing changes. */
export function acceptedStatus(
  crd: CustomResourceDefinition,
  taken: readonly TakenNames[],
  time: string,
): Status {
  const { spec, status = {} } = crd;
  const others = taken.filter(({ group }) => group === spec.group);
  const { names, conflict } = acceptNames(spec.names, status.acceptedNames, others);
  const wasEstablished = statusOf(status, 'Established') === 'True';
  const established = wasEstablished || conflict === undefined;
  const conditions = [
    conflict === undefined
      ? verdict('NamesAccepted', true, 'NoConflicts', 'no conflicts found')
      : verdict('NamesAccepted', false, conflict.reason, conflict.message),
    established
      ? verdict('Established', true, 'InitialNamesAccepted', 'the initial names have been accepted')
      : verdict('Established', false, 'NotAccepted', 'not all names are accepted'),
  ].map((condition) => timed(condition, status, time));
  const kept = (status.conditions ?? []).filter(
    ({ type }) => type !== 'NamesAccepted' && type !== 'Established',
  );
  const next: Status = {
    conditions: [...conditions, ...kept],
    acceptedNames: names,
    storedVersions: storedVersions(crd),
  };
  return JSON.stringify(next) === JSON.stringify(status) ? status : next;
}

function storedVersions({ spec, status }: CustomResourceDefinition): readonly string[] {
  const stored = status?.storedVersions ?? [];
  const storage = spec.versions.filter((version) => version.storage).map(({ name }) => name);
  return [...stored, ...storage.filter((name) => !stored.includes(name))];
}

/** Takes the names that are free; of the others, those accepted before stay. */
function acceptNames(
  wanted: Names,
  before: Names | undefined,
  others: readonly TakenNames[],
): { readonly names: Names; readonly conflict: Conflict | undefined } {
  // One URL segment may mean one kind only, whichever sort of name it is.
  const resources = new Set(others.flatMap((o) => [o.plural, o.singular, ...o.shortNames]));
  const kinds = new Set(others.flatMap((o) => [o.kind, o.listKind ?? `${o.kind}List`]));
  let names: Names = wanted;
  let conflict: Conflict | undefined;
  const refuse = (field: keyof Names, reason: string, used: string) => {
    conflict ??= { reason, message: `${JSON.stringify(used)} is already in use` };
    const { [field]: _refused, ...rest } = names;
    const former = before?.[field];
    names = { plural: '', kind: '', ...rest, ...(former === undefined ? {} : { [field]: former }) };
  };
  const { plural, singular = '', kind, listKind = '', shortNames = [] } = wanted;
  if (resources.has(plural)) refuse('plural', 'PluralConflict', plural);
  if (resources.has(singular)) refuse('singular', 'SingularConflict', singular);
  const shortName = shortNames.find((name) => resources.has(name));
  if (shortName !== undefined) refuse('shortNames', 'ShortNamesConflict', shortName);
  if (kinds.has(kind)) refuse('kind', 'KindConflict', kind);
  if (kinds.has(listKind)) refuse('listKind', 'ListKindConflict', listKind);
  return { names, conflict };
}

function verdict(type: string, holds: boolean, reason: string, message: string) {
  return { type, status: holds ? ('True' as const) : ('False' as const), reason, message };
}

/** The time of a verdict is when it last changed. */
function timed(condition: Omit<Condition, 'lastTransitionTime'>, status: Status, time: string) {
  const before = status.conditions?.find(({ type }) => type === condition.type);
  const same = before?.status === condition.status;
  return {
    ...condition,
    lastTransitionTime: (same ? before.lastTransitionTime : undefined) ?? time,
  };
}

function statusOf({ conditions }: Status, wanted: string): string | undefined {
  return conditions?.find(({ type }) => type === wanted)?.status;
}
