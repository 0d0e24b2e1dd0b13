import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { admit } from '../admit.ts';
import { Pod } from './pod.ts';
import { named, valid } from './testing.ts';

function pod(spec: object, container: object = {}): object {
  const containers = [{ name: 'web', image: 'web:1', ...container }];
  return { apiVersion: 'v1', kind: 'Pod', metadata: named('web'), spec: { containers, ...spec } };
}

describe('defaults of a Pod', () => {
  it('the smallest Pod is completed', () => {
    assert.deepEqual(valid(Pod, pod({})).spec, {
      containers: [
        {
          name: 'web',
          image: 'web:1',
          resources: {},
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          imagePullPolicy: 'IfNotPresent',
        },
      ],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      securityContext: {},
      schedulerName: 'default-scheduler',
      enableServiceLinks: true,
    });
  });

  const policies = {
    web: 'Always',
    'web:latest': 'Always',
    'registry:5000/a/web': 'Always',
    'web:1.2': 'IfNotPresent',
    'registry:5000/a/web:1': 'IfNotPresent',
    [`web@sha256:${'0'.repeat(64)}`]: 'IfNotPresent',
    [`web:latest@sha256:${'0'.repeat(64)}`]: 'Always',
    'web:latest@sha256:0': 'IfNotPresent',
    'Not An Image': 'IfNotPresent',
  };
  for (const [image, policy] of Object.entries(policies)) {
    it(`the image ${image} is pulled ${policy}`, () =>
      assert.equal(valid(Pod, pod({}, { image })).spec.containers[0]?.imagePullPolicy, policy));
  }

  it('probes have times, and zero is none', () => {
    const livenessProbe = { httpGet: { port: 80 }, periodSeconds: 0, failureThreshold: 5 };
    assert.deepEqual(valid(Pod, pod({}, { livenessProbe })).spec.containers[0]?.livenessProbe, {
      httpGet: { port: 80, path: '/', scheme: 'HTTP' },
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 5,
    });
  });

  it('ports, references and volumes are completed', () => {
    const { containers, volumes } = valid(
      Pod,
      pod(
        {
          volumes: [
            { name: 'none' },
            { name: 'secret', secret: { secretName: 's' } },
            { name: 'node', hostPath: { path: '/a' } },
            { name: 'image', image: { reference: 'a:latest' } },
          ],
        },
        {
          ports: [{ containerPort: 80, protocol: '' }],
          env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
        },
      ),
    ).spec;
    assert.deepEqual(containers[0]?.ports, [{ containerPort: 80, protocol: 'TCP' }]);
    assert.equal(containers[0]?.env?.[0]?.valueFrom?.fieldRef?.apiVersion, 'v1');
    assert.deepEqual(volumes, [
      { name: 'none', emptyDir: {} },
      { name: 'secret', secret: { secretName: 's', defaultMode: 0o644 } },
      { name: 'node', hostPath: { path: '/a', type: '' } },
      { name: 'image', image: { reference: 'a:latest', pullPolicy: 'Always' } },
    ]);
  });

  it('requests follow limits, in canonical form', () => {
    const resources = { limits: { cpu: 0.5, memory: '1024Mi' }, requests: { cpu: '250m' } };
    assert.deepEqual(valid(Pod, pod({}, { resources })).spec.containers[0]?.resources, {
      limits: { cpu: '500m', memory: '1Gi' },
      requests: { cpu: '250m', memory: '1Gi' },
    });
  });

  it('with the network of the node, ports are those of the node', () => {
    const { spec } = valid(Pod, pod({ hostNetwork: true }, { ports: [{ containerPort: 80 }] }));
    assert.equal(spec.containers[0]?.ports?.[0]?.hostPort, 80);
  });

  it('both names of the account say the same', () => {
    const { spec } = valid(Pod, pod({ serviceAccount: 'robot' }));
    assert.equal(spec.serviceAccountName, 'robot');
  });

  it('podIP and podIPs say the same', () => {
    const ofList = { ...pod({}), status: { podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] } };
    assert.equal(valid(Pod, ofList).status.podIP, '10.0.0.1');
    const ofOne = { ...pod({}), status: { podIP: '10.0.0.2', podIPs: [{ ip: '10.0.0.1' }] } };
    assert.deepEqual(valid(Pod, ofOne).status.podIPs, [{ ip: '10.0.0.2' }]);
  });

  it('a stored Pod is complete: nothing is added a second time', () => {
    const once = valid(Pod, pod({ hostNetwork: true }, { ports: [{ containerPort: 80 }] }));
    assert.deepEqual(valid(Pod, once), once);
  });

  it('a Pod stays where it was put', () => {
    const old = valid(Pod, pod({ nodeName: 'node-1', serviceAccountName: 'robot' }));
    const kept = Pod.carryOver?.(old, valid(Pod, pod({})));
    assert.equal(kept?.spec.nodeName, 'node-1');
    assert.equal(kept?.spec.serviceAccountName, 'robot');
  });

  it('what is no Pod at all is left for validation', () => {
    for (const spec of [5, [], { containers: 'web' }, { containers: [5], volumes: {} }]) {
      const { errors } = admit(Pod, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: named('web'),
        spec,
      });
      assert.notDeepEqual(errors, []);
    }
  });
});
