// Conditions that changed → what happened: a Gateway that is programmed, a route that is refused, a
// definition whose names are taken. Good news is told of what was bad before, and of Gateways, which
// people wait for; that one more route of ten thousand is accepted is no news.

import type { Kind, KubeObject } from '../../api/kind.ts';
import type { Condition } from '../../api/meta.ts';
import { regarding } from './happening.ts';
import type { Happening } from './happening.ts';

/** A condition, and the parent or listener it is about. */
export interface Told {
  /** Empty for the object itself. */
  readonly about: string;
  readonly condition: Condition;
}

interface WithConditions {
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly listeners?: readonly Part[];
    readonly parents?: readonly Part[];
    readonly ancestors?: readonly Part[];
  };
}

interface Part {
  readonly name?: string;
  readonly parentRef?: Reference;
  readonly ancestorRef?: Reference;
  readonly conditions?: readonly Condition[];
}

interface Reference {
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly sectionName?: string;
}

/** Conditions that are good when they are False. */
const BAD_WHEN_TRUE: ReadonlySet<string> = new Set([
  'Conflicted',
  'OverlappingTLSConfig',
  'PartiallyInvalid',
]);
/** Told when it comes true, though nothing was wrong before. */
const AWAITED: ReadonlySet<string> = new Set(['Gateway Programmed', 'GatewayClass Accepted']);
const COMPONENT = 'fairway-gateway-controller';

export function conditionHappenings(
  kind: Kind,
  before: KubeObject | undefined,
  after: KubeObject,
): readonly Happening[] {
  if (statusOf(before) === statusOf(after)) return [];
  const was = new Map(conditionsOf(before).map((told) => [keyOf(told), told.condition]));
  const all = conditionsOf(after).flatMap((told): readonly Happening[] => {
    const { condition, about } = told;
    const old = was.get(keyOf(told));
    const isBad = isTrouble(condition);
    const wasBad = old !== undefined && isTrouble(old);
    const isSame =
      old?.status === condition.status &&
      (!isBad || (old.reason === condition.reason && old.message === condition.message));
    if (isSame) return [];
    const isNews = wasBad || (about === '' && AWAITED.has(`${kind.kind} ${condition.type}`));
    // What is not known yet is no news either.
    if (!isBad && (!isNews || condition.status === 'Unknown')) return [];
    const { type, reason, message } = condition;
    const text = message === '' ? type : message;
    const what = about === '' || text.includes(about) ? text : `${about}: ${text}`;
    return [
      {
        regarding: regarding(kind, after),
        type: isBad ? 'Warning' : 'Normal',
        reason: isBad ? reason : type,
        message: what,
        component: COMPONENT,
      },
    ];
  });
  return all.filter((one, i) => !isRepeated(one, all, i));
}

/** Two conditions often have one cause: it is told once, and by the reason that says most. */
function isRepeated(one: Happening, all: readonly Happening[], at: number): boolean {
  return all.some((other, i) => {
    if (i === at || other.type !== 'Warning' || other.message !== one.message) return false;
    if (one.reason === other.reason) return i < at;
    return one.reason === 'Invalid' || (other.reason !== 'Invalid' && i < at);
  });
}

/** The reasons of what is wrong by an object's own conditions. */
export function troublesOf(object: KubeObject): ReadonlySet<string> {
  const bad = conditionsOf(object).filter(({ condition }) => isTrouble(condition));
  return new Set(bad.map(({ condition }) => condition.reason));
}

function isTrouble({ type, status, reason }: Condition): boolean {
  if (BAD_WHEN_TRUE.has(type)) return status === 'True';
  // Nobody has looked at it yet.
  return status === 'False' && reason !== 'Pending' && reason !== 'NotReconciled';
}

function statusOf(object: KubeObject | undefined): WithConditions['status'] {
  return (object as WithConditions | undefined)?.status;
}

function conditionsOf(object: KubeObject | undefined): readonly Told[] {
  const { conditions = [], listeners = [], parents = [], ancestors = [] } = statusOf(object) ?? {};
  const told = (about: string, of: readonly Condition[] = []): readonly Told[] =>
    of.map((condition) => ({ about, condition }));
  return [
    ...told('', conditions),
    ...listeners.flatMap(({ name = '', conditions: own }) => told(`listener "${name}"`, own)),
    ...parents.flatMap(({ parentRef, conditions: own }) => told(nameOf(parentRef), own)),
    ...ancestors.flatMap(({ ancestorRef, conditions: own }) => told(nameOf(ancestorRef), own)),
  ];
}

/** `Gateway shop/web, listener http` */
function nameOf(ref: Reference = {}): string {
  const { kind = 'Gateway', namespace, name = '', sectionName } = ref;
  const full = namespace === undefined ? name : `${namespace}/${name}`;
  return `${kind} ${full}${sectionName === undefined ? '' : `, listener ${sectionName}`}`;
}

function keyOf({ about, condition }: Told): string {
  return `${about}\n${condition.type}`;
}
