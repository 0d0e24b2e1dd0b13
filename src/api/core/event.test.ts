import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Column } from '../kind.ts';
import { Event } from './event.ts';
import { cells, named, testRows, valid } from './testing.ts';

const THEN = '2026-01-01T00:00:00Z';
const LATER = '2026-01-01T00:04:00Z';
const NOW_MS = Date.parse('2026-01-01T01:00:00Z');

function event(rest: object, metadata: object = named('web.17a')): object {
  const involvedObject = { kind: 'Pod', name: 'web', namespace: 'shop' };
  return { apiVersion: 'v1', kind: 'Event', metadata, involvedObject, ...rest };
}

const noticed = { eventTime: THEN, reportingComponent: 'a.example/b', reportingInstance: 'c' };

describe('an Event', () => {
  testRows(Event, [
    {
      title: 'lives in the namespace of its object',
      object: event({ involvedObject: { kind: 'Pod', name: 'web', namespace: 'other' } }),
      errors: ['involvedObject.namespace: Invalid value: "other": does not match event.namespace'],
    },
    {
      title: 'lives in default when its object has no namespace',
      object: event({ involvedObject: { kind: 'Node' } }, { name: 'n.1', namespace: 'default' }),
      errors: [],
    },
    {
      title: 'in the newer form says who noticed what',
      object: event({ eventTime: THEN, reason: 'x'.repeat(129) }),
      errors: [
        'reportingComponent: Required value',
        'reportingComponent: Invalid value: "": name part must be non-empty',
        "reportingComponent: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        'reportingInstance: Required value',
        'action: Required value',
        'reason: Invalid value: "": can have at most 128 characters',
      ],
    },
    {
      title: 'has a name that stands in a URL',
      object: event({}, named('Web_17')),
      errors: [],
    },
  ]);

  it('columns say what happened to what', () => {
    const shown = cells(
      Event,
      event({
        type: 'Normal',
        reason: 'Started',
        message: ' ok ',
        source: { component: 'kubelet', host: 'n' },
      }),
    );
    assert.equal(shown['Object'], 'pod/web');
    assert.equal(shown['Source'], 'kubelet, n');
    assert.equal(shown['Message'], 'ok');
    assert.equal(shown['Count'], 1);
    assert.equal(shown['Last Seen'], '<unknown>');
  });

  it('columns say when, and how often', () => {
    const at = (name: string, object: Event): unknown => {
      const column = Event.columns.find((each: Column) => each.name === name);
      assert.ok(column !== undefined, name);
      return (column.value as (object: Event, nowMs: number) => unknown)(object, NOW_MS);
    };
    const old = valid(Event, event({ firstTimestamp: THEN, lastTimestamp: LATER, count: 3 }));
    assert.deepEqual(
      ['First Seen', 'Last Seen', 'Count'].map((name) => at(name, old)),
      ['60m', '56m', 3],
    );
    const series = { count: 5, lastObservedTime: LATER };
    const fresh = valid(Event, event({ ...noticed, action: 'A', reason: 'R', series }));
    assert.deepEqual(
      ['First Seen', 'Last Seen', 'Count'].map((name) => at(name, fresh)),
      ['60m', '56m', 5],
    );
  });
});
