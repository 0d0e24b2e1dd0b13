import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cells, named, testRows, valid } from '../core/testing.ts';
import { Deployment } from './deployment.ts';
import { ReplicaSet } from './replica-set.ts';
import { StatefulSet } from './stateful-set.ts';
import { formatSelector } from './workload-columns.ts';

const selector = { matchLabels: { app: 'web' } };

function template(spec: object = {}, labels: object = { app: 'web' }): object {
  return { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1' }], ...spec } };
}

function workload(kind: string, spec: object, rest: object = {}): object {
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: named('web'),
    spec: { selector, template: template(), ...spec },
    ...rest,
  };
}

const NEGATIVE = 'must be greater than or equal to 0';
const PERCENT =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

describe('a Deployment', () => {
  it('is completed, its template too', () => {
    const { spec } = valid(Deployment, workload('Deployment', { strategy: { type: '' } }));
    assert.equal(spec.replicas, 1);
    assert.deepEqual(spec.strategy, {
      type: 'RollingUpdate',
      rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' },
    });
    assert.equal(spec.revisionHistoryLimit, 10);
    assert.equal(spec.progressDeadlineSeconds, 600);
    const [container] = spec.template.spec.containers;
    assert.equal(container?.imagePullPolicy, 'IfNotPresent');
    // Only Pods get this one: a template that had it would differ from what was written.
    assert.equal('enableServiceLinks' in spec.template.spec, false);
  });

  it('half a strategy is completed, and none for Recreate', () => {
    const half = { strategy: { rollingUpdate: { maxSurge: 1 } } };
    assert.deepEqual(valid(Deployment, workload('Deployment', half)).spec.strategy.rollingUpdate, {
      maxSurge: 1,
      maxUnavailable: '25%',
    });
    const recreate = { strategy: { type: 'Recreate' } };
    const { spec } = valid(Deployment, workload('Deployment', recreate));
    assert.deepEqual(spec.strategy, { type: 'Recreate' });
  });

  testRows(Deployment, [
    {
      title: 'a selector is required',
      object: workload('Deployment', { selector: undefined }),
      errors: ['spec.selector: Required value'],
    },
    {
      title: 'a selector selects something',
      object: workload('Deployment', { selector: {} }),
      errors: ['spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
    },
    {
      title: 'a selector selects the pods that are made',
      object: workload('Deployment', { template: template({}, { app: 'other' }) }),
      errors: [
        'spec.template.metadata.labels: Invalid value: {"app":"other"}: `selector` does not match template `labels`',
      ],
    },
    {
      title: 'a selector that nobody understands',
      object: workload('Deployment', {
        selector: { matchExpressions: [{ key: 'a', operator: 'Is' }] },
      }),
      errors: [
        'spec.selector.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator',
        'spec.selector: Invalid value: {"matchExpressions":[{"key":"a","operator":"Is"}]}: invalid label selector',
      ],
    },
    {
      title: 'the template is looked at like a Pod',
      object: workload('Deployment', {
        template: template({
          containers: [{ name: 'a' }],
          volumes: [{ name: 'b' }, { name: 'C' }],
        }),
      }),
      errors: [
        "spec.template.spec.volumes[1].name: Invalid value: \"C\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
        'spec.template.spec.containers[0].image: Required value',
      ],
    },
    {
      title: 'its pods are always restarted, and run on',
      object: workload('Deployment', {
        template: template({ restartPolicy: 'Never', activeDeadlineSeconds: 5 }),
      }),
      errors: [
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
        'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported',
      ],
    },
    {
      title: 'numbers are not negative, and progress takes longer than being ready',
      object: workload('Deployment', {
        replicas: -1,
        minReadySeconds: 600,
        revisionHistoryLimit: -1,
      }),
      errors: [
        `spec.replicas: Invalid value: -1: ${NEGATIVE}`,
        `spec.revisionHistoryLimit: Invalid value: -1: ${NEGATIVE}`,
        'spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds',
      ],
    },
    {
      title: 'an update needs room',
      object: workload('Deployment', {
        strategy: { rollingUpdate: { maxSurge: '0%', maxUnavailable: 0 } },
      }),
      errors: [
        'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0',
      ],
    },
    {
      title: 'a share is a share',
      object: workload('Deployment', {
        strategy: { rollingUpdate: { maxSurge: 'half', maxUnavailable: '150%' } },
      }),
      errors: [
        `spec.strategy.rollingUpdate.maxSurge: Invalid value: "half": ${PERCENT}`,
        'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "150%": must not be greater than 100%',
      ],
    },
    {
      title: 'Recreate has no speed',
      object: workload('Deployment', { strategy: { type: 'Recreate', rollingUpdate: {} } }),
      errors: [
        "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
      ],
    },
    {
      title: 'the selector is for life',
      object: workload('Deployment', {}),
      old: workload('Deployment', {
        selector: { matchLabels: { app: 'web', tier: 'x' } },
        template: template({}, { app: 'web', tier: 'x' }),
      }),
      errors: ['spec.selector: Invalid value: {"matchLabels":{"app":"web"}}: field is immutable'],
    },
  ]);

  it('columns count its pods', () => {
    const status = { readyReplicas: 1, updatedReplicas: 2, availableReplicas: 1 };
    assert.deepEqual(cells(Deployment, workload('Deployment', { replicas: 3 }, { status })), {
      Ready: '1/3',
      'Up-to-date': 2,
      Available: 1,
      Containers: 'web',
      Images: 'web:1',
      Selector: 'app=web',
    });
  });
});

describe('a ReplicaSet', () => {
  it('has one pod unless said otherwise', () =>
    assert.equal(valid(ReplicaSet, workload('ReplicaSet', {})).spec.replicas, 1));

  testRows(ReplicaSet, [
    {
      title: 'selects the pods that are made, and always restarts them',
      object: workload('ReplicaSet', { template: template({ restartPolicy: 'OnFailure' }, {}) }),
      errors: [
        'spec.template.metadata.labels: Invalid value: {}: `selector` does not match template `labels`',
        'spec.template.spec.restartPolicy: Unsupported value: "OnFailure": supported values: "Always"',
      ],
    },
  ]);

  it('columns count its pods', () => {
    const status = { replicas: 2, readyReplicas: 1 };
    assert.deepEqual(cells(ReplicaSet, workload('ReplicaSet', { replicas: 3 }, { status })), {
      Desired: 3,
      Current: 2,
      Ready: 1,
      Containers: 'web',
      Images: 'web:1',
      Selector: 'app=web',
    });
  });
});

describe('a StatefulSet', () => {
  const claim = {
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  };

  it('is completed, its claims too', () => {
    const { spec } = valid(StatefulSet, workload('StatefulSet', { volumeClaimTemplates: [claim] }));
    assert.equal(spec.podManagementPolicy, 'OrderedReady');
    assert.deepEqual(spec.updateStrategy, {
      type: 'RollingUpdate',
      rollingUpdate: { partition: 0, maxUnavailable: 1 },
    });
    assert.deepEqual(spec.persistentVolumeClaimRetentionPolicy, {
      whenDeleted: 'Retain',
      whenScaled: 'Retain',
    });
    assert.deepEqual(spec.volumeClaimTemplates, [
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        ...claim,
        spec: { ...claim.spec, volumeMode: 'Filesystem' },
        status: { phase: 'Pending' },
      },
    ]);
  });

  testRows(StatefulSet, [
    {
      title: 'a claim is a volume of its pods',
      object: workload('StatefulSet', {
        volumeClaimTemplates: [claim],
        template: template({
          containers: [
            { name: 'web', image: 'web:1', volumeMounts: [{ name: 'data', mountPath: '/data' }] },
          ],
        }),
      }),
      errors: [],
    },
    {
      title: 'its name is a label',
      object: { ...workload('StatefulSet', {}), metadata: named('web.db') },
      errors: ['metadata.name: Invalid value: "web.db": must not contain dots'],
    },
    {
      title: 'policies are from closed lists',
      object: workload('StatefulSet', {
        podManagementPolicy: 'Any',
        updateStrategy: { type: 'Never' },
        serviceName: 'a.b',
        ordinals: { start: -1 },
      }),
      errors: [
        "spec.podManagementPolicy: Invalid value: \"Any\": must be 'OrderedReady' or 'Parallel'",
        'spec.updateStrategy: Invalid value: {"type":"Never"}: must be \'RollingUpdate\' or \'OnDelete\'',
        `spec.ordinals.start: Invalid value: -1: ${NEGATIVE}`,
        'spec.serviceName: Invalid value: "a.b": must not contain dots',
      ],
    },
    {
      title: 'an update moves on',
      object: workload('StatefulSet', {
        updateStrategy: { rollingUpdate: { partition: -1, maxUnavailable: 0 } },
      }),
      errors: [
        `spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: ${NEGATIVE}`,
        'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0',
      ],
    },
    {
      title: 'OnDelete has no speed',
      object: workload('StatefulSet', { updateStrategy: { type: 'OnDelete', rollingUpdate: {} } }),
      errors: [
        'spec.updateStrategy.rollingUpdate: Invalid value: {"partition":0,"maxUnavailable":1}: only allowed for updateStrategy \'RollingUpdate\'',
      ],
    },
    {
      title: 'a claim says how much',
      object: workload('StatefulSet', {
        volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { accessModes: ['Any'] } }],
      }),
      errors: [
        'spec.volumeClaimTemplates[0].spec.accessModes: Unsupported value: "Any": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
        'spec.volumeClaimTemplates[0].spec.resources[storage]: Required value',
      ],
    },
    {
      title: 'what gives pods their names and storage is for life',
      object: workload('StatefulSet', { serviceName: 'b', podManagementPolicy: 'Parallel' }),
      old: workload('StatefulSet', { serviceName: 'a' }),
      errors: [
        'spec.serviceName: Invalid value: "b": field is immutable',
        'spec.podManagementPolicy: Invalid value: "Parallel": field is immutable',
      ],
    },
  ]);

  it('columns count its pods', () =>
    assert.deepEqual(cells(StatefulSet, workload('StatefulSet', {})), {
      Ready: '0/1',
      Containers: 'web',
      Images: 'web:1',
    }));
});

describe('the text of a selector', () => {
  it('sorts requirements and values', () => {
    const matchExpressions = [
      { key: 'tier', operator: 'In', values: ['b', 'a'] },
      { key: 'canary', operator: 'DoesNotExist' },
      { key: 'zone', operator: 'Exists' },
      { key: 'stage', operator: 'NotIn', values: ['dev'] },
    ];
    assert.equal(
      formatSelector({ matchLabels: { app: 'web' }, matchExpressions }),
      'app=web,!canary,stage notin (dev),tier in (a,b),zone',
    );
    assert.equal(formatSelector({}), undefined);
  });
});
