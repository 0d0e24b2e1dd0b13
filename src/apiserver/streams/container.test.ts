import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pod } from '../../runtime/testing.ts';
import { containerToEnter, containerToRead } from './container.ts';
import type { ChosenContainer } from './container.ts';

const said = (chosen: ChosenContainer): string =>
  chosen.ok ? chosen.container : `${chosen.status.code} ${chosen.status.message}`;

const two = pod({
  spec: {
    containers: [
      { name: 'main', image: 'x' },
      { name: 'side', image: 'x' },
    ],
    initContainers: [{ name: 'first', image: 'x' }],
  },
});

const status = (each: Record<string, unknown>, phase = 'Running'): ReturnType<typeof pod> =>
  pod({
    status: {
      phase,
      containerStatuses: [
        { name: 'main', ready: false, restartCount: 0, image: '', imageID: '', ...each },
      ],
    },
  });

test('the only container need not be named, one of several must be', () => {
  assert.equal(said(containerToEnter(pod(), undefined)), 'main');
  assert.equal(said(containerToEnter(two, 'side')), 'side');
  assert.equal(said(containerToEnter(two, 'first')), 'first');
  assert.equal(said(containerToEnter(two, 'none')), '400 container none is not valid for pod web');
  assert.equal(
    said(containerToEnter(two, undefined)),
    '400 a container name must be specified for pod web, choose one of: [main side] or one of the init containers: [first]',
  );
});

test('nobody enters a pod that has ended, and its log can still be read', () => {
  const ended = status({ state: { terminated: { exitCode: 0 } } }, 'Succeeded');
  assert.match(
    said(containerToEnter(ended, undefined)),
    /completed pod; current phase is Succeeded/,
  );
  assert.equal(said(containerToRead(ended, undefined, false)), 'main');
});

test('a container that has not begun has no log, and one that never restarted no previous one', () => {
  const waiting = status({ state: { waiting: { reason: 'ErrImageNeverPull' } } });
  assert.equal(
    said(containerToRead(waiting, undefined, false)),
    '400 container "main" in pod "web" is waiting to start: ErrImageNeverPull',
  );
  const running = status({ state: { running: {} } });
  assert.equal(said(containerToRead(running, undefined, false)), 'main');
  assert.equal(
    said(containerToRead(running, undefined, true)),
    '400 previous terminated container "main" in pod "web" not found',
  );
  const crashing = status({
    restartCount: 2,
    state: { waiting: { reason: 'CrashLoopBackOff' } },
    lastState: { terminated: { exitCode: 1 } },
  });
  assert.equal(said(containerToRead(crashing, undefined, false)), 'main');
  assert.equal(said(containerToRead(crashing, undefined, true)), 'main');
});
