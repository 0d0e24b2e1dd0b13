// StatefulSets as the Kubernetes documentation describes them, pod by pod.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StatefulSet } from '../../../api/apps/stateful-set.ts';
import { Pod } from '../../../api/core/pod.ts';
import { isActive, isReady } from '../../shared/pods.ts';
import { Lab } from '../../testing/lab.ts';
import { ControllerRevision } from './controller-revision.ts';
import { createStatefulSetController } from './stateful-sets.ts';

function lab(): Lab {
  return new Lab([createStatefulSetController()]);
}

function put(own: Lab, image: string, spec: Readonly<Record<string, unknown>> = {}): void {
  own.put(StatefulSet, {
    metadata: { name: 'db' },
    spec: {
      serviceName: 'db',
      selector: { matchLabels: { app: 'db' } },
      template: {
        metadata: { labels: { app: 'db' } },
        spec: {
          containers: [{ name: 'main', image }],
          volumes: [{ name: 'tmp', emptyDir: {} }],
        },
      },
      ...spec,
    },
  });
}

/** `name:image`, with `!` for one that is not ready and `†` for one that is to end. */
function pods(own: Lab): readonly string[] {
  return own.list(Pod).map((pod) => {
    const mark = isActive(pod) ? (isReady(pod) ? '' : '!') : '†';
    return `${pod.metadata.name}:${pod.spec.containers[0]?.image}${mark}`;
  });
}

/** Runs all pods that are not ready yet. */
function run(own: Lab): void {
  for (const pod of own.list(Pod)) if (isActive(pod) && !isReady(pod)) own.run(pod);
  own.reconcile();
}

/** On a node, where pods take their time to end. */
function assign(own: Lab): void {
  for (const pod of own.list(Pod)) {
    const object = { ...pod, spec: { ...pod.spec, nodeName: 'laptop' } };
    own.store.write([{ op: 'put', kind: Pod, object }]);
  }
  own.reconcile();
}

function stop(own: Lab, name: string): void {
  own.stop(own.get(Pod, name));
  own.reconcile();
}

describe('a pod of a StatefulSet', () => {
  test('has a number, a name in the DNS and storage of its own', () => {
    const own = lab();
    const claim = (name: string) => ({
      metadata: { name },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
    put(own, '1', { volumeClaimTemplates: [claim('data'), claim('tmp')] });
    own.reconcile();
    const { metadata, spec, status } = own.get(Pod, 'db-0');
    const revision = own.list(ControllerRevision)[0]?.metadata.name;
    assert.deepEqual(metadata.labels, {
      app: 'db',
      'statefulset.kubernetes.io/pod-name': 'db-0',
      'apps.kubernetes.io/pod-index': '0',
      'controller-revision-hash': revision,
    });
    assert.deepEqual([spec.hostname, spec.subdomain], ['db-0', 'db']);
    assert.deepEqual(spec.volumes, [
      { name: 'data', persistentVolumeClaim: { claimName: 'data-db-0' } },
      { name: 'tmp', persistentVolumeClaim: { claimName: 'tmp-db-0' } },
    ]);
    assert.deepEqual(status, { phase: 'Pending' });
    assert.equal(metadata.ownerReferences?.[0]?.kind, 'StatefulSet');
  });

  test('gets its labels of identity back', () => {
    const own = lab();
    put(own, '1');
    own.settle();
    const pod = own.get(Pod, 'db-0');
    const { 'apps.kubernetes.io/pod-index': _index, ...labels } = pod.metadata.labels ?? {};
    const object = { ...pod, metadata: { ...pod.metadata, labels } };
    own.store.write([{ op: 'put', kind: Pod, object }]);
    own.reconcile();
    assert.equal(own.get(Pod, 'db-0').metadata.labels?.['apps.kubernetes.io/pod-index'], '0');
  });
});

describe('in order', () => {
  test('pods are made one after the other, each when the one before is ready', () => {
    const own = lab();
    put(own, '1', { replicas: 3 });
    own.reconcile();
    assert.deepEqual(pods(own), ['db-0:1!']);
    run(own);
    assert.deepEqual(pods(own), ['db-0:1', 'db-1:1!']);
    run(own);
    run(own);
    assert.deepEqual(pods(own), ['db-0:1', 'db-1:1', 'db-2:1']);
  });

  test('with minReadySeconds, each when the one before is available', () => {
    const own = lab();
    put(own, '1', { replicas: 2, minReadySeconds: 5 });
    own.reconcile();
    for (const pod of own.list(Pod)) own.run(pod);
    assert.equal(own.reconcile().wakeAtMs, own.now.getTime() + 5000);
    assert.deepEqual(pods(own), ['db-0:1']);
    own.advance(5);
    own.reconcile();
    assert.deepEqual(pods(own), ['db-0:1', 'db-1:1!']);
  });

  test('pods end from the highest number down, each when the one above is gone', () => {
    const own = lab();
    put(own, '1', { replicas: 3 });
    own.settle();
    assign(own);
    put(own, '1', { replicas: 1 });
    own.reconcile();
    assert.deepEqual(pods(own), ['db-0:1', 'db-1:1', 'db-2:1†']);
    stop(own, 'db-2');
    assert.deepEqual(pods(own), ['db-0:1', 'db-1:1†']);
    stop(own, 'db-1');
    assert.deepEqual(pods(own), ['db-0:1']);
  });

  test('no pod ends while one below it is not well', () => {
    const own = lab();
    put(own, '1', { replicas: 3 });
    own.settle();
    own.run(own.get(Pod, 'db-0'), false);
    put(own, '1', { replicas: 2 });
    own.reconcile();
    assert.deepEqual(pods(own), ['db-0:1!', 'db-1:1', 'db-2:1']);
  });

  test('no pod is made while one below it ends, though that still works', () => {
    const own = lab();
    put(own, '1', { replicas: 2 });
    own.settle();
    assign(own);
    own.store.write([
      { op: 'terminate', kind: Pod, namespace: 'default', name: 'db-0', gracePeriodSeconds: 30 },
    ]);
    put(own, '1', { replicas: 3 });
    own.reconcile();
    assert.deepEqual(pods(own), ['db-0:1†', 'db-1:1']);
  });

  test('of pods that are too many and not well only the lowest does not hold up the others', () => {
    const own = lab();
    put(own, '1', { replicas: 3 });
    own.settle();
    own.run(own.get(Pod, 'db-1'), false);
    own.run(own.get(Pod, 'db-2'), false);
    put(own, '2', { replicas: 1 });
    own.reconcile();
    assert.deepEqual(pods(own), ['db-0:1', 'db-1:1!', 'db-2:1!']);
    own.run(own.get(Pod, 'db-1'));
    own.reconcile();
    assert.deepEqual(pods(own), ['db-0:2!']);
  });

  test('an update waits until there are no more pods too many', () => {
    const own = lab();
    put(own, '1', { replicas: 3 });
    own.settle();
    assign(own);
    put(own, '2', { replicas: 2 });
    own.reconcile();
    assert.deepEqual(pods(own), ['db-0:1', 'db-1:1', 'db-2:1†']);
    stop(own, 'db-2');
    assert.deepEqual(pods(own), ['db-0:1', 'db-1:1†']);
  });

  test('a pod that ends is made again under its name when it is gone', () => {
    const own = lab();
    put(own, '1', { replicas: 2 });
    own.settle();
    assign(own);
    const { uid } = own.get(Pod, 'db-0').metadata;
    own.store.write([
      { op: 'terminate', kind: Pod, namespace: 'default', name: 'db-0', gracePeriodSeconds: 30 },
    ]);
    own.reconcile();
    assert.deepEqual(pods(own), ['db-0:1†', 'db-1:1']);
    stop(own, 'db-0');
    assert.deepEqual(pods(own), ['db-0:1!', 'db-1:1']);
    assert.notEqual(own.get(Pod, 'db-0').metadata.uid, uid);
  });

  for (const phase of ['Failed', 'Succeeded'] as const) {
    test(`a pod that has ${phase.toLowerCase()} is made again`, () => {
      const own = lab();
      put(own, '1', { replicas: 1 });
      own.settle();
      own.finish(own.get(Pod, 'db-0'), phase);
      own.reconcile();
      assert.deepEqual(pods(own), ['db-0:1!']);
    });
  }
});

describe('in parallel', () => {
  const spec = { podManagementPolicy: 'Parallel' };

  test('all pods are made and ended at once', () => {
    const own = lab();
    put(own, '1', { ...spec, replicas: 3 });
    own.reconcile();
    assert.deepEqual(pods(own), ['db-0:1!', 'db-1:1!', 'db-2:1!']);
    assign(own);
    put(own, '1', { ...spec, replicas: 1 });
    own.reconcile();
    assert.deepEqual(pods(own), ['db-0:1!', 'db-1:1†', 'db-2:1†']);
  });
});

describe('a first number', () => {
  test('moves the names, and pods with others end', () => {
    const own = lab();
    put(own, '1', { replicas: 2, ordinals: { start: 5 } });
    own.settle();
    assert.deepEqual(pods(own), ['db-5:1', 'db-6:1']);
    put(own, '1', { replicas: 2 });
    own.settle();
    assert.deepEqual(pods(own), ['db-0:1', 'db-1:1']);
  });
});

describe('an update', () => {
  test('goes from the highest number down, each when the one before is ready again', () => {
    const own = lab();
    put(own, '1', { replicas: 3 });
    own.settle();
    assign(own);
    put(own, '2', { replicas: 3 });
    own.reconcile();
    assert.deepEqual(pods(own), ['db-0:1', 'db-1:1', 'db-2:1†']);
    stop(own, 'db-2');
    assert.deepEqual(pods(own), ['db-0:1', 'db-1:1', 'db-2:2!']);
    run(own);
    assert.deepEqual(pods(own), ['db-0:1', 'db-1:1†', 'db-2:2']);
    stop(own, 'db-1');
    run(own);
    assert.deepEqual(pods(own), ['db-0:1†', 'db-1:2', 'db-2:2']);
  });

  test('tells both revisions until it is done', () => {
    const own = lab();
    put(own, '1', { replicas: 2 });
    own.settle();
    const { currentRevision: first } = own.get(StatefulSet, 'db').status;
    put(own, '2', { replicas: 2 });
    own.reconcile();
    const during = own.get(StatefulSet, 'db').status;
    assert.equal(during.currentRevision, first);
    assert.notEqual(during.updateRevision, first);
    assert.deepEqual([during.currentReplicas, during.updatedReplicas], [1, 1]);
    own.settle();
    const after = own.get(StatefulSet, 'db').status;
    assert.equal(after.currentRevision, during.updateRevision);
    assert.deepEqual(after, {
      observedGeneration: 2,
      replicas: 2,
      readyReplicas: 2,
      currentReplicas: 2,
      updatedReplicas: 2,
      currentRevision: during.updateRevision,
      updateRevision: during.updateRevision,
      collisionCount: 0,
      availableReplicas: 2,
    });
  });

  test('stops at the partition, and pods below are made as they were', () => {
    const own = lab();
    put(own, '1', { replicas: 3 });
    own.settle();
    const updateStrategy = { rollingUpdate: { partition: 2 } };
    put(own, '2', { replicas: 3, updateStrategy });
    own.settle();
    assert.deepEqual(pods(own), ['db-0:1', 'db-1:1', 'db-2:2']);
    own.stop(own.get(Pod, 'db-0'));
    own.settle();
    assert.deepEqual(pods(own), ['db-0:1', 'db-1:1', 'db-2:2']);
    put(own, '2', { replicas: 3 });
    own.settle();
    assert.deepEqual(pods(own), ['db-0:2', 'db-1:2', 'db-2:2']);
  });

  test('takes several pods at a time when it may', () => {
    const own = lab();
    const spec = {
      replicas: 5,
      podManagementPolicy: 'Parallel',
      updateStrategy: { rollingUpdate: { maxUnavailable: 2 } },
    };
    put(own, '1', spec);
    own.settle();
    assign(own);
    put(own, '2', spec);
    own.reconcile();
    assert.deepEqual(pods(own), ['db-0:1', 'db-1:1', 'db-2:1', 'db-3:1†', 'db-4:1†']);
    stop(own, 'db-4');
    assert.deepEqual(pods(own).slice(2), ['db-2:1', 'db-3:1†', 'db-4:2!']);
    run(own);
    assert.deepEqual(pods(own).slice(1), ['db-1:1', 'db-2:1†', 'db-3:1†', 'db-4:2']);
  });

  test('with OnDelete waits for somebody to delete the pods', () => {
    const own = lab();
    const spec = { replicas: 2, updateStrategy: { type: 'OnDelete' } };
    put(own, '1', spec);
    own.settle();
    put(own, '2', spec);
    own.settle();
    assert.deepEqual(pods(own), ['db-0:1', 'db-1:1']);
    own.stop(own.get(Pod, 'db-0'));
    own.settle();
    assert.deepEqual(pods(own), ['db-0:2', 'db-1:1']);
  });

  test('to a pod that does not start stops there', () => {
    const own = lab();
    put(own, '1', { replicas: 3 });
    own.settle();
    put(own, 'broken', { replicas: 3 });
    own.reconcile();
    assert.deepEqual(pods(own), ['db-0:1', 'db-1:1', 'db-2:broken!']);
    own.reconcile();
    assert.deepEqual(pods(own), ['db-0:1', 'db-1:1', 'db-2:broken!']);
  });
});

describe('revisions', () => {
  const images = (own: Lab): readonly string[] =>
    own
      .list(ControllerRevision)
      .toSorted((a, b) => a.revision - b.revision)
      .map(({ data, revision }) => {
        const match = /"image":"([^"]*)"/.exec(JSON.stringify(data));
        return `${revision}: ${match?.[1]}`;
      });

  test('are kept to go back to; going back makes the old one the latest', () => {
    const own = lab();
    for (const image of ['1', '2', '1']) {
      put(own, image);
      own.settle();
    }
    assert.deepEqual(images(own), ['2: 2', '3: 1']);
  });

  test('only so many that are not in use are kept', () => {
    const own = lab();
    for (const image of ['1', '2', '3', '4', '5']) {
      put(own, image, { revisionHistoryLimit: 2 });
      own.settle();
    }
    assert.deepEqual(images(own), ['3: 3', '4: 4', '5: 5']);
  });
});
