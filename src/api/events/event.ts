// Event of the group events.k8s.io: the objects of the core group's kind Event, with other names for
// some of their fields. There is one object behind both, as in Kubernetes: what is written in one group is
// read in the other.

import { Event } from '../core/event.ts';
import { int32, text, time } from '../core/fields.ts';
import { ObjectReference } from '../core/references.ts';
import { defineKind } from '../kind.ts';
import type { Kind, KubeObject } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { isRecord } from '../schema/normalize.ts';
import { described, object, opt, requiredDef } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';

const GROUP = 'events.k8s.io';
const API_VERSION = `${GROUP}/v1`;

const EventSource = object({
  component: opt(text('Who noticed it.')),
  host: opt(text('The node it was noticed on.')),
});

const EventSeries = object({
  count: int32('How often it happened up to now.'),
  lastObservedTime: time('When it happened last.'),
});

const shape = object({
  ...typeMeta,
  metadata: requiredDef(ObjectMeta, {}),
  eventTime: opt(time('When it happened first.')),
  series: opt(described(EventSeries, 'It happened again and again.')),
  reportingController: opt(text('Who noticed it, as example.com/controller.')),
  reportingInstance: opt(text('Which instance of it.')),
  action: opt(text('What was done, in one word for programs.')),
  reason: opt(text('What happened, in one word for programs.')),
  regarding: opt(described(ObjectReference, 'The object it happened to.')),
  related: opt(described(ObjectReference, 'Another object that plays a part.')),
  note: opt(text('What happened, in a sentence for people.')),
  type: opt(text('Normal or Warning.')),
  deprecatedSource: opt(described(EventSource, 'Who noticed it, in older clients.')),
  deprecatedFirstTimestamp: opt(time('When it happened first, in older clients.')),
  deprecatedLastTimestamp: opt(time('When it happened last, in older clients.')),
  deprecatedCount: opt(int32('How often it happened, in older clients.')),
});

const EventsEvent = defineKind<Infer<typeof shape>>({
  group: GROUP,
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  namespaced: true,
  doc: 'Something that happened to an object, kept for a while.',
  schema: shape,
  nameFormat: 'path',
  columns: Event.columns,
}) as unknown as Kind;

/** The name here → the name in the core group. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
]);
const BACK = new Map([...NAMES].map(([here, there]) => [there, here]));

/** Names of the core group that mean nothing here. */
const STRANGERS: ReadonlySet<string> = new Set(BACK.keys());

function toStored(body: unknown): unknown {
  if (!isRecord(body)) return body;
  const entries = Object.entries(body)
    .filter(([name]) => !STRANGERS.has(name))
    .map(([name, value]) => [NAMES.get(name) ?? name, value]);
  const stored = Object.fromEntries(entries) as Readonly<Record<string, unknown>>;
  return stored['apiVersion'] === API_VERSION ? { ...stored, apiVersion: 'v1' } : stored;
}

function unknownFields(body: unknown): readonly string[] {
  return isRecord(body) ? Object.keys(body).filter((name) => STRANGERS.has(name)) : [];
}

function fromStored(event: KubeObject): KubeObject {
  const entries = Object.entries(event).map(([name, value]) => [BACK.get(name) ?? name, value]);
  return { ...(Object.fromEntries(entries) as object as KubeObject), apiVersion: API_VERSION };
}

function storedField(field: string): string | undefined {
  const [first = '', ...rest] = field.split('.');
  if (STRANGERS.has(first)) return undefined;
  return [NAMES.get(first) ?? first, ...rest].join('.');
}

/** How the events of the core group are served here. */
export const EVENTS_VIEW = {
  kind: EventsEvent,
  of: Event as unknown as Kind,
  toStored,
  unknownFields,
  fromStored,
  storedField,
};
