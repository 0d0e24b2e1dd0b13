import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodStatus } from '../../api/core/pod-status.ts';
import { pod, the } from '../testing.ts';
import { Backoff, BACKOFF_TIMES } from './backoff.ts';
import { qosClass } from './qos.ts';
import { restarts } from './restart.ts';
import { podStatus } from './status.ts';
import type { ContainerFacts, PodFacts } from './status.ts';

const T0 = new Date('2026-05-04T10:00:00.999Z');
const T1 = new Date('2026-05-04T10:00:07Z');

const WAITING = { waiting: { reason: 'ContainerCreating' } };
const RUNNING = { running: { startedAt: '2026-05-04T10:00:01Z' } };
const ended = (exitCode: number) => ({ terminated: { exitCode } });

function container(facts: Partial<ContainerFacts> = {}): ContainerFacts {
  return {
    name: 'main',
    role: 'main',
    image: 'example.com/app',
    imageId: '',
    state: RUNNING,
    lastState: {},
    started: true,
    ready: true,
    done: false,
    restartCount: 0,
    containerId: 'fairway://1',
    ...facts,
  };
}

const fresh = { containerId: undefined as never, state: WAITING, started: false, ready: false };

function statusOf(containers: readonly ContainerFacts[], facts: Partial<PodFacts> = {}): PodStatus {
  return podStatus({
    pod: pod(),
    podIp: '127.244.0.5',
    hostIp: '127.0.0.1',
    startTime: T0,
    now: T0,
    readyToStart: true,
    initialized: true,
    containers,
    ...facts,
  });
}

const PHASES: readonly (readonly [
  name: string,
  containers: readonly ContainerFacts[],
  facts: Partial<PodFacts>,
  phase: string,
])[] = [
  ['nothing has started', [container(fresh)], {}, 'Pending'],
  [
    'an init container runs',
    [container({ role: 'init', name: 'i' }), container(fresh)],
    { initialized: false },
    'Pending',
  ],
  [
    'an init container has failed for good',
    [container({ role: 'init', state: ended(1), done: true }), container(fresh)],
    { initialized: false },
    'Failed',
  ],
  ['all run', [container(), container()], {}, 'Running'],
  ['one of two has not started yet', [container(), container(fresh)], {}, 'Pending'],
  [
    'one waits for its restart',
    [container({ state: WAITING, lastState: ended(1) })],
    {},
    'Running',
  ],
  [
    'one of two has ended for good',
    [container(), container({ state: ended(0), done: true })],
    {},
    'Running',
  ],
  ['all have succeeded', [container({ state: ended(0), done: true })], {}, 'Succeeded'],
  [
    'one of two has failed for good',
    [container({ state: ended(0), done: true }), container({ state: ended(2), done: true })],
    {},
    'Failed',
  ],
  [
    'the work is done and a sidecar still runs',
    [container({ role: 'sidecar' }), container({ state: ended(0), done: true })],
    {},
    'Running',
  ],
  [
    'the work is done and the sidecar was killed',
    [
      container({ role: 'sidecar', state: ended(137), done: true }),
      container({ state: ended(0), done: true }),
    ],
    {},
    'Succeeded',
  ],
  [
    'the deadline is exceeded',
    [container()],
    { ended: { reason: 'DeadlineExceeded', message: 'm' } },
    'Failed',
  ],
];

for (const [name, containers, facts, phase] of PHASES) {
  test(`when ${name} the phase is ${phase}`, () =>
    assert.equal(statusOf(containers, facts).phase, phase));
}

const condition = (status: PodStatus, type: string) =>
  the(status.conditions?.find((each) => each.type === type));

test('a pod that runs is ready, with its addresses and times in seconds', () => {
  const status = statusOf([container()]);
  assert.deepEqual(
    status.conditions?.map((each) => [each.type, each.status]),
    [
      ['PodReadyToStartContainers', 'True'],
      ['Initialized', 'True'],
      ['Ready', 'True'],
      ['ContainersReady', 'True'],
      ['PodScheduled', 'True'],
    ],
  );
  assert.equal(status.podIP, '127.244.0.5');
  assert.deepEqual(status.podIPs, [{ ip: '127.244.0.5' }]);
  assert.deepEqual([status.hostIP, status.startTime], ['127.0.0.1', '2026-05-04T10:00:00Z']);
  assert.equal(status.qosClass, 'BestEffort');
  assert.deepEqual(status.containerStatuses, [
    {
      name: 'main',
      state: RUNNING,
      lastState: {},
      ready: true,
      restartCount: 0,
      image: 'example.com/app',
      imageID: '',
      containerID: 'fairway://1',
      started: true,
    },
  ]);
});

test('what is not ready is named, and a sidecar counts', () => {
  const status = statusOf([
    container({ role: 'sidecar', name: 'proxy', ready: false }),
    container({ ready: false }),
  ]);
  for (const type of ['Ready', 'ContainersReady']) {
    const { reason, message } = condition(status, type);
    assert.deepEqual(
      [reason, message],
      ['ContainersNotReady', 'containers with unready status: [proxy main]'],
    );
  }
  assert.deepEqual(
    status.initContainerStatuses?.map((each) => each.name),
    ['proxy'],
  );
});

test('what is not initialized is named', () => {
  const status = statusOf(
    [
      container({ role: 'init', name: 'one', state: ended(0), done: true }),
      container({ role: 'sidecar', name: 'proxy', started: false }),
      container({ role: 'init', name: 'two' }),
      container(fresh),
    ],
    { initialized: false },
  );
  const { status: verdict, message } = condition(status, 'Initialized');
  assert.deepEqual([verdict, message], ['False', 'containers with incomplete status: [two proxy]']);
});

test('a condition keeps its time until it changes', () => {
  const first = statusOf([container({ ready: false })]);
  const second = podStatus({ ...facts([container()]), now: T1 }, first);
  assert.equal(condition(second, 'Ready').lastTransitionTime, '2026-05-04T10:00:07Z');
  assert.equal(condition(second, 'Initialized').lastTransitionTime, '2026-05-04T10:00:00Z');
  const third = podStatus(
    { ...facts([container()]), now: new Date('2026-05-04T11:00:00Z') },
    second,
  );
  assert.deepEqual(third, second);
});

function facts(containers: readonly ContainerFacts[], subject = pod()): PodFacts {
  return {
    pod: subject,
    podIp: '127.244.0.5',
    hostIp: '127.0.0.1',
    startTime: T0,
    now: T0,
    readyToStart: true,
    initialized: true,
    containers,
  };
}

test('a readiness gate is opened by whoever writes its condition, which is left alone', () => {
  const spec = { readinessGates: [{ conditionType: 'example.com/gate' }] };
  const closed = podStatus(facts([container()], pod({ spec })));
  assert.equal(condition(closed, 'ContainersReady').status, 'True');
  assert.equal(condition(closed, 'Ready').reason, 'ReadinessGatesNotReady');
  const gate = { type: 'example.com/gate', status: 'True' };
  const open = podStatus(
    facts([container()], pod({ spec, status: { conditions: [gate] } })),
    closed,
  );
  assert.equal(condition(open, 'Ready').status, 'True');
  assert.deepEqual(condition(open, 'example.com/gate'), gate);
});

test('a pod that has succeeded is complete and not ready', () => {
  const status = statusOf([container({ state: ended(0), done: true, ready: false })]);
  assert.equal(condition(status, 'Ready').reason, 'PodCompleted');
  assert.equal(condition(status, 'Initialized').status, 'True');
});

const RESTARTS: readonly (readonly [
  policy: string,
  role: 'init' | 'sidecar' | 'main',
  exitCode: number,
  again: boolean,
])[] = [
  ['Always', 'main', 0, true],
  ['Always', 'main', 1, true],
  ['OnFailure', 'main', 0, false],
  ['OnFailure', 'main', 1, true],
  ['Never', 'main', 1, false],
  ['Always', 'init', 0, false],
  ['Always', 'init', 1, true],
  ['OnFailure', 'init', 1, true],
  ['Never', 'init', 1, false],
  ['Never', 'sidecar', 0, true],
];

for (const [restartPolicy, role, exitCode, again] of RESTARTS) {
  test(`with ${restartPolicy} a ${role} container that ended with ${exitCode} ${again ? 'starts again' : 'does not start again'}`, () => {
    const subject = pod({ spec: { restartPolicy } });
    assert.equal(restarts(subject, the(subject.spec.containers[0]), role, exitCode), again);
  });
}

test('a container may have a policy of its own, and exceptions from it', () => {
  const subject = pod({
    container: {
      restartPolicy: 'Never',
      restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
    },
  });
  const main = the(subject.spec.containers[0]);
  assert.deepEqual(
    [42, 1, 0].map((code) => restarts(subject, main, 'main', code)),
    [true, false, false],
  );
});

test('the wait before a restart doubles up to a minute, and starts over after ten good minutes', () => {
  const backoff = new Backoff(BACKOFF_TIMES);
  const waits = Array.from({ length: 8 }, () => backoff.next(100) / 1000);
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
  assert.equal(backoff.next(600_000), 1000);
  assert.equal(backoff.next(599_999), 2000);
});

const QOS: readonly (readonly [resources: Record<string, unknown>, qos: string])[] = [
  [{}, 'BestEffort'],
  [{ limits: { 'example.com/gpu': '1' } }, 'BestEffort'],
  [{ requests: { cpu: '0' } }, 'BestEffort'],
  [{ requests: { cpu: '100m' } }, 'Burstable'],
  [{ limits: { cpu: '1' } }, 'Burstable'],
  [{ limits: { cpu: '1', memory: '1Gi' } }, 'Guaranteed'],
  [{ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1000m' } }, 'Guaranteed'],
  [{ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } }, 'Burstable'],
];

for (const [resources, qos] of QOS) {
  test(`a pod with resources ${JSON.stringify(resources)} is ${qos}`, () => {
    assert.equal(qosClass(pod({ container: { resources } })), qos);
  });
}
