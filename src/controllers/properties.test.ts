// Whatever happens to the objects, in whatever order: the controllers come to rest, stay at rest, would
// do nothing else had they just been started, and what they leave behind makes sense.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Deployment } from '../api/apps/deployment.ts';
import { StatefulSet } from '../api/apps/stateful-set.ts';
import { Endpoints } from '../api/core/endpoints.ts';
import { Pod } from '../api/core/pod.ts';
import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import type { Kind } from '../api/kind.ts';
import type { ObjectWrite } from '../store/write.ts';
import { createControllers } from './controllers.ts';
import { isActive, isReady } from './shared/pods.ts';
import { checkInvariants } from './testing/invariants.ts';
import { Lab, OPTIONS } from './testing/lab.ts';

interface Step {
  readonly what: string;
  readonly run: (lab: Lab) => void;
}

/** One thing that happens, shown by its name, so that a failing sequence can be read. */
function stepOf(what: string, run: (lab: Lab) => void): Step {
  return { what, run, [fc.toStringMethod]: () => what } as Step;
}

const name = fc.constantFrom('alpha', 'beta', 'gamma');

const template = (app: string, version: number, named: boolean) => ({
  metadata: { labels: { app, tier: 'web' } },
  spec: {
    containers: [
      {
        name: 'main',
        image: `image:${version}`,
        ports: [{ containerPort: 8000 + version, ...(named ? { name: 'http' } : {}) }],
      },
    ],
  },
});

const strategy = fc.constantFrom(
  {},
  { type: 'Recreate' },
  { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
  { type: 'RollingUpdate', rollingUpdate: { maxSurge: '50%', maxUnavailable: 0 } },
);

const deployment = fc
  .record({
    name,
    replicas: fc.nat(4),
    version: fc.nat(2),
    named: fc.boolean(),
    strategy,
    paused: fc.boolean(),
    revisionHistoryLimit: fc.nat(2),
  })
  .map(({ name: app, version, named, ...spec }): Step =>
    stepOf(`deployment ${app} ${JSON.stringify({ version, named, ...spec })}`, (lab) =>
      lab.put(
        Deployment,
        {
          metadata: { name: app },
          spec: {
            ...spec,
            selector: { matchLabels: { app } },
            template: template(app, version, named),
          },
        },
        'deployments.yaml',
      ),
    ),
  );

const statefulSet = fc
  .record({
    name,
    replicas: fc.nat(3),
    version: fc.nat(2),
    podManagementPolicy: fc.constantFrom('OrderedReady', 'Parallel'),
    partition: fc.nat(2),
  })
  .map(({ name: app, replicas, version, podManagementPolicy, partition }): Step =>
    stepOf(
      `statefulset db-${app} ${JSON.stringify({ replicas, version, podManagementPolicy, partition })}`,
      (lab) =>
        lab.put(
          StatefulSet,
          {
            metadata: { name: `db-${app}` },
            spec: {
              replicas,
              podManagementPolicy,
              serviceName: app,
              updateStrategy: { rollingUpdate: { partition } },
              selector: { matchLabels: { app: `db-${app}` } },
              template: template(`db-${app}`, version, true),
            },
          },
          'sets.yaml',
        ),
    ),
  );

const service = fc
  .record({
    name,
    type: fc.constantFrom('ClusterIP', 'NodePort', 'LoadBalancer', 'LoadBalancer', 'ExternalName'),
    selector: fc.constantFrom<Readonly<Record<string, string>>>(
      { app: 'alpha' },
      { app: 'db-beta' },
      { tier: 'web' },
      {},
    ),
    clusterIP: fc.constantFrom('', '', 'None', '127.96.0.10', '127.96.1.1', '10.96.0.10'),
    nodePort: fc.constantFrom(0, 0, 30_080, 31_000, 80),
    loadBalancerIP: fc.constantFrom('', '127.80.128.1', '127.80.128.9', '203.0.113.7'),
    policy: fc.constantFrom('Cluster', 'Local'),
    ports: fc.constantFrom([80], [80, 443], [53, 53]),
    address: fc.constantFrom(undefined, undefined, 'localhost:3000', 'nonsense'),
    trafficDistribution: fc.constantFrom(undefined, 'PreferClose', 'PreferSameNode'),
    file: fc.boolean(),
    anew: fc.boolean(),
  })
  .map((wish): Step =>
    stepOf(`service ${wish.name} ${JSON.stringify(wish)}`, (lab) => putService(lab, wish)),
  );

interface ServiceWish {
  readonly name: string;
  readonly type: string;
  readonly selector: Readonly<Record<string, string>>;
  readonly clusterIP: string;
  readonly nodePort: number;
  readonly loadBalancerIP: string;
  readonly policy: string;
  readonly ports: readonly number[];
  readonly address: string | undefined;
  readonly trafficDistribution: string | undefined;
  readonly file: boolean;
  readonly anew: boolean;
}

function putService(lab: Lab, wish: ServiceWish): void {
  const { type } = wish;
  const isExternal = type === 'NodePort' || type === 'LoadBalancer';
  const clusterIP = wish.clusterIP === 'None' && isExternal ? '' : wish.clusterIP;
  const ports = wish.ports.map((port, i) => ({
    name: `port-${i}`,
    port,
    protocol: i === 1 && port === 53 ? 'UDP' : 'TCP',
    targetPort: i === 0 ? 'http' : 8000,
    ...(isExternal && wish.nodePort > 0 && i === 0 ? { nodePort: wish.nodePort } : {}),
  }));
  const annotations =
    wish.address === undefined ? undefined : { 'fairway.dev/address': wish.address };
  // A file may also change what a client of the API would have to delete first.
  if (wish.anew) lab.remove(Service, wish.name);
  lab.put(
    Service,
    {
      metadata: { name: wish.name, ...(annotations === undefined ? {} : { annotations }) },
      spec:
        type === 'ExternalName'
          ? { type, externalName: 'example.com' }
          : {
              type,
              ports,
              selector: wish.selector,
              ...(clusterIP === '' ? {} : { clusterIP }),
              ...(isExternal ? { externalTrafficPolicy: wish.policy } : {}),
              ...(type === 'LoadBalancer' ? { loadBalancerIP: wish.loadBalancerIP } : {}),
              ...(wish.trafficDistribution === undefined
                ? {}
                : { trafficDistribution: wish.trafficDistribution }),
            },
    },
    wish.file ? 'services.yaml' : undefined,
  );
}

const endpoints = fc
  .record({
    name,
    ips: fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
  })
  .map(({ name: owner, ips }): Step =>
    stepOf(`endpoints ${owner} ${ips.join()}`, (lab) =>
      lab.put(Endpoints, {
        metadata: { name: owner },
        subsets: [{ addresses: ips.map((ip) => ({ ip: `10.0.0.${ip}` })), ports: [{ port: 80 }] }],
      }),
    ),
  );

const removal = fc
  .record({
    kind: fc.constantFrom<readonly [string, Kind]>(
      ['', Deployment],
      ['db-', StatefulSet],
      ['', Service],
      ['', Endpoints],
    ),
    name,
  })
  .map(({ kind: [prefix, kind], name: base }): Step =>
    stepOf(`delete ${kind.kind} ${prefix}${base}`, (lab) => lab.remove(kind, `${prefix}${base}`)),
  );

/** What a kubelet, or somebody with kubectl, does to one of the pods. */
const podEvent = fc
  .record({
    place: fc.nat(20),
    event: fc.constantFrom(
      'ready',
      'ready',
      'ready',
      'unready',
      'fail',
      'stop',
      'stop',
      'delete',
      'relabel',
    ),
  })
  .map(({ place, event }): Step =>
    stepOf(`pod ${place} ${event}`, (lab) => {
      const pods = lab.list(Pod);
      const pod = pods[place % Math.max(1, pods.length)];
      if (pod !== undefined) disturb(lab, pod, event);
    }),
  );

function disturb(lab: Lab, pod: Pod, event: string): void {
  const { namespace = '', name: podName = '' } = pod.metadata;
  const isEnding = pod.metadata.deletionTimestamp !== undefined;
  switch (event) {
    case 'ready':
    case 'unready':
      if (isActive(pod)) lab.run(pod, event === 'ready');
      return;
    case 'fail':
      if (isActive(pod)) lab.finish(pod, 'Failed');
      return;
    case 'stop':
      if (isEnding) lab.stop(pod);
      return;
    case 'delete':
      lab.store.write([
        { op: 'terminate', kind: Pod, namespace, name: podName, gracePeriodSeconds: 30 },
      ]);
      return;
    case 'relabel': {
      const metadata = { ...pod.metadata, labels: { app: 'debug' } };
      lab.store.write([{ op: 'put', kind: Pod, object: { ...pod, metadata } }]);
      return;
    }
    default:
      assert.fail(event);
  }
}

const time = fc
  .constantFrom(1, 30, 700)
  .map((seconds) => stepOf(`${seconds} s pass`, (lab) => lab.advance(seconds)));

const settling = fc.constant(stepOf('all pods settle', (lab) => lab.settle()));

const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: deployment },
    { weight: 2, arbitrary: statefulSet },
    { weight: 6, arbitrary: service },
    { weight: 1, arbitrary: endpoints },
    { weight: 2, arbitrary: removal },
    { weight: 8, arbitrary: podEvent },
    { weight: 1, arbitrary: time },
    { weight: 1, arbitrary: settling },
  ),
  { minLength: 1, maxLength: 30 },
);

test('any sequence of changes comes to rest, and stays there', () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const lab = new Lab();
      for (const step of sequence) {
        step.run(lab);
        lab.reconcile();
        checkInvariants(lab.snapshot);
        assert.equal(lab.reconcile().changeCount, 0, `unrest after: ${step.what}`);
      }
      const context = { now: lab.now, wakeAt: () => {} };
      for (const controller of createControllers(OPTIONS)) {
        const writes = controller.reconcile(lab.snapshot, context);
        assert.deepEqual(writes.map(targetOf), [], `${controller.name}, started anew`);
      }
    }),
    { numRuns: 500 },
  );
});

test('what was not applied is asked for again', () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const lab = new Lab();
      for (const step of sequence) step.run(lab);
      const { snapshot, now } = lab;
      const context = { now, wakeAt: () => {} };
      for (const controller of createControllers(OPTIONS)) {
        const targets = (): readonly string[] =>
          controller.reconcile(snapshot, context).map(targetOf).toSorted();
        assert.deepEqual(targets(), targets(), controller.name);
      }
    }),
    { numRuns: 100 },
  );
});

function targetOf(write: ObjectWrite): string {
  const { namespace = '', name: target = '' } = write.op === 'put' ? write.object.metadata : write;
  return `${write.op} ${write.kind.kind} ${namespace}/${target}`;
}

test('with everything deleted nothing is left but the node and what is still ending', () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const lab = new Lab();
      for (const step of sequence) step.run(lab);
      lab.reconcile();
      for (const kind of [Deployment, StatefulSet, Service, Endpoints]) {
        for (const own of lab.names(kind)) lab.remove(kind, own);
      }
      // A pod that somebody has relabelled belongs to nobody any more.
      for (const pod of lab.list(Pod)) {
        if (pod.metadata.labels?.['app'] === 'debug') lab.stop(pod);
      }
      lab.settle();
      assert.deepEqual(lab.names(Pod), []);
      assert.deepEqual(lab.names(EndpointSlice), []);
    }),
    { numRuns: 100 },
  );
});

test('a rolling update never has too few pods that work, nor too many pods', () => {
  const update = fc.record({
    replicas: fc.integer({ min: 1, max: 8 }),
    maxSurge: fc.constantFrom<number | string>(0, 1, 3, '25%', '100%'),
    maxUnavailable: fc.constantFrom<number | string>(0, 1, 2, '25%', '50%'),
    minReadySeconds: fc.constantFrom(0, 10),
    versions: fc.integer({ min: 2, max: 4 }),
    order: fc.array(fc.nat(100), { minLength: 1, maxLength: 60 }),
  });
  fc.assert(
    fc.property(update, ({ replicas, minReadySeconds, versions, order, ...rollingUpdate }) => {
      fc.pre(!isZero(rollingUpdate.maxSurge) || !isZero(rollingUpdate.maxUnavailable));
      const lab = new Lab();
      const put = (version: number): void =>
        lab.put(Deployment, {
          metadata: { name: 'web' },
          spec: {
            replicas,
            minReadySeconds,
            selector: { matchLabels: { app: 'web' } },
            strategy: { type: 'RollingUpdate', rollingUpdate },
            template: template('web', version, true),
          },
        });
      put(0);
      lab.settleInTime();
      const missingMax = Math.max(
        share(rollingUpdate.maxUnavailable, replicas, Math.floor),
        share(rollingUpdate.maxSurge, replicas, Math.ceil) === 0 ? 1 : 0,
      );
      const podsMax = replicas + share(rollingUpdate.maxSurge, replicas, Math.ceil);
      let version = 1;
      put(version);
      for (const [i, place] of order.entries()) {
        lab.reconcile();
        const active = lab.list(Pod).filter(isActive);
        const working = active.filter(isReady).length;
        assert.ok(working >= replicas - missingMax, `${working} of ${replicas} work`);
        assert.ok(active.length <= podsMax, `${active.length} pods of ${podsMax}`);
        disturbOne(lab, place);
        if (version < versions - 1 && i % 15 === 14) put(++version);
      }
      lab.settleInTime();
      const { status } = lab.get(Deployment, 'web');
      assert.deepEqual([status.replicas, status.updatedReplicas], [replicas, replicas]);
    }),
    { numRuns: 200 },
  );
});

/** A pod starts, or one that is to end has ended, or some time passes. */
function disturbOne(lab: Lab, place: number): void {
  const pods = lab.list(Pod).filter((pod) => !isActive(pod) || !isReady(pod));
  const pod = pods[place % Math.max(1, pods.length)];
  if (pod === undefined || place % 5 === 0) lab.advance(5);
  else if (isActive(pod)) lab.run(pod);
  else lab.stop(pod);
}

function isZero(amount: number | string): boolean {
  return amount === 0;
}

function share(amount: number | string, total: number, round: (value: number) => number): number {
  return typeof amount === 'number' ? amount : round((Number.parseInt(amount, 10) * total) / 100);
}
