import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Event } from '../../api/core/event.ts';
import { admit } from '../../api/admit.ts';
import { Store } from '../../store/store.ts';
import { Correlator } from './correlate.ts';
import type { Happening } from './happening.ts';

function happening(message: string, name = 'web', reason = 'Failed'): Happening {
  return {
    regarding: {
      apiVersion: 'v1',
      kind: 'Pod',
      namespace: 'shop',
      name,
      uid: `uid of ${name}`,
      resourceVersion: '1',
    },
    type: 'Warning',
    reason,
    message,
    component: 'kubelet',
  };
}

class World {
  nowMs = Date.parse('2026-01-01T00:00:00Z');
  readonly store = new Store({ now: () => new Date(this.nowMs) });
  readonly #correlator = new Correlator({
    exists: (namespace, name) => this.store.get(Event, namespace, name) !== undefined,
  });

  tell(...happenings: readonly Happening[]): void {
    this.store.write(this.#correlator.record(happenings, new Date(this.nowMs)));
  }

  get events(): readonly Event[] {
    return this.store.snapshot().list(Event);
  }

  get told(): readonly string[] {
    return this.events.map(({ count, message }) => `${count} ${message}`).toSorted();
  }
}

describe('Events of what happened', () => {
  it('are what the API would take', () => {
    const world = new World();
    world.tell(happening('x'));
    const [event] = world.events;
    assert.deepEqual(admit(Event, event as Event).errors, []);
    assert.equal(event?.firstTimestamp, '2026-01-01T00:00:00Z');
    assert.match(event?.metadata.name ?? '', /^web\.[0-9a-f]{15,16}$/);
  });

  it('count what happens again, and keep when it began', () => {
    const world = new World();
    world.tell(happening('x'), happening('x'));
    world.nowMs += 5_000;
    world.tell(happening('x'), happening('y'));
    assert.deepEqual(world.told, ['1 y', '3 x']);
    const [event] = world.events.filter(({ message }) => message === 'x');
    assert.equal(event?.firstTimestamp, '2026-01-01T00:00:00Z');
    assert.equal(event?.lastTimestamp, '2026-01-01T00:00:05Z');
  });

  it('begin anew when somebody has deleted them', () => {
    const world = new World();
    world.tell(happening('x'), happening('x'));
    const { namespace = '', name = '' } = world.events[0]?.metadata ?? {};
    world.store.write([{ op: 'delete', kind: Event, namespace, name }]);
    world.tell(happening('x'));
    assert.deepEqual(world.told, ['1 x']);
  });

  it('are combined when many differ in their messages alone', () => {
    const world = new World();
    for (let i = 0; i < 14; i++) world.tell(happening(`m${i}`));
    assert.equal(world.events.length, 11);
    assert.ok(world.told.includes('4 (combined from similar events): m13'));
    world.nowMs += 11 * 60_000;
    world.tell(happening('later'));
    assert.ok(world.told.includes('1 later'));
  });

  it('come at intervals from an object that never rests', () => {
    const world = new World();
    for (let i = 0; i < 100; i++) world.tell(happening('x'));
    assert.deepEqual(world.told, ['25 x']);
    world.tell(happening('x', 'other'));
    assert.deepEqual(world.told, ['1 x', '25 x']);
    world.nowMs += 10 * 60_000;
    for (let i = 0; i < 100; i++) world.tell(happening('x'));
    assert.deepEqual(world.told, ['1 x', '27 x']);
  });

  it('are at most so many, and the quietest go', () => {
    const world = new World();
    for (let i = 0; i < 2_500; i++) {
      world.tell(happening('x', `pod-${i}`));
      if (i % 100 === 0) world.tell(happening('again', 'first'));
    }
    assert.equal(world.events.length, 2_000);
    const names = new Set(world.events.map(({ involvedObject }) => involvedObject.name));
    assert.ok(names.has('first') && names.has('pod-2499') && !names.has('pod-0'));
  });

  it('are cut where they say more than the API takes', () => {
    const world = new World();
    world.tell(happening('é'.repeat(2_000)));
    const message = world.events[0]?.message ?? '';
    assert.ok(Buffer.byteLength(message) <= 1024 && message.endsWith('é…'), message.slice(-4));
  });
});
