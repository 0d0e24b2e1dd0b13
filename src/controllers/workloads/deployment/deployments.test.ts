// Deployments as the Kubernetes documentation describes them, step by step.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Deployment } from '../../../api/apps/deployment.ts';
import { ReplicaSet } from '../../../api/apps/replica-set.ts';
import { Pod } from '../../../api/core/pod.ts';
import { createReplicaSetController } from '../replicaset/replica-sets.ts';
import { isActive, isReady } from '../../shared/pods.ts';
import { Lab, objectOf } from '../../testing/lab.ts';
import { createDeploymentController } from './deployments.ts';
import { maxSurge, maxUnavailable } from './fenceposts.ts';
import { rolloutOf } from './rollout.ts';
import { scaleStep } from './scaling.ts';

function lab(): Lab {
  return new Lab([createReplicaSetController(), createDeploymentController()]);
}

const template = (image: string) => ({
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'main', image }] },
});

function put(own: Lab, image: string, spec: Readonly<Record<string, unknown>> = {}): void {
  own.put(Deployment, {
    metadata: { name: 'web' },
    spec: { selector: { matchLabels: { app: 'web' } }, template: template(image), ...spec },
  });
}

/** `image: wanted` of every ReplicaSet that is there, by image. */
function sizes(own: Lab): readonly string[] {
  return own
    .list(ReplicaSet)
    .map(({ spec }) => `${spec.template.spec.containers[0]?.image}: ${spec.replicas}`)
    .toSorted();
}

function revisions(own: Lab): readonly string[] {
  return own
    .list(ReplicaSet)
    .map(({ spec, metadata }) => {
      const { annotations = {} } = metadata;
      const revision = annotations['deployment.kubernetes.io/revision'];
      const history = annotations['deployment.kubernetes.io/revision-history'];
      const image = spec.template.spec.containers[0]?.image;
      return `${image}: ${revision}${history === undefined ? '' : ` (${history})`}`;
    })
    .toSorted();
}

function condition(own: Lab, type: string): string {
  const found = own.get(Deployment, 'web').status.conditions?.find((one) => one.type === type);
  return `${found?.status} ${found?.reason}`;
}

function rolling(surge: number | string, unavailable: number | string) {
  const rollingUpdate = { maxSurge: surge, maxUnavailable: unavailable };
  return { strategy: { type: 'RollingUpdate', rollingUpdate } };
}

/** Of so many replicas with these limits, so many more and so many fewer there may be. */
const fenceposts: readonly (readonly [number, number | string, number | string, number, number])[] =
  [
    [10, '25%', '25%', 3, 2],
    [4, '25%', '25%', 1, 1],
    [1, '25%', '25%', 1, 0],
    [2, '0%', '1%', 0, 1],
    [1, '0%', '1%', 0, 1],
    [2, '1%', '25%', 1, 0],
    [1, '1%', '0%', 1, 0],
    [3, 2, 5, 2, 3],
    [0, '25%', '25%', 0, 0],
  ];
for (const [replicas, surge, unavailable, expectedSurge, expectedUnavailable] of fenceposts) {
  test(`${replicas} replicas, surge ${surge}, unavailable ${unavailable}: +${expectedSurge} -${expectedUnavailable}`, () => {
    const deployment = objectOf(Deployment, {
      metadata: { name: 'web' },
      spec: {
        replicas,
        selector: { matchLabels: { app: 'web' } },
        template: template('1'),
        ...rolling(surge, unavailable),
      },
    });
    const found = [maxSurge(deployment), maxUnavailable(deployment)];
    assert.deepEqual(found, [expectedSurge, expectedUnavailable]);
  });
}

test('a Deployment makes a ReplicaSet named by its template, which makes the pods', () => {
  const own = lab();
  put(own, '1', { replicas: 2 });
  own.reconcile();
  const [set, ...others] = own.list(ReplicaSet);
  assert.ok(set !== undefined && others.length === 0);
  const hash = set.metadata.labels?.['pod-template-hash'] ?? '';
  assert.match(hash, /^[bcdfghjklmnpqrstvwxz2456789]{8,10}$/);
  assert.equal(set.metadata.name, `web-${hash}`);
  assert.deepEqual(set.spec.selector.matchLabels, { app: 'web', 'pod-template-hash': hash });
  assert.equal(set.metadata.ownerReferences?.[0]?.kind, 'Deployment');
  for (const { metadata } of own.list(Pod)) {
    assert.match(metadata.name ?? '', new RegExp(`^web-${hash}-[a-z0-9]{5}$`));
    assert.deepEqual(metadata.labels, { app: 'web', 'pod-template-hash': hash });
  }
  assert.equal(
    own.get(Deployment, 'web').metadata.annotations?.['deployment.kubernetes.io/revision'],
    '1',
  );
});

test('status and conditions follow the pods', () => {
  const own = lab();
  put(own, '1', { replicas: 2 });
  own.reconcile();
  assert.equal(condition(own, 'Available'), 'False MinimumReplicasUnavailable');
  // As soon as there are pods there is progress.
  assert.equal(condition(own, 'Progressing'), 'True ReplicaSetUpdated');
  assert.equal(own.get(Deployment, 'web').status.unavailableReplicas, 2);
  own.advance(5);
  own.settle();
  const times = own
    .get(Deployment, 'web')
    .status.conditions?.map(
      ({ type, lastTransitionTime }) => `${type} since ${lastTransitionTime}`,
    );
  // Progressing is true all the time, whatever its reasons.
  assert.deepEqual(times?.toSorted(), [
    'Available since 2026-01-01T00:00:05Z',
    'Progressing since 2026-01-01T00:00:00Z',
  ]);
  assert.equal(condition(own, 'Available'), 'True MinimumReplicasAvailable');
  assert.equal(condition(own, 'Progressing'), 'True NewReplicaSetAvailable');
  const { conditions: _conditions, ...counts } = own.get(Deployment, 'web').status;
  assert.deepEqual(counts, {
    observedGeneration: 1,
    replicas: 2,
    updatedReplicas: 2,
    readyReplicas: 2,
    availableReplicas: 2,
  });
});

describe('a rolling update', () => {
  /** Starts all pods that have not started, and removes those that are to end. */
  function step(own: Lab): readonly string[] {
    for (const pod of own.list(Pod)) {
      if (!isActive(pod)) own.stop(pod);
      else if (!isReady(pod)) own.run(pod);
    }
    own.reconcile();
    return sizes(own);
  }

  /** What each step leads to, for four pods: the numbers of old and new ones that are wanted. */
  const courses: readonly (readonly [
    string,
    number | string,
    number | string,
    readonly string[],
  ])[] = [
    ['one more, none fewer', 1, 0, ['4+1', '3+2', '2+3', '1+4', '0+4']],
    ['none more, one fewer', 0, 1, ['3+1', '2+2', '1+3', '0+4', '0+4']],
    ['one more, one fewer', 1, 1, ['3+2', '1+4', '0+4']],
    ['all at once', '100%', 0, ['4+4', '0+4']],
    ['all fewer', 0, '100%', ['0+4', '0+4']],
  ];
  for (const [what, surge, unavailable, course] of courses) {
    test(`with ${what} goes ${course.join(', ')}`, () => {
      const own = lab();
      put(own, '1', { replicas: 4, ...rolling(surge, unavailable) });
      own.settle();
      put(own, '2', { replicas: 4, ...rolling(surge, unavailable) });
      own.reconcile();
      const found: string[] = [];
      for (let i = 0; i < course.length; i++) {
        const [older = '', newer = ''] = i === 0 ? sizes(own) : step(own);
        found.push(`${older.replace('1: ', '')}+${newer.replace('2: ', '')}`);
      }
      assert.deepEqual(found, course);
    });
  }

  test('waits until new pods have been ready for minReadySeconds', () => {
    const own = lab();
    const spec = { replicas: 1, minReadySeconds: 10, ...rolling(1, 0) };
    put(own, '1', spec);
    own.settleInTime();
    put(own, '2', spec);
    own.reconcile();
    for (const pod of own.list(Pod)) if (!isReady(pod)) own.run(pod);
    const { wakeAtMs } = own.reconcile();
    assert.deepEqual(sizes(own), ['1: 1', '2: 1']);
    assert.equal(wakeAtMs, own.now.getTime() + 10_000);
    own.advance(10);
    own.reconcile();
    assert.deepEqual(sizes(own), ['1: 0', '2: 1']);
  });

  test('to pods that never get ready stops, and keeps the old ones', () => {
    const own = lab();
    put(own, '1', { replicas: 4, progressDeadlineSeconds: 60, ...rolling(1, 1) });
    own.settle();
    put(own, '2', { replicas: 4, progressDeadlineSeconds: 60, ...rolling(1, 1) });
    const { wakeAtMs } = own.reconcile();
    assert.deepEqual(sizes(own), ['1: 3', '2: 2']);
    assert.equal(condition(own, 'Progressing'), 'True ReplicaSetUpdated');
    assert.equal(condition(own, 'Available'), 'True MinimumReplicasAvailable');
    assert.equal(wakeAtMs, own.now.getTime() + 60_000);
    own.advance(60);
    assert.equal(own.reconcile().wakeAtMs, undefined);
    assert.equal(condition(own, 'Progressing'), 'False ProgressDeadlineExceeded');
    assert.deepEqual(sizes(own), ['1: 3', '2: 2']);
    // Going back makes an end of it, with the pods that are still there.
    put(own, '1', { replicas: 4, progressDeadlineSeconds: 60, ...rolling(1, 1) });
    own.settle();
    assert.deepEqual(sizes(own), ['1: 4', '2: 0']);
    assert.equal(condition(own, 'Progressing'), 'True NewReplicaSetAvailable');
  });

  test('drops old pods that do not work before those that do', () => {
    const own = lab();
    put(own, '1', { replicas: 4, ...rolling(0, 2) });
    own.settle();
    const [first] = own.list(Pod);
    assert.ok(first !== undefined);
    own.run(first, false);
    own.reconcile();
    put(own, '2', { replicas: 4, ...rolling(0, 2) });
    own.reconcile();
    const working = own.list(Pod).filter((pod) => isActive(pod) && isReady(pod));
    assert.equal(working.length, 2);
    assert.equal(
      own.list(Pod).some((pod) => pod === first && isActive(pod)),
      false,
    );
  });

  test('gets past old pods that never worked, though none may be missing', () => {
    const own = lab();
    put(own, 'broken', { replicas: 3, ...rolling(1, 0) });
    own.reconcile();
    put(own, 'fixed', { replicas: 3, ...rolling(1, 0) });
    for (let i = 0; i < 10; i++) {
      own.reconcile();
      for (const pod of own.list(Pod)) {
        if (!isActive(pod)) own.stop(pod);
        else if (pod.spec.containers[0]?.image === 'fixed' && !isReady(pod)) own.run(pod);
      }
    }
    assert.deepEqual(sizes(own), ['broken: 0', 'fixed: 3']);
  });

  test('in the middle of another one leaves nothing of it behind', () => {
    const own = lab();
    put(own, '1', { replicas: 4 });
    own.settle();
    put(own, '2', { replicas: 4 });
    own.reconcile();
    put(own, '3', { replicas: 4 });
    own.settle();
    assert.deepEqual(sizes(own), ['1: 0', '2: 0', '3: 4']);
    assert.deepEqual(revisions(own), ['1: 1', '2: 2', '3: 3']);
  });
});

test('another minReadySeconds is taken over without an update', () => {
  const own = lab();
  put(own, '1');
  own.settle();
  put(own, '1', { minReadySeconds: 7 });
  own.settle();
  assert.deepEqual(
    own.list(ReplicaSet).map(({ spec }) => spec.minReadySeconds),
    [7],
  );
});

describe('Recreate', () => {
  const spec = { replicas: 2, strategy: { type: 'Recreate' } };

  test('makes no new pod before the last old one is gone, and not only ending', () => {
    const own = lab();
    put(own, '1', spec);
    own.settle();
    // On a node: such pods take their time to end.
    for (const pod of own.list(Pod)) {
      const object = { ...pod, spec: { ...pod.spec, nodeName: 'laptop' } };
      own.store.write([{ op: 'put', kind: Pod, object }]);
    }
    put(own, '2', spec);
    own.reconcile();
    assert.deepEqual(sizes(own), ['1: 0']);
    const [a, b] = own.list(Pod);
    assert.ok(a !== undefined && b !== undefined);
    own.stop(a);
    own.reconcile();
    assert.deepEqual(sizes(own), ['1: 0']);
    own.stop(b);
    own.reconcile();
    assert.deepEqual(sizes(own), ['1: 0', '2: 2']);
  });
});

describe('revisions', () => {
  test('going back to an earlier template takes its ReplicaSet again, as a new revision', () => {
    const own = lab();
    for (const image of ['1', '2', '1']) {
      put(own, image);
      own.settle();
    }
    assert.deepEqual(sizes(own), ['1: 1', '2: 0']);
    assert.deepEqual(revisions(own), ['1: 3 (1)', '2: 2']);
    assert.equal(
      own.get(Deployment, 'web').metadata.annotations?.['deployment.kubernetes.io/revision'],
      '3',
    );
  });

  test('only so many old ones are kept, the latest', () => {
    const own = lab();
    for (const image of ['1', '2', '3', '4', '5']) {
      put(own, image, { revisionHistoryLimit: 2 });
      own.settle();
    }
    assert.deepEqual(sizes(own), ['3: 0', '4: 0', '5: 1']);
  });

  test('annotations of the Deployment go to its newest ReplicaSet', () => {
    const own = lab();
    const write = (image: string, cause: string): void =>
      own.put(Deployment, {
        metadata: {
          name: 'web',
          annotations: {
            'kubernetes.io/change-cause': cause,
            'kubectl.kubernetes.io/last-applied-configuration': '{}',
          },
        },
        spec: { selector: { matchLabels: { app: 'web' } }, template: template(image) },
      });
    write('1', 'first');
    own.settle();
    write('2', 'second');
    own.settle();
    const causes = own.list(ReplicaSet).map(({ metadata }) => metadata.annotations ?? {});
    assert.deepEqual(
      causes.map((annotations) => annotations['kubernetes.io/change-cause'] ?? '').toSorted(),
      ['first', 'second'],
    );
    const applied = 'kubectl.kubernetes.io/last-applied-configuration';
    assert.ok(causes.every((annotations) => annotations[applied] === undefined));
  });

  test('a ReplicaSet of the same template that nobody owns is adopted', () => {
    const own = lab();
    own.put(ReplicaSet, {
      metadata: { name: 'older', labels: { app: 'web' } },
      spec: { replicas: 1, selector: { matchLabels: { app: 'web' } }, template: template('1') },
    });
    put(own, '1', { replicas: 3 });
    own.settle();
    assert.deepEqual(own.names(ReplicaSet), ['older']);
    assert.equal(own.get(ReplicaSet, 'older').metadata.ownerReferences?.[0]?.name, 'web');
    assert.deepEqual(sizes(own), ['1: 3']);
  });

  test('a name that another object has is passed over, and the collision counted', () => {
    const own = lab();
    put(own, '1');
    own.settle();
    const [first] = own.list(ReplicaSet);
    const taken = first?.metadata.name ?? '';
    const other = lab();
    other.put(ReplicaSet, {
      metadata: { name: taken, labels: { app: 'other' } },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'other' } },
        template: { ...template('9'), metadata: { labels: { app: 'other' } } },
      },
    });
    put(other, '1');
    other.settle();
    assert.equal(other.get(Deployment, 'web').status.collisionCount, 1);
    const names = other.names(ReplicaSet);
    assert.equal(names.length, 2);
    assert.equal(other.get(Deployment, 'web').status.readyReplicas, 1);
  });
});

describe('scaling', () => {
  test('changes the number of pods without an update', () => {
    const own = lab();
    put(own, '1', { replicas: 2 });
    own.settle();
    put(own, '1', { replicas: 5 });
    own.settle();
    assert.deepEqual(sizes(own), ['1: 5']);
    put(own, '1', { replicas: 0 });
    own.settle();
    assert.deepEqual(sizes(own), ['1: 0']);
    assert.deepEqual(own.names(Pod), []);
  });

  test('in the middle of an update is shared: the example of the Kubernetes documentation', () => {
    const own = lab();
    const spec = (replicas: number) => ({ replicas, ...rolling(3, 2) });
    put(own, '1', spec(10));
    own.settle();
    put(own, 'unresolvable', spec(10));
    own.reconcile();
    assert.deepEqual(sizes(own), ['1: 8', 'unresolvable: 5']);
    put(own, 'unresolvable', spec(15));
    own.reconcile();
    assert.deepEqual(sizes(own), ['1: 11', 'unresolvable: 7']);
  });

  test('what rounding leaves over goes to the largest, of equals to the newest', () => {
    const deployment = objectOf(Deployment, {
      metadata: { name: 'web' },
      spec: {
        replicas: 7,
        selector: { matchLabels: { app: 'web' } },
        template: template('3'),
        ...rolling(3, 0),
      },
    });
    const sets = ['1', '2', '3'].map((image) =>
      objectOf(ReplicaSet, {
        metadata: {
          name: `web-${image}`,
          creationTimestamp: `2026-01-0${image}T00:00:00Z`,
          annotations: { 'deployment.kubernetes.io/max-replicas': '9' },
        },
        spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template: template(image) },
      }),
    );
    const grown = scaleStep(rolloutOf(deployment, sets)).filter(({ spec }) => spec.replicas !== 3);
    assert.deepEqual(
      grown.map(({ metadata, spec }) => [metadata.name, spec.replicas]),
      [['web-3', 4]],
    );
  });

  test('to nothing in the middle of an update ends all pods', () => {
    const own = lab();
    put(own, '1', { replicas: 4 });
    own.settle();
    put(own, '2', { replicas: 4 });
    own.reconcile();
    put(own, '2', { replicas: 0 });
    own.settle();
    assert.deepEqual(own.names(Pod), []);
  });
});

describe('a paused Deployment', () => {
  test('takes no new template, but another size', () => {
    const own = lab();
    put(own, '1', { replicas: 2 });
    own.settle();
    put(own, '2', { replicas: 3, paused: true });
    own.settle();
    assert.deepEqual(sizes(own), ['1: 3']);
    assert.equal(condition(own, 'Progressing'), 'Unknown DeploymentPaused');
    put(own, '2', { replicas: 3 });
    own.reconcile();
    assert.match(condition(own, 'Progressing'), /ReplicaSetUpdated|NewReplicaSetCreated/);
    own.settle();
    assert.deepEqual(sizes(own), ['1: 0', '2: 3']);
  });
});

test('two Deployments with the same selector leave each other the pods', () => {
  const own = lab();
  put(own, '1', { replicas: 2 });
  own.put(Deployment, {
    metadata: { name: 'twin' },
    spec: { replicas: 2, selector: { matchLabels: { app: 'web' } }, template: template('1') },
  });
  own.settle();
  assert.equal(own.list(Pod).length, 4);
  assert.equal(own.get(Deployment, 'web').status.readyReplicas, 2);
  assert.equal(own.get(Deployment, 'twin').status.readyReplicas, 2);
});
