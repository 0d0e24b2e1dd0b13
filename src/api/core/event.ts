// The kind Event of the core group: what happened to an object. Events of events.k8s.io are the same
// objects seen otherwise (../events/event.ts).

import { defineKind } from '../kind.ts';
import type { Column } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { fieldError } from '../schema/errors.ts';
import type { FieldError } from '../schema/errors.ts';
import { def, described, object, opt, requiredDef } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { ageOf } from './columns.ts';
import { checked, int32, text, time } from './fields.ts';
import { checkName, labelKey } from './names.ts';
import { ObjectReference } from './references.ts';

const EventSource = object({
  component: opt(text('Who noticed it.')),
  host: opt(text('The node it was noticed on.')),
});

const EventSeries = object({
  count: opt(int32('How often it happened up to now.')),
  lastObservedTime: opt(time('When it happened last.')),
});

const shape = object({
  ...typeMeta,
  metadata: requiredDef(ObjectMeta, {}),
  involvedObject: requiredDef(described(ObjectReference, 'The object it happened to.'), {}),
  reason: opt(text('What happened, in one word for programs.')),
  message: opt(text('What happened, in a sentence for people.')),
  source: def(described(EventSource, 'Who noticed it, in older clients.'), {}),
  firstTimestamp: opt(time('When it happened first, in older clients.')),
  lastTimestamp: opt(time('When it happened last, in older clients.')),
  count: opt(int32('How often it happened, in older clients.')),
  type: opt(text('Normal or Warning.')),
  eventTime: opt(time('When it happened first.')),
  series: opt(described(EventSeries, 'It happened again and again.')),
  action: opt(text('What was done, in one word for programs.')),
  related: opt(described(ObjectReference, 'Another object that plays a part.')),
  reportingComponent: opt(text('Who noticed it, as example.com/controller.')),
  reportingInstance: opt(text('Which instance of it.')),
});
export type Event = Infer<typeof shape>;

/** Longest texts of an event with eventTime, in bytes. */
const FIELD_BYTES_MAX = 128;
const MESSAGE_BYTES_MAX = 1024;

function checkEvent(event: Event): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { namespace = '' } = event.metadata;
  const { namespace: involved = '' } = event.involvedObject;
  const isNew = event.eventTime !== undefined;
  // Events of objects outside of namespaces are kept in default, or in kube-system by newer clients.
  const kept = namespace === 'default' || (isNew ? namespace === 'kube-system' : namespace === '');
  const matches = involved === '' ? kept : isNew || namespace === involved;
  if (!matches) {
    const detail = 'does not match event.namespace';
    errors.push(fieldError.invalid('involvedObject.namespace', involved, detail));
  }
  if (isNew) checkNewEvent(event, errors);
  return errors;
}

function checkNewEvent(event: Event, errors: FieldError[]): void {
  const { reportingComponent = '', reportingInstance = '', action = '', reason = '' } = event;
  if (reportingComponent === '') errors.push(fieldError.required('reportingComponent'));
  checkName(labelKey, reportingComponent, 'reportingComponent', errors);
  for (const [path, value] of Object.entries({ reportingInstance, action, reason })) {
    if (value === '') errors.push(fieldError.required(path));
    checkBytes(value, FIELD_BYTES_MAX, path, errors);
  }
  checkBytes(event.message ?? '', MESSAGE_BYTES_MAX, 'message', errors);
}

function checkBytes(value: string, bytesMax: number, path: string, errors: FieldError[]): void {
  if (Buffer.byteLength(value) > bytesMax) {
    errors.push(fieldError.invalid(path, '', `can have at most ${bytesMax} characters`));
  }
}

const columns: readonly Column[] = [
  { name: 'Last Seen', type: 'string', value: lastSeen },
  { name: 'Type', type: 'string', value: ({ type }: Event) => type ?? '' },
  { name: 'Reason', type: 'string', value: ({ reason }: Event) => reason ?? '' },
  { name: 'Object', type: 'string', value: involvedObject },
  {
    name: 'Subobject',
    type: 'string',
    priority: 1,
    value: ({ involvedObject: { fieldPath } }: Event) => fieldPath ?? '',
  },
  { name: 'Source', type: 'string', priority: 1, value: source },
  { name: 'Message', type: 'string', value: ({ message = '' }: Event) => message.trim() },
  { name: 'First Seen', type: 'string', priority: 1, value: firstSeen },
  {
    name: 'Count',
    type: 'string',
    priority: 1,
    // Once is not counted.
    value: ({ series, count = 0 }: Event) =>
      series === undefined ? count || 1 : (series.count ?? 0),
  },
];

function firstSeen(event: Event, nowMs = Date.now()): string {
  return ageOf(event.firstTimestamp ?? event.eventTime, nowMs) ?? '<unknown>';
}

function lastSeen(event: Event, nowMs = Date.now()): string {
  const { series, lastTimestamp } = event;
  if (series !== undefined) return ageOf(series.lastObservedTime, nowMs) ?? '<unknown>';
  return ageOf(lastTimestamp, nowMs) ?? firstSeen(event, nowMs);
}

function involvedObject({ involvedObject: { kind = '', name = '' } }: Event): string {
  return name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`;
}

/** `kubelet, node-1` */
function source({ source: by, reportingComponent, reportingInstance }: Event): string {
  const component = by.component ?? reportingComponent ?? '';
  const instance = by.host ?? reportingInstance ?? '';
  return instance === '' ? component : `${component}, ${instance}`;
}

export const Event = defineKind<Event>({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  namespaced: true,
  doc: 'Something that happened to an object, kept for a while.',
  schema: checked(shape, checkEvent),
  nameFormat: 'path',
  columns,
});
