import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { podColumns } from './pod-columns.ts';
import { Pod } from './pod.ts';
import { cells, named, valid } from './testing.ts';

const FINISHED = '2026-01-01T00:00:00Z';
const NOW_MS = Date.parse('2026-01-01T00:05:30Z');

function pod(status: object, spec: object = {}, metadata: object = {}): object {
  const containers = [
    { name: 'web', image: 'web' },
    { name: 'log', image: 'log' },
  ];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...named('web'), ...metadata },
    spec: { containers, ...spec },
    status,
  };
}

function running(name: string, ready = true): object {
  return { name, ready, state: { running: {} } };
}

function ended(name: string, terminated: object): object {
  return { name, state: { terminated } };
}

const init = {
  initContainers: [
    { name: 'a', image: 'a' },
    { name: 'b', image: 'b' },
  ],
};
const sidecar = { initContainers: [{ name: 'side', image: 'a', restartPolicy: 'Always' }] };

const rows = [
  {
    title: 'a Pod that waits for a node',
    object: pod({ phase: 'Pending' }),
    ready: '0/2',
    status: 'Pending',
  },
  {
    title: 'a Pod behind a gate',
    object: pod({
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }],
    }),
    ready: '0/2',
    status: 'SchedulingGated',
  },
  {
    title: 'a Pod that runs',
    object: pod({ phase: 'Running', containerStatuses: [running('web'), running('log', false)] }),
    ready: '1/2',
    status: 'Running',
  },
  {
    title: 'a container that cannot start',
    object: pod({
      phase: 'Running',
      containerStatuses: [
        { name: 'web', state: { waiting: { reason: 'CrashLoopBackOff' } } },
        running('log'),
      ],
    }),
    ready: '1/2',
    status: 'CrashLoopBackOff',
  },
  {
    title: 'a container ended by a signal',
    object: pod({
      phase: 'Failed',
      containerStatuses: [ended('web', { exitCode: 137, signal: 9 })],
    }),
    ready: '0/2',
    status: 'Signal:9',
  },
  {
    title: 'one container ended well, the other runs',
    object: pod({
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [ended('web', { exitCode: 0, reason: 'Completed' }), running('log')],
    }),
    ready: '1/2',
    status: 'Running',
  },
  {
    title: 'one container ended well, the other badly',
    object: pod({
      phase: 'Failed',
      containerStatuses: [
        ended('web', { exitCode: 0, reason: 'Completed' }),
        ended('log', { exitCode: 3 }),
      ],
    }),
    ready: '0/2',
    status: 'ExitCode:3',
  },
  {
    title: 'one container ended well, the other runs and is not ready',
    object: pod({
      phase: 'Running',
      containerStatuses: [ended('web', { exitCode: 0, reason: 'Completed' }), running('log')],
    }),
    ready: '1/2',
    status: 'NotReady',
  },
  {
    title: 'the second of two init containers runs',
    object: pod(
      {
        phase: 'Pending',
        initContainerStatuses: [ended('a', { exitCode: 0 }), { name: 'b', state: { running: {} } }],
      },
      init,
    ),
    ready: '0/2',
    status: 'Init:1/2',
  },
  {
    title: 'an init container failed',
    object: pod({ phase: 'Pending', initContainerStatuses: [ended('a', { exitCode: 2 })] }, init),
    ready: '0/2',
    status: 'Init:ExitCode:2',
  },
  {
    title: 'a sidecar counts',
    object: pod(
      {
        phase: 'Running',
        initContainerStatuses: [
          { name: 'side', ready: true, started: true, state: { running: {} } },
        ],
        containerStatuses: [running('web'), running('log')],
      },
      sidecar,
    ),
    ready: '3/3',
    status: 'Running',
  },
  {
    title: 'a Pod that is deleted',
    object: pod({ phase: 'Running' }, {}, { deletionTimestamp: FINISHED }),
    ready: '0/2',
    status: 'Terminating',
  },
  {
    title: 'a Pod on a node that is lost',
    object: pod({ phase: 'Running', reason: 'NodeLost' }, {}, { deletionTimestamp: FINISHED }),
    ready: '0/2',
    status: 'Unknown',
  },
];

describe('columns of a Pod', () => {
  for (const { title, object, ready, status } of rows) {
    it(title, () => {
      const shown = cells(Pod, object);
      assert.deepEqual([shown['Ready'], shown['Status']], [ready, status]);
    });
  }

  it('restarts are counted, and how long ago the last was', () => {
    const containerStatuses = [
      {
        name: 'web',
        restartCount: 2,
        lastState: { terminated: { exitCode: 1, finishedAt: FINISHED } },
      },
      { name: 'log', restartCount: 1 },
    ];
    const object = valid(Pod, pod({ phase: 'Running', containerStatuses }));
    const restarts = podColumns.find((column) => column.name === 'Restarts')?.value as (
      object: Pod,
      nowMs: number,
    ) => string;
    assert.equal(restarts(object, NOW_MS), '3 (5m30s ago)');
    assert.equal(cells(Pod, pod({}))['Restarts'], '0');
  });

  it('wide columns say where it runs', () => {
    const object = pod(
      {
        podIPs: [{ ip: '10.0.0.1' }],
        nominatedNodeName: 'node-2',
        conditions: [{ type: 'a.example/ready', status: 'True' }],
      },
      {
        nodeName: 'node-1',
        readinessGates: [
          { conditionType: 'a.example/ready' },
          { conditionType: 'b.example/ready' },
        ],
      },
    );
    const { IP, Node, 'Nominated Node': nominated, 'Readiness Gates': gates } = cells(Pod, object);
    assert.deepEqual([IP, Node, nominated, gates], ['10.0.0.1', 'node-1', 'node-2', '1/2']);
    assert.equal(cells(Pod, pod({}))['IP'], '<none>');
  });
});
